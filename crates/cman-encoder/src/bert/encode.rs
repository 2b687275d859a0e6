//! Word vectors from a BERT: for training, with gradients, or on the host.

use burn::tensor::{Int, Tensor, TensorData};
use burn_ragged::{Mode, gather::gather, is_cpu, parallel::for_each};

use super::{Bert, Pieces, window_batch::WindowBatch};
use crate::{contextual::ContextualEncoder, error::EncoderError};

/// Largest number of pieces per batch in [`Bert::encode`], unless a single sentence has more.
const PIECES_PER_BATCH: usize = 2048;

impl Bert {
    /// Word vectors of every layer for a batch.
    ///
    /// # Shapes
    /// - output: `[batch, steps, layers, width]`, the embeddings first; zero at padding
    ///
    /// # Panics
    /// If there is no sentence, or a sentence has no words.
    pub fn forward(&self, sentences: &[&Pieces], mode: Mode) -> Tensor<4> {
        let windows = self.window_batch(sentences);
        let vectors = self.word_vectors(&windows, mode); // [words, layers, width]
        let (device, [_, layers, width]) = (vectors.device(), vectors.dims());
        let (batch, steps) = (windows.sentences.batch_size(), windows.sentences.steps());
        let mut words = vec![0i64; batch * steps];
        for (word, row) in windows.sentences.rows().enumerate() {
            words[row] = word as i64;
        }
        let words = Tensor::<1, Int>::from_data(TensorData::new(words, [batch * steps]), &device);
        let mask = windows.sentences.mask_pad(&device).reshape([batch, steps, 1, 1]);
        let vectors = vectors.reshape([-1, (layers * width) as i64]);
        let padded = gather(vectors, words).reshape([batch, steps, layers, width]);
        padded.mask_fill(mask.expand([batch, steps, layers, width]), 0.0)
    }

    /// Word vectors of every layer, per sentence: `[words, layers, width]` in row-major order, the embeddings first.
    ///
    /// # Errors
    /// Those of [`cut`](Self::cut).
    ///
    /// # Panics
    /// If a sentence has no words.
    pub fn encode<S: AsRef<str>>(&self, sentences: &[Vec<S>]) -> Result<Vec<Vec<f32>>, EncoderError> {
        let cut = |words: &Vec<S>| self.cut(&words.iter().map(AsRef::as_ref).collect::<Vec<_>>());
        let pieces: Vec<Pieces> = sentences.iter().map(cut).collect::<Result<_, _>>()?;
        // Batches of similar lengths need less padding.
        let mut order: Vec<usize> = (0..pieces.len()).collect();
        order.sort_by_key(|&i| pieces[i].ids.len());
        let mut batches = Vec::new();
        let mut rest = order.as_slice();
        while !rest.is_empty() {
            let mut total = 0;
            let fits = |i: &&usize| {
                total += pieces[**i].ids.len();
                total <= PIECES_PER_BATCH
            };
            let (batch, others) = rest.split_at(rest.iter().take_while(fits).count().max(1));
            batches.push((batch, Vec::new()));
            rest = others;
        }
        let is_parallel = is_cpu(&self.network.words.device());
        for_each(is_parallel, batches.iter_mut().collect(), |(batch, values): &mut (&[usize], Vec<f32>)| {
            let members: Vec<&Pieces> = batch.iter().map(|&i| &pieces[i]).collect();
            let vectors = self.word_vectors(&self.window_batch(&members), Mode::Evaluate);
            *values = vectors.try_into_vec_as().expect("f32 values from the device");
        });
        let mut vectors = vec![Vec::new(); pieces.len()];
        for (batch, values) in batches {
            let mut values = values.as_slice();
            for &i in batch {
                let (own, others) = values.split_at(pieces[i].counts.len() * self.n_layers() * self.width());
                (vectors[i], values) = (own.to_vec(), others);
            }
        }
        Ok(vectors)
    }

    /// The vectors of all words, sentence after sentence. `[words, layers, width]`
    fn word_vectors(&self, batch: &WindowBatch, mode: Mode) -> Tensor<3> {
        let layers = self.network.layers(batch, mode);
        let pool = self.pooling.index(&batch.words, &layers[0].device());
        let pooled = layers.into_iter().map(|layer| pool.apply(&layer.into_rows()));
        Tensor::stack(pooled.collect(), 1)
    }
}

impl ContextualEncoder for Bert {
    fn n_layers(&self) -> usize {
        self.n_layers()
    }

    fn width(&self) -> usize {
        self.width()
    }

    fn encode(&self, sentences: &[&[String]]) -> Result<Vec<Vec<f32>>, EncoderError> {
        let words = sentences.iter().map(|sentence| sentence.iter().map(String::as_str).collect());
        self.encode::<&str>(&words.collect::<Vec<_>>())
    }
}
