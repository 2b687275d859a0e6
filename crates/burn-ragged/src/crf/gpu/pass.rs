//! The forward-backward algorithm, with a cube per sequence and a unit per tag.

#![allow(clippy::needless_range_loop)] // kernels have no iterators

use burn_cubecl::cubecl::{self, prelude::*};

/// The loss of each sequence and its gradients. All arrays are contiguous.
///
/// Forward scores (alpha) and backward scores (beta) are relative to the best tag of their element, so that they stay
/// small in long sequences.
///
/// # Shapes
/// - first: `[batch, tags]`
/// - pair: `[batch, steps, tags, tags]`
/// - end: `[tags]`
/// - gold: `[batch, steps]`, the tags
/// - lengths: `[batch]`
/// - alpha: `[batch, steps, tags]`, scratch memory
/// - loss: `[batch]`
/// - d_first, d_pair, d_end: `[batch, tags]`, `[batch, steps, tags, tags]` (zero at step 0 and at padding), `[batch, tags]`
#[cube(launch)]
pub(super) fn forward_backward(
    first: &[f32],
    pair: &[f32],
    end: &[f32],
    gold: &[i32],
    lengths: &[i32],
    alpha: &mut [f32],
    loss: &mut [f32],
    d_first: &mut [f32],
    d_pair: &mut [f32],
    d_end: &mut [f32],
    steps: usize,
    #[comptime] tags: usize,
) {
    let tag = UNIT_POS_X as usize;
    let sequence = CUBE_POS_X as usize;
    let n = usize::cast_from(lengths[sequence]);
    let row = sequence * steps;

    let mut now = Shared::<[f32]>::new_slice(tags);
    let mut next = Shared::<[f32]>::new_slice(tags);
    next[tag] = first[sequence * tags + tag];
    sync_cube();
    let best = largest(&next, tags);
    // The log-partition minus the gold score, accumulated step by step so that it stays small.
    let mut surplus = best - next[usize::cast_from(gold[row])];
    let mut own = next[tag] - best;
    now[tag] = own;
    alpha[row * tags + tag] = own;
    sync_cube();
    for t in 1..steps {
        if t < n {
            let column = (row + t) * tags * tags + tag;
            let mut max = now[0] + pair[column];
            for from in 1..tags {
                max = f32::max(max, now[from] + pair[column + from * tags]);
            }
            let mut sum = f32::new(0.0);
            for from in 0..tags {
                sum += f32::exp(now[from] + pair[column + from * tags] - max);
            }
            next[tag] = max + f32::ln(sum);
        }
        sync_cube();
        if t < n {
            let best = largest(&next, tags);
            let from = usize::cast_from(gold[row + t - 1]);
            let to = usize::cast_from(gold[row + t]);
            surplus += best - pair[((row + t) * tags + from) * tags + to];
            own = next[tag] - best;
            now[tag] = own;
            alpha[(row + t) * tags + tag] = own;
        }
        sync_cube();
    }

    // After the last element: from here on `next` holds beta, and `now` holds alpha of the current element.
    next[tag] = end[tag];
    sync_cube();
    let total = log_sum_exp(&now, &next, tags);
    let last = usize::cast_from(gold[row + n - 1]);
    d_end[sequence * tags + tag] = f32::exp(own + next[tag] - total) - hit(last, tag);
    if tag == 0 {
        loss[sequence] = surplus + total - end[last];
    }
    let mut beta = Shared::<[f32]>::new_slice(tags);
    sync_cube();
    beta[tag] = next[tag] - largest(&next, tags);
    for step in 1..steps {
        let t = steps - step;
        let line = ((row + t) * tags + tag) * tags;
        sync_cube();
        if t < n {
            let mut max = pair[line] + beta[0];
            for to in 1..tags {
                max = f32::max(max, pair[line + to] + beta[to]);
            }
            let mut sum = f32::new(0.0);
            for to in 0..tags {
                sum += f32::exp(pair[line + to] + beta[to] - max);
            }
            next[tag] = max + f32::ln(sum);
            own = alpha[(row + t - 1) * tags + tag];
            now[tag] = own;
        }
        sync_cube();
        let mut earlier = f32::new(0.0);
        if t < n {
            let total = log_sum_exp(&now, &next, tags);
            let is_from = hit(usize::cast_from(gold[row + t - 1]), tag);
            let to_gold = usize::cast_from(gold[row + t]);
            for to in 0..tags {
                let probability = f32::exp(own + pair[line + to] + beta[to] - total);
                d_pair[line + to] = probability - is_from * hit(to_gold, to);
            }
            earlier = next[tag] - largest(&next, tags);
        } else {
            for to in 0..tags {
                d_pair[line + to] = f32::new(0.0);
            }
        }
        sync_cube();
        if t < n {
            beta[tag] = earlier;
        }
    }
    sync_cube();
    for to in 0..tags {
        d_pair[(row * tags + tag) * tags + to] = f32::new(0.0);
    }
    // `now` holds alpha of the first element again.
    let total = log_sum_exp(&now, &beta, tags);
    let head = usize::cast_from(gold[row]);
    d_first[sequence * tags + tag] = f32::exp(own + beta[tag] - total) - hit(head, tag);
}

/// The largest of the tags' scores.
#[cube]
fn largest(scores: &[f32], #[comptime] tags: usize) -> f32 {
    let mut max = scores[0];
    for tag in 1..tags {
        max = f32::max(max, scores[tag]);
    }
    max
}

/// `log sum exp(a + b)` over the tags.
#[cube]
fn log_sum_exp(a: &[f32], b: &[f32], #[comptime] tags: usize) -> f32 {
    let mut max = a[0] + b[0];
    for tag in 1..tags {
        max = f32::max(max, a[tag] + b[tag]);
    }
    let mut sum = f32::new(0.0);
    for tag in 0..tags {
        sum += f32::exp(a[tag] + b[tag] - max);
    }
    max + f32::ln(sum)
}

/// 1 if the tags are equal, else 0.
#[cube]
fn hit(gold: usize, tag: usize) -> f32 {
    select(gold == tag, f32::new(1.0), f32::new(0.0))
}
