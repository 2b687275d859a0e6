//! The CRF of one sequence on the CPU: Viterbi decoding, partition function and marginals by dynamic programming.

use std::ops::Range;

/// Log-potentials of one sequence, in double precision. See [`Potentials`](super::Potentials).
#[derive(Clone, Debug)]
pub struct Lattice {
    n_tags: usize,
    /// `[tags]`
    first: Vec<f64>,
    /// `[elements, from, to]`, element 0 unused
    pair: Vec<f64>,
    /// `[tags]`
    end: Vec<f64>,
}

/// A sequence of tags up to an element, which goes on from the path `rank` of the tag `from` at the element before.
#[derive(Clone, Copy)]
struct Path {
    score: f64,
    from: usize,
    rank: usize,
}

/// Forward and backward scores of a [`Lattice`], which give all its probabilities.
#[derive(Clone, Debug)]
pub struct Marginals<'a> {
    lattice: &'a Lattice,
    alpha: Vec<f64>,
    beta: Vec<f64>,
    log_partition: f64,
}

impl Lattice {
    /// A sequence of `pair.len() / tags²` elements.
    ///
    /// # Panics
    /// If the sizes do not fit each other.
    pub fn new(first: &[f64], pair: &[f64], end: &[f64]) -> Self {
        let n_tags = end.len();
        assert!(first.len() == n_tags && !pair.is_empty() && pair.len().is_multiple_of(n_tags * n_tags));
        Self { n_tags, first: first.to_vec(), pair: pair.to_vec(), end: end.to_vec() }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.pair.len() / (self.n_tags * self.n_tags)
    }

    /// Always false: a sequence has at least one element.
    pub fn is_empty(&self) -> bool {
        self.pair.is_empty()
    }

    fn pair(&self, t: usize, from: usize, to: usize) -> f64 {
        self.pair[(t * self.n_tags + from) * self.n_tags + to]
    }

    /// The score of a sequence of tags.
    pub fn score(&self, tags: &[u32]) -> f64 {
        let steps = (1..tags.len()).map(|t| self.pair(t, tags[t - 1] as usize, tags[t] as usize));
        self.first[tags[0] as usize] + steps.sum::<f64>() + self.end[tags[tags.len() - 1] as usize]
    }

    /// The best sequence of tags. Of equally good sequences, the one with the lowest tag at the last element where they
    /// differ.
    pub fn viterbi(&self) -> Vec<u32> {
        let (n, k) = (self.len(), self.n_tags);
        let mut delta = self.first.clone();
        let mut back = vec![0u32; n * k];
        for t in 1..n {
            let mut next = vec![f64::NEG_INFINITY; k];
            for to in 0..k {
                for (from, earlier) in delta.iter().enumerate() {
                    let score = earlier + self.pair(t, from, to);
                    if score > next[to] {
                        next[to] = score;
                        back[t * k + to] = from as u32;
                    }
                }
            }
            delta = next;
        }
        let total = |tag: usize| delta[tag] + self.end[tag];
        let mut tag = (1..k).fold(0, |best, tag| if total(tag) > total(best) { tag } else { best }) as u32;
        let mut tags = vec![tag; n];
        for t in (1..n).rev() {
            tag = back[t * k + tag as usize];
            tags[t - 1] = tag;
        }
        tags
    }

    /// The `n` best sequences of tags, from the best on; fewer if there are not so many. The first is that of
    /// [`viterbi`](Self::viterbi).
    pub fn n_best(&self, n: usize) -> Vec<Vec<u32>> {
        let k = self.n_tags;
        let best = |mut paths: Vec<Path>| {
            // Stable: of equal scores, the lowest tag before.
            paths.sort_by(|a, b| b.score.total_cmp(&a.score));
            paths.truncate(n);
            paths
        };
        let first = |tag| vec![Path { score: self.first[tag], from: 0, rank: 0 }];
        // `[elements, tags]`: the best paths that end with a tag.
        let mut paths: Vec<Vec<Path>> = (0..k).map(first).collect();
        for t in 1..self.len() {
            for to in 0..k {
                let extended = (0..k).flat_map(|from| {
                    let step = self.pair(t, from, to);
                    let of_tag = paths[(t - 1) * k + from].iter().enumerate();
                    of_tag.map(move |(rank, path)| Path { score: path.score + step, from, rank })
                });
                let extended = best(extended.collect());
                paths.push(extended);
            }
        }
        let last = self.len() - 1;
        let ends = (0..k).flat_map(|from| {
            let of_tag = paths[last * k + from].iter().enumerate();
            of_tag.map(move |(rank, path)| Path { score: path.score + self.end[from], from, rank })
        });
        let tags = |mut end: Path| {
            let mut tags = vec![0; self.len()];
            for t in (0..self.len()).rev() {
                tags[t] = end.from as u32;
                end = paths[t * k + end.from][end.rank];
            }
            tags
        };
        let possible = |path: &Path| path.score > f64::NEG_INFINITY;
        best(ends.collect()).into_iter().filter(possible).map(tags).collect()
    }

    /// Runs the forward and backward recursions.
    pub fn marginals(&self) -> Marginals<'_> {
        let (n, k) = (self.len(), self.n_tags);
        let mut alpha = self.first.clone();
        alpha.resize(n * k, 0.0);
        for t in 1..n {
            for to in 0..k {
                alpha[t * k + to] = log_sum_exp((0..k).map(|from| alpha[(t - 1) * k + from] + self.pair(t, from, to)));
            }
        }
        let mut beta = vec![0.0; n * k];
        beta[(n - 1) * k..].copy_from_slice(&self.end);
        for t in (1..n).rev() {
            for from in 0..k {
                beta[(t - 1) * k + from] = log_sum_exp((0..k).map(|to| self.pair(t, from, to) + beta[t * k + to]));
            }
        }
        let log_partition = log_sum_exp((0..k).map(|tag| alpha[(n - 1) * k + tag] + self.end[tag]));
        Marginals { lattice: self, alpha, beta, log_partition }
    }
}

impl Marginals<'_> {
    /// `log sum_y exp(score(y))`.
    pub fn log_partition(&self) -> f64 {
        self.log_partition
    }

    /// Probability that element `t` has this tag.
    pub fn tag(&self, t: usize, tag: u32) -> f64 {
        let at = t * self.lattice.n_tags + tag as usize;
        (self.alpha[at] + self.beta[at] - self.log_partition).exp()
    }

    /// Probability that elements `t - 1` and `t` have these tags.
    pub fn pair(&self, t: usize, from: u32, to: u32) -> f64 {
        let k = self.lattice.n_tags;
        let (from, to) = (from as usize, to as usize);
        let score = self.alpha[(t - 1) * k + from] + self.lattice.pair(t, from, to) + self.beta[t * k + to];
        (score - self.log_partition).exp()
    }

    /// Probability that the elements `span` have exactly these tags and that the next element, if there is one, does
    /// not have the tag `continuation`.
    ///
    /// # Panics
    /// If there is not one tag per element of the span, or the span ends outside of the sequence.
    pub fn span(&self, span: Range<usize>, tags: &[u32], continuation: u32) -> f64 {
        let (lattice, k) = (self.lattice, self.lattice.n_tags);
        assert!(span.len() == tags.len() && !tags.is_empty() && span.end <= lattice.len());
        let mut score = self.alpha[span.start * k + tags[0] as usize];
        for (t, pair) in (span.start + 1..span.end).zip(tags.windows(2)) {
            score += lattice.pair(t, pair[0] as usize, pair[1] as usize);
        }
        let last = tags[tags.len() - 1] as usize;
        score += if span.end == lattice.len() {
            lattice.end[last]
        } else {
            let next = (0..k).filter(|&tag| tag as u32 != continuation);
            log_sum_exp(next.map(|tag| lattice.pair(span.end, last, tag) + self.beta[span.end * k + tag]))
        };
        (score - self.log_partition).exp().clamp(0.0, 1.0)
    }
}

fn log_sum_exp(scores: impl Iterator<Item = f64> + Clone) -> f64 {
    let max = scores.clone().fold(f64::NEG_INFINITY, f64::max);
    if max == f64::NEG_INFINITY {
        return max;
    }
    max + scores.map(|score| (score - max).exp()).sum::<f64>().ln()
}
