//! In which order the elements of a ragged batch are encoded.

use std::ops::Range;

/// Sequences that are encoded together, at most: enough to fill the tiles of the products, few enough that what they
/// need stays in the cache and that a large batch gives every core some groups.
const GROUP: usize = 24;

/// The sequences of a batch from the longest to the shortest, in groups; those of equal length in their own order. It
/// depends on the lengths alone, so that results do not depend on the number of threads.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Places of each sequence in the padded batch.
    pub steps: usize,
    /// Elements of the batch.
    pub n_elements: usize,
    /// Groups of sequences.
    pub groups: Vec<Group>,
}

/// Sequences that are encoded together, from the longest to the shortest. Their elements follow each other in the rows
/// of internal buffers without any padding.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// The group's first element in the buffers of the batch.
    pub start: usize,
    /// Elements of the group.
    pub n_elements: usize,
    /// Its sequences.
    pub sequences: Vec<Sequence>,
}

/// A sequence of a [`Group`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Sequence {
    /// Its place in the batch.
    pub place: usize,
    /// Its first element in the buffers of the group.
    pub start: usize,
    /// Its elements.
    pub length: usize,
}

impl Plan {
    /// The plan of a padded batch.
    pub fn new(lengths: &[usize], steps: usize) -> Self {
        let mut order: Vec<usize> = (0..lengths.len()).collect();
        order.sort_by_key(|&place| std::cmp::Reverse(lengths[place]));
        let n_groups = order.len().div_ceil(GROUP).max(1);
        let mut groups = Vec::with_capacity(n_groups);
        let mut start = 0;
        for places in order.chunks(order.len().div_ceil(n_groups).max(1)) {
            let mut n_elements = 0;
            let sequences = places.iter().map(|&place| {
                let sequence = Sequence { place, start: n_elements, length: lengths[place] };
                n_elements += sequence.length;
                sequence
            });
            let sequences = sequences.collect();
            groups.push(Group { start, n_elements, sequences });
            start += n_elements;
        }
        Self { steps, n_elements: start, groups }
    }

    /// For each sequence of the padded batch its rows in the buffers.
    pub fn sequences(&self) -> Vec<Range<usize>> {
        let mut rows = vec![0..0; self.groups.iter().map(|group| group.sequences.len()).sum()];
        for group in &self.groups {
            for sequence in &group.sequences {
                let first = group.start + sequence.start;
                rows[sequence.place] = first..first + sequence.length;
            }
        }
        rows
    }

    /// For each element of the buffers its row in the padded batch.
    pub fn padded_rows(&self) -> Vec<usize> {
        self.groups.iter().flat_map(|group| group.padded_rows(self.steps)).collect()
    }
}

impl Group {
    /// For each element of the group its row in the padded batch.
    pub fn padded_rows(&self, steps: usize) -> impl Iterator<Item = usize> {
        let rows = move |s: &Sequence| s.place * steps..s.place * steps + s.length;
        self.sequences.iter().flat_map(rows)
    }

    /// How many sequences, the first ones, have an element `t`.
    pub fn n_live(&self, t: usize) -> usize {
        self.sequences.partition_point(|sequence| sequence.length > t)
    }

    /// The length of the longest sequence.
    pub fn n_steps(&self) -> usize {
        self.sequences.first().map_or(0, |sequence| sequence.length)
    }
}

/// The way that one direction of the BiLSTM takes through a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// From the first element to the last.
    Forward,
    /// From the last element to the first.
    Backward,
}

/// What is computed at one time: an element of each live sequence.
#[derive(Debug, Default)]
pub(super) struct Step {
    /// The elements, as rows of the group's buffers; those of the first sequences.
    pub rows: Vec<usize>,
    /// The elements from which the state comes, for as many sequences as have one; the others begin here.
    pub previous: Vec<usize>,
}

impl Direction {
    /// Both, in the order of the weights.
    pub const BOTH: [Self; 2] = [Self::Forward, Self::Backward];

    /// Index of its weights.
    pub fn index(self) -> usize {
        match self {
            Self::Forward => 0,
            Self::Backward => 1,
        }
    }

    /// The time of step `i` of `n`.
    pub fn time(self, i: usize, n: usize) -> usize {
        match self {
            Self::Forward => i,
            Self::Backward => n - 1 - i,
        }
    }

    /// Sets `step` to that of time `t`.
    pub fn step(self, group: &Group, t: usize, step: &mut Step) {
        step.rows.clear();
        step.rows.extend(group.sequences[..group.n_live(t)].iter().map(|s| s.start + t));
        step.previous.clear();
        match self {
            Self::Forward if t == 0 => {}
            Self::Forward => step.previous.extend(step.rows.iter().map(|row| row - 1)),
            Self::Backward => step.previous.extend(step.rows[..group.n_live(t + 1)].iter().map(|row| row + 1)),
        }
    }

    /// Each element that has one before it in this direction, and that one, as rows of the buffers of the batch.
    pub fn transitions(self, plan: &Plan) -> (Vec<usize>, Vec<usize>) {
        let (mut rows, mut previous) = (Vec::with_capacity(plan.n_elements), Vec::with_capacity(plan.n_elements));
        for group in &plan.groups {
            for sequence in &group.sequences {
                let first = group.start + sequence.start;
                let (earlier, later) = (first..first + sequence.length - 1, first + 1..first + sequence.length);
                match self {
                    Self::Forward => (rows.extend(later), previous.extend(earlier)),
                    Self::Backward => (rows.extend(earlier), previous.extend(later)),
                };
            }
        }
        (rows, previous)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_has_its_step_and_comes_behind_the_one_before_it() {
        let lengths: Vec<usize> = (0..60).map(|i| 1 + i * 7 % 13).collect();
        let plan = Plan::new(&lengths, 15);
        assert_eq!(plan.n_elements, lengths.iter().sum::<usize>());
        let padded = plan.padded_rows();
        let mut seen: Vec<usize> = padded.clone();
        seen.sort_unstable();
        let expected: Vec<usize> =
            lengths.iter().enumerate().flat_map(|(b, &n)| (0..n).map(move |t| b * 15 + t)).collect();
        assert_eq!(seen, expected);
        for direction in Direction::BOTH {
            let mut transitions = Vec::new();
            for group in &plan.groups {
                let mut done = vec![false; group.n_elements];
                let mut step = Step::default();
                for i in 0..group.n_steps() {
                    direction.step(group, direction.time(i, group.n_steps()), &mut step);
                    for (slot, &row) in step.rows.iter().enumerate() {
                        let sequence = group.sequences[slot];
                        assert!((sequence.start..sequence.start + sequence.length).contains(&row));
                        let first = match direction {
                            Direction::Forward => sequence.start,
                            Direction::Backward => sequence.start + sequence.length - 1,
                        };
                        assert_eq!(slot >= step.previous.len(), row == first);
                        if let Some(&previous) = step.previous.get(slot) {
                            assert!(done[previous] && row.abs_diff(previous) == 1);
                            transitions.push((group.start + row, group.start + previous));
                        }
                        assert!(!std::mem::replace(&mut done[row], true));
                    }
                }
                assert!(done.into_iter().all(|done| done));
            }
            transitions.sort_unstable();
            let (rows, previous) = direction.transitions(&plan);
            let mut listed: Vec<(usize, usize)> = rows.into_iter().zip(previous).collect();
            listed.sort_unstable();
            assert_eq!(listed, transitions);
        }
    }

    #[test]
    fn the_longest_come_first_and_equal_ones_keep_their_order() {
        let plan = Plan::new(&[2, 5, 2, 5, 1], 5);
        let places: Vec<usize> = plan.groups.iter().flat_map(|g| &g.sequences).map(|s| s.place).collect();
        assert_eq!(places, [1, 3, 0, 2, 4]);
        assert_eq!((plan.groups[0].n_steps(), plan.groups[0].n_live(1), plan.groups[0].n_live(4)), (5, 4, 2));
        assert_eq!(Plan::new(&[3; 50], 3).groups.iter().map(|g| g.sequences.len()).collect::<Vec<_>>(), [17, 17, 16]);
    }
}
