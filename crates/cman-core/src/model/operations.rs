//! The number of floating-point operations of an update, independent of the implementation.

use super::{LabelInteraction, LabelKind, ModelConfig, Sizes};
use crate::{
    attention::SequenceKind,
    batch::TokenBatch,
    embedding::{CharacterKind, LayerMix},
};

/// The batch of an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    /// Tokens of each sentence.
    pub lengths: Vec<usize>,
    /// Characters of each distinct word of the batch.
    pub word_lengths: Vec<usize>,
    /// Whether there is an adversarial step (eq. 14), on the whole input.
    pub adversarial: bool,
}

impl Workload {
    /// The workload of a batch.
    pub fn new(batch: &TokenBatch, adversarial: bool) -> Self {
        Self {
            lengths: batch.layout().lengths().to_vec(),
            word_lengths: batch.characters().layout.lengths().to_vec(),
            adversarial,
        }
    }
}

/// The useful floating-point operations of an update: forward and backward, without padding.
///
/// This counts products (two operations per multiply-add), attention, and eq. 9 on the pairs of tokens of a sentence
/// (four operations per value of the hidden layer: sum, tanh, multiply, add). The gradient of a product is one product
/// for the weights and one for the input. The latter counts only if something is learned from it. The input is embedded
/// once, and the adversarial step passes through the rest a second time. Gates, softmax, normalisation, dropout, the
/// recursions of the CRF and Adam are few and not counted.
pub fn train_operations(config: &ModelConfig, sizes: Sizes, workload: &Workload) -> u64 {
    let trained = trained_width(config);
    let clean = network(config, sizes, workload, if workload.adversarial { config.d_input() } else { trained });
    let adversarial = if workload.adversarial { network(config, sizes, workload, trained) } else { 0 };
    embedding(config, workload) + clean + adversarial
}

/// Number of input values of a token that depend on trained weights.
fn trained_width(config: &ModelConfig) -> usize {
    let character = if config.character.kind == CharacterKind::None { 0 } else { config.character.width };
    let word = if config.word.trainable { config.word.width } else { 0 };
    word + character + if config.contextual.mix == LayerMix::Scalar { config.contextual.width } else { 0 }
}

/// Characters and the mix of layers.
fn embedding(config: &ModelConfig, workload: &Workload) -> u64 {
    let characters: usize = workload.word_lengths.iter().sum();
    let (width, d_input) = (config.character.width, config.character.embedding);
    let character = match config.character.kind {
        CharacterKind::Bilstm => bilstm(characters, workload.word_lengths.len(), d_input, width / 2, d_input),
        CharacterKind::Cnn => product(characters, 3 * d_input, width, 3 * d_input),
        CharacterKind::None => 0,
    };
    let mixed = workload.lengths.iter().sum::<usize>() * config.contextual.layers * config.contextual.width;
    // The layers of the encoder need no gradient.
    let mix = if config.contextual.mix == LayerMix::Scalar { 4 * mixed as u64 } else { 0 };
    character + mix
}

/// One forward and backward pass from the input to the loss. The first `d_needed` values of the input of a token need a
/// gradient.
fn network(config: &ModelConfig, sizes: Sizes, workload: &Workload, d_needed: usize) -> u64 {
    let tokens: usize = workload.lengths.iter().sum();
    let pairs: usize = workload.lengths.iter().map(|n| n * n).sum();
    let d = config.d_model();
    let sequence = |d_input: usize, d_needed: usize| match config.sequence {
        SequenceKind::Bilstm => bilstm(tokens, workload.lengths.len(), d_input, config.hidden, d_needed),
        SequenceKind::Mlp => product(tokens, d_input, d, d_needed) + product(tokens, d, d, d),
    };
    // Queries, keys, values and output; scores and weighted sums.
    let attention = 4 * product(tokens, d, d, d) + 3 * 4 * (pairs * d) as u64;

    let bsa = |i: usize| {
        let own = if config.self_attention { attention } else { 0 };
        own + if i == 0 { sequence(config.d_input(), d_needed) } else { sequence(d, d) }
    };
    let units: u64 = (0..config.layers).map(bsa).sum();
    let labels = match config.label.kind {
        LabelKind::Attention => {
            2 * (sequence(config.label.width, config.label.width) + attention) + sequence(2 * d, 2 * d)
        }
        LabelKind::Concatenate | LabelKind::None => 0,
    };

    let tags = cman_data::Tag::count(sizes.entities);
    let hidden = config.crf.hidden;
    let n_scores = if config.crf.score == crate::crf::CrfScore::Linear { tags } else { (tags + 1) * tags };
    let width = if hidden > 0 { hidden } else { d };
    let crf = product(tokens, d, hidden, d) + product(tokens, width, n_scores, width);

    let outputs = sizes.relations + usize::from(config.relation.none_label);
    let projections = if config.relation.shared { 1 } else { outputs };
    let hidden = config.relation.hidden;
    let d_relation = LabelInteraction::d_output(config);
    let projected = 2 * product(tokens, d_relation, projections * hidden, d_relation);
    let scored = 3 * 2 * (pairs * hidden * (projections + outputs)) as u64;

    units + labels + crf + projected + scored
}

/// A product of `rows` vectors with a learned matrix, and its gradients.
fn product(rows: usize, d_input: usize, d_output: usize, d_needed: usize) -> u64 {
    2 * (rows * (2 * d_input + d_needed) * d_output) as u64
}

/// A BiLSTM. The first step of each direction has no state to multiply.
fn bilstm(tokens: usize, sequences: usize, d_input: usize, d_hidden: usize, d_needed: usize) -> u64 {
    product(tokens, d_input, 8 * d_hidden, d_needed) + 2 * product(tokens - sequences, d_hidden, 4 * d_hidden, d_hidden)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedding::ContextualConfig;

    const SIZES: Sizes = Sizes { words: 9, characters: 7, entities: 2, relations: 3 };

    fn workload(lengths: &[usize], adversarial: bool) -> Workload {
        Workload { lengths: lengths.to_vec(), word_lengths: vec![3, 1], adversarial }
    }

    /// One perceptron unit on words of width 3, `2d = 4`; no attention, no characters, no labels.
    fn small() -> ModelConfig {
        let mut config = ModelConfig {
            hidden: 2,
            layers: 1,
            self_attention: false,
            sequence: SequenceKind::Mlp,
            ..Default::default()
        };
        config.word.width = 3;
        config.character.kind = CharacterKind::None;
        config.label.kind = LabelKind::None;
        config.relation.hidden = 6;
        config
    }

    #[test]
    fn the_count_of_a_small_network_matches_the_manual_count() {
        // Per token: 3 -> 4 -> 4, 4 -> 5 tags, twice 4 -> 18; each forward and as much again for weights and input.
        let products = 3 * 2 * (3 * 4 + 4 * 4 + 4 * 5 + 2 * 4 * 18);
        let pair = 3 * 4 * 18;
        assert_eq!(train_operations(&small(), SIZES, &workload(&[5], false)), 5 * products + 25 * pair);
        assert_eq!(
            train_operations(&small(), SIZES, &workload(&[5, 2, 1], true)),
            2 * (8 * products + (25 + 4 + 1) * pair)
        );
    }

    #[test]
    fn the_first_step_of_a_bilstm_has_no_state_to_multiply() {
        // Both directions: 4 tokens through 3 -> 4 gates of 2, and 2 of them with a predecessor through 2 -> 4 gates of
        // 2.
        assert_eq!(bilstm(4, 2, 3, 2, 3), 2 * 3 * 2 * (4 * 3 * 8 + 2 * 2 * 8));
    }

    #[test]
    fn attention_is_quadratic_in_each_length() {
        let with = ModelConfig { self_attention: true, heads: 2, ..small() };
        let attention = |lengths: &[usize]| {
            let workload = workload(lengths, false);
            train_operations(&with, SIZES, &workload) - train_operations(&small(), SIZES, &workload)
        };
        // Per token four products 4 -> 4; per pair of tokens 2d multiply-adds for the score and 2d for the sum.
        assert_eq!(attention(&[7]), 3 * (7 * 4 * 2 * 16 + 49 * 4 * 4));
        assert_eq!(attention(&[7, 2]), attention(&[7]) + attention(&[2]));
    }

    #[test]
    fn the_adversarial_step_repeats_everything_except_the_embeddings() {
        let config = ModelConfig::default();
        let [clean, adversarial] =
            [false, true].map(|adversarial| train_operations(&config, SIZES, &workload(&[5, 3], adversarial)));
        let characters = bilstm(4, 2, 25, 64, 25);
        assert_eq!(adversarial, 2 * clean - characters);
    }

    #[test]
    fn unused_gradients_do_not_count() {
        let mut config = small();
        config.contextual = ContextualConfig { width: 10, layers: 2, mix: LayerMix::Top, layer_norm: false };
        let top = train_operations(&config, SIZES, &workload(&[5], false));
        config.contextual.mix = LayerMix::Scalar;
        let mixed = train_operations(&config, SIZES, &workload(&[5], false));
        // The mix itself and its gradient, and the gradient of the first layer's product with respect to it.
        assert_eq!(mixed - top, 2 * 2 * 5 * 2 * 10 + 2 * 5 * 10 * 4);
    }
}
