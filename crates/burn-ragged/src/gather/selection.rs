//! Chosen elements of every sequence of a batch.

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::gather;
use crate::ragged::{Layout, Ragged};

/// Some elements of each sequence, as a batch of their own.
#[derive(Clone, Debug)]
pub struct Selection {
    /// How many of each sequence.
    layout: Layout,
    /// Their rows in the padded batch. `[sequences * longest]`
    rows: Tensor<1, Int>,
}

impl Selection {
    /// `elements[b]` are the chosen elements of sequence `b` of a batch in this layout, at least one.
    ///
    /// # Panics
    /// If a sequence has no chosen element.
    pub fn new(elements: &[Vec<usize>], layout: &Layout, device: &Device) -> Self {
        let steps = layout.steps();
        let layout = Layout::new(elements.iter().map(Vec::len).collect());
        // The places of padding are filled with element 0. Nothing reads them.
        let of_sequence = |(b, elements): (usize, &Vec<usize>)| {
            let chosen = elements.iter().copied().chain(std::iter::repeat(0)).take(layout.steps());
            chosen.map(|t| (b * steps + t) as i64).collect::<Vec<_>>()
        };
        let rows: Vec<i64> = elements.iter().enumerate().flat_map(of_sequence).collect();
        let n = rows.len();
        Self { rows: Tensor::from_data(TensorData::new(rows, [n]), device), layout }
    }

    /// The vectors of the chosen elements.
    pub fn of(&self, x: Ragged) -> Ragged {
        let (batch, width) = (x.layout().batch_size(), x.width());
        let rows = gather(x.into_rows(), self.rows.clone());
        Ragged::new(rows.reshape([batch, self.layout.steps(), width]), self.layout.clone())
    }
}
