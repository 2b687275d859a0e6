//! The order in which the elements of a ragged batch are encoded.

use std::ops::Range;

/// Most sequences per group: enough to fill the tiles of the products, few enough to fit the cache and to give every
/// core several groups of a large batch.
const GROUP: usize = 24;

/// The sequences of a batch in groups, stably sorted from longest to shortest. The plan depends on the lengths alone,
/// so results do not depend on the number of threads.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Length of the padded sequences.
    pub steps: usize,
    /// Elements of the batch.
    pub n_elements: usize,
    /// Groups of sequences.
    pub groups: Vec<Group>,
}

/// Sequences that are encoded together, from longest to shortest. Internal buffers hold a row per element, without
/// padding.
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
    /// Its index in the batch.
    pub index: usize,
    /// Its first element in the buffers of the group.
    pub start: usize,
    /// Number of its elements.
    pub length: usize,
}

impl Plan {
    /// The plan of a padded batch.
    pub fn new(lengths: &[usize], steps: usize) -> Self {
        let mut order: Vec<usize> = (0..lengths.len()).collect();
        order.sort_by_key(|&index| std::cmp::Reverse(lengths[index]));
        let n_groups = order.len().div_ceil(GROUP).max(1);
        let mut groups = Vec::with_capacity(n_groups);
        let mut start = 0;
        for members in order.chunks(order.len().div_ceil(n_groups).max(1)) {
            let mut n_elements = 0;
            let sequences = members.iter().map(|&index| {
                let sequence = Sequence { index, start: n_elements, length: lengths[index] };
                n_elements += sequence.length;
                sequence
            });
            let sequences = sequences.collect();
            groups.push(Group { start, n_elements, sequences });
            start += n_elements;
        }
        Self { steps, n_elements: start, groups }
    }

    /// The rows of each sequence in the buffers, in the order of the batch.
    pub fn sequences(&self) -> Vec<Range<usize>> {
        let mut rows = vec![0..0; self.groups.iter().map(|group| group.sequences.len()).sum()];
        for group in &self.groups {
            for sequence in &group.sequences {
                let first = group.start + sequence.start;
                rows[sequence.index] = first..first + sequence.length;
            }
        }
        rows
    }

    /// The row in the padded batch of each element of the buffers.
    pub fn padded_rows(&self) -> Vec<usize> {
        self.groups.iter().flat_map(|group| group.padded_rows(self.steps)).collect()
    }
}

impl Group {
    /// The row in the padded batch of each element of the group.
    pub fn padded_rows(&self, steps: usize) -> impl Iterator<Item = usize> {
        let rows = move |s: &Sequence| s.index * steps..s.index * steps + s.length;
        self.sequences.iter().flat_map(rows)
    }

    /// Number of sequences that have an element `t`; these come first.
    pub fn n_live(&self, t: usize) -> usize {
        self.sequences.partition_point(|sequence| sequence.length > t)
    }

    /// The length of the longest sequence.
    pub fn n_steps(&self) -> usize {
        self.sequences.first().map_or(0, |sequence| sequence.length)
    }
}

/// A direction of the BiLSTM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// From the first element to the last.
    Forward,
    /// From the last element to the first.
    Backward,
}

/// One step of the recurrence: an element of each live sequence.
#[derive(Debug, Default)]
pub(super) struct Step {
    /// The elements, as rows of the group's buffers, in the order of the sequences.
    pub rows: Vec<usize>,
    /// The previous element of each sequence that has one; these come first. The other sequences start at this step.
    pub previous: Vec<usize>,
}

impl Direction {
    /// Both directions, in the order of the weights.
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

    /// Each element with a predecessor in this direction, and the predecessor, as rows of the buffers of the batch.
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
    fn every_element_has_one_step_after_that_of_its_predecessor() {
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
    fn sequences_are_stably_sorted_from_longest_to_shortest() {
        let plan = Plan::new(&[2, 5, 2, 5, 1], 5);
        let order: Vec<usize> = plan.groups.iter().flat_map(|g| &g.sequences).map(|s| s.index).collect();
        assert_eq!(order, [1, 3, 0, 2, 4]);
        assert_eq!((plan.groups[0].n_steps(), plan.groups[0].n_live(1), plan.groups[0].n_live(4)), (5, 4, 2));
        assert_eq!(Plan::new(&[3; 50], 3).groups.iter().map(|g| g.sequences.len()).collect::<Vec<_>>(), [17, 17, 16]);
    }
}
