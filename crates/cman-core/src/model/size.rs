//! A lower bound of the number of weights of a network, from its settings alone.

use cman_data::Tag;

use super::{LabelInteraction, LabelKind, ModelConfig, Sizes};
use crate::{attention::SequenceKind, embedding::CharacterKind};

impl ModelConfig {
    /// Number of weights in the matrices of a network with these settings; biases and other vectors are not counted. A file
    /// with fewer values cannot hold the weights of that network.
    pub fn least_parameters(&self, sizes: Sizes) -> f64 {
        let [d, d_model, d_input] = [self.hidden, self.d_model(), self.d_input()].map(|width| width as f64);
        let sequence = |d_input: f64| match self.sequence {
            SequenceKind::Bilstm => 8.0 * d * (d_input + d),
            SequenceKind::Mlp => d_model * (d_input + d_model),
        };
        let attention = 4.0 * d_model * d_model;
        let layers = self.layers as f64;
        let self_attention = if self.self_attention { layers * attention } else { 0.0 };
        let bsa = sequence(d_input) + (layers - 1.0) * sequence(d_model) + self_attention;

        let n_tags = Tag::count(sizes.entities) as f64;
        let label = self.label.width as f64;
        let labels = match self.label.kind {
            LabelKind::None => 0.0,
            LabelKind::Concatenate => n_tags * label,
            LabelKind::Attention => n_tags * label + 2.0 * (sequence(label) + attention) + sequence(2.0 * d_model),
        };
        let [embedding, character] = [self.character.embedding, self.character.width].map(|width| width as f64);
        let characters = match self.character.kind {
            CharacterKind::None => 0.0,
            CharacterKind::Bilstm => 4.0 * character * (embedding + character / 2.0),
            CharacterKind::Cnn => 3.0 * embedding * character,
        };
        let alphabet = if characters > 0.0 { sizes.characters as f64 * embedding } else { 0.0 };
        let words = sizes.words as f64 * self.word.width as f64;

        let hidden = self.crf.hidden as f64;
        let crf = if hidden > 0.0 { hidden * (d_model + n_tags) } else { d_model * n_tags };
        let relations = if self.relation.shared { 1.0 } else { sizes.relations as f64 };
        let relation = 2.0 * LabelInteraction::d_output(self) as f64 * relations * self.relation.hidden as f64;
        let of_relations = if sizes.relations > 0 { labels + relation } else { 0.0 };
        words + alphabet + characters + bsa + crf + of_relations
    }
}
