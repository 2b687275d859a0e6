//! Batches of sequences of unequal length: where each sequence lies in a padded tensor, and the tensor itself.

use std::{
    ops::Add,
    sync::{Arc, OnceLock},
};

use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};

/// The score of what must not happen. It is finite, so that sums and differences of it are not NaN on any backend, and
/// so low that its exponential is exactly zero beside any real score.
pub const FORBIDDEN: f32 = -1e30;

/// Where the sequences of a padded batch lie: sequence `b` takes the first `lengths[b]` of its `steps` places.
///
/// A layout is made once per batch. Cloning it is cheap.
#[derive(Clone, Debug)]
pub struct Layout(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    lengths: Vec<usize>,
    steps: usize,
    n_elements: usize,
    /// The mask on the device that asked for it first.
    mask_pad: OnceLock<Tensor<2, Bool>>,
}

impl Layout {
    /// Sequences of these lengths, padded to the longest.
    ///
    /// # Panics
    /// If there is no sequence, or a sequence has no element.
    pub fn new(lengths: Vec<usize>) -> Self {
        let steps = lengths.iter().copied().max().unwrap_or(0);
        Self::with_steps(lengths, steps)
    }

    /// Sequences of these lengths, padded to `steps` places.
    ///
    /// # Panics
    /// If there is no sequence, or a length is 0 or more than `steps`.
    pub fn with_steps(lengths: Vec<usize>, steps: usize) -> Self {
        assert!(!lengths.is_empty(), "a batch has at least one sequence");
        assert!(lengths.iter().all(|n| (1..=steps).contains(n)), "lengths {lengths:?} within 1..={steps}");
        let n_elements = lengths.iter().sum();
        Self(Arc::new(Inner { lengths, steps, n_elements, mask_pad: OnceLock::new() }))
    }

    /// Number of elements of each sequence.
    pub fn lengths(&self) -> &[usize] {
        &self.0.lengths
    }

    /// Places of each sequence, padding included.
    pub fn steps(&self) -> usize {
        self.0.steps
    }

    /// Number of sequences.
    pub fn batch_size(&self) -> usize {
        self.0.lengths.len()
    }

    /// Number of elements of all sequences together.
    pub fn n_elements(&self) -> usize {
        self.0.n_elements
    }

    /// For each element, sequence after sequence, its row in the padded batch `[batch * steps]`.
    pub fn rows(&self) -> impl Iterator<Item = usize> {
        let steps = self.steps();
        self.lengths().iter().enumerate().flat_map(move |(b, n)| b * steps..b * steps + n)
    }

    /// True where a place is padding. `[batch, steps]`
    pub fn mask_pad(&self, device: &Device) -> Tensor<2, Bool> {
        let make = || {
            let mask: Vec<bool> = self.lengths().iter().flat_map(|&n| (0..self.steps()).map(move |t| t >= n)).collect();
            Tensor::from_data(TensorData::new(mask, [self.batch_size(), self.steps()]), device)
        };
        let mask = self.0.mask_pad.get_or_init(make);
        if mask.device() == *device { mask.clone() } else { make() }
    }

    /// Ids of each sequence, padded with 0. `[batch, steps]`
    ///
    /// # Panics
    /// If there is not one id per element.
    pub fn pad<'a>(&self, ids: impl IntoIterator<Item = &'a [u32]>, device: &Device) -> Tensor<2, Int> {
        let mut padded: Vec<i64> = Vec::with_capacity(self.batch_size() * self.steps());
        let mut n_sequences = 0;
        for (ids, &n) in ids.into_iter().zip(self.lengths()) {
            assert_eq!(ids.len(), n, "one id per element of sequence {n_sequences}");
            n_sequences += 1;
            padded.extend(ids.iter().map(|&id| i64::from(id)));
            padded.resize(n_sequences * self.steps(), 0);
        }
        assert_eq!(n_sequences, self.batch_size(), "ids for every sequence");
        Tensor::from_data(TensorData::new(padded, [self.batch_size(), self.steps()]), device)
    }
}

impl PartialEq for Layout {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || (self.0.steps == other.0.steps && self.0.lengths == other.0.lengths)
    }
}

impl Eq for Layout {}

/// A padded batch of sequences with its layout. The two cannot disagree.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use burn_ragged::{Layout, Ragged};
///
/// let device = Device::flex();
/// let layout = Layout::new(vec![3, 1]); // two sequences, padded to 3 places
/// let x = Ragged::new(Tensor::ones([2, 3, 4], &device), layout);
/// assert_eq!((x.width(), x.layout().n_elements()), (4, 4));
/// ```
#[derive(Clone, Debug)]
pub struct Ragged {
    values: Tensor<3>,
    layout: Layout,
}

impl Ragged {
    /// The batch `values` of these sequences.
    ///
    /// # Shapes
    /// - values: `[batch, steps, width]`
    ///
    /// # Panics
    /// If the layout is that of another batch size or number of steps.
    pub fn new(values: Tensor<3>, layout: Layout) -> Self {
        let [batch, steps, _] = values.dims();
        assert_eq!([batch, steps], [layout.batch_size(), layout.steps()], "the layout of this batch");
        Self { values, layout }
    }

    /// The padded tensor `[batch, steps, width]`.
    pub fn values(&self) -> &Tensor<3> {
        &self.values
    }

    /// The padded tensor `[batch, steps, width]`.
    pub fn into_values(self) -> Tensor<3> {
        self.values
    }

    /// The layout.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Width of an element.
    pub fn width(&self) -> usize {
        self.values.dims()[2]
    }

    /// The device of the tensor.
    pub fn device(&self) -> Device {
        self.values.device()
    }

    /// The type of the tensor.
    pub fn dtype(&self) -> DType {
        self.values.dtype()
    }

    /// The same sequences with other values.
    ///
    /// # Panics
    /// If `f` changes the batch size or the number of steps.
    pub fn map(self, f: impl FnOnce(Tensor<3>) -> Tensor<3>) -> Self {
        Self::new(f(self.values), self.layout)
    }

    /// Batches of the same sequences, concatenated element by element.
    ///
    /// # Shapes
    /// - parts: `[batch, steps, width_i]`
    /// - output: `[batch, steps, sum of width_i]`
    ///
    /// # Panics
    /// If there is no part, or their layouts differ.
    pub fn cat(parts: Vec<Self>) -> Self {
        let layout = parts.first().expect("at least one part").layout.clone();
        assert!(parts.iter().all(|part| part.layout == layout), "batches of the same sequences");
        Self::new(Tensor::cat(parts.into_iter().map(Self::into_values).collect(), 2), layout)
    }

    /// The same batch with zeros at padding.
    pub fn zero_padding(self) -> Self {
        let mask = self.layout.mask_pad(&self.values.device());
        self.map(|x| {
            let shape = x.dims();
            x.mask_fill(mask.unsqueeze_dim::<3>(2).expand(shape), 0.0)
        })
    }

    /// All places as the rows of a matrix. `[batch * steps, width]`
    pub fn into_rows(self) -> Tensor<2> {
        let [batch, steps, width] = self.values.dims();
        self.values.reshape([batch * steps, width])
    }
}

/// The sum of two batches of the same sequences.
///
/// # Panics
/// If their layouts or widths differ.
impl Add for Ragged {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        assert_eq!(self.layout, other.layout, "batches of the same sequences");
        Self { values: self.values + other.values, layout: self.layout }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_marks_the_places_after_each_sequence() {
        let layout = Layout::with_steps(vec![2, 1], 3);
        let mask: Vec<bool> = layout.mask_pad(&Device::default()).into_data().iter::<bool>().collect();
        assert_eq!(mask, [false, false, true, false, true, true]);
        assert_eq!(layout.rows().collect::<Vec<_>>(), [0, 1, 3]);
    }

    #[test]
    fn a_mask_of_another_device_is_not_taken_for_this_one() {
        let layout = Layout::new(vec![1]);
        let plain = Device::default();
        for device in [plain.clone(), plain.clone().autodiff(), plain] {
            assert_eq!(layout.mask_pad(&device).device(), device);
        }
    }

    #[test]
    #[should_panic(expected = "the layout of this batch")]
    fn a_layout_of_another_batch_is_refused() {
        Ragged::new(Tensor::zeros([2, 4, 1], &Device::default()), Layout::new(vec![3, 1]));
    }

    #[test]
    #[should_panic(expected = "within 1..=3")]
    fn an_empty_sequence_is_refused() {
        Layout::new(vec![3, 0]);
    }

    #[test]
    #[should_panic(expected = "batches of the same sequences")]
    fn batches_of_other_sequences_are_not_added() {
        let x = |lengths| Ragged::new(Tensor::zeros([2, 3, 1], &Device::default()), Layout::new(lengths));
        let _ = x(vec![3, 1]) + x(vec![3, 2]);
    }

    #[test]
    #[should_panic(expected = "one id per element of sequence 1")]
    fn ids_of_another_length_are_refused() {
        Layout::new(vec![2, 2]).pad([&[1, 2][..], &[1]], &Device::default());
    }
}
