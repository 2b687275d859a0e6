//! Files of reference values: network, inputs and expected values.

use std::path::PathBuf;

use burn::{
    config::Config,
    store::{ModuleSnapshot, SafetensorsStore},
    tensor::{Device, Tensor, TensorData},
};
use cman_core::{Cman, ModelConfig, TokenBatch, model::Sizes};
use cman_data::{EncodedRelation, EncodedSentence};
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};

/// Description of the network in a file.
#[derive(Debug, Serialize, Deserialize)]
pub struct Case {
    pub config: ModelConfig,
    pub sizes: CaseSizes,
    pub alpha: f64,
}

impl Config for Case {}

#[derive(Debug, Serialize, Deserialize)]
pub struct CaseSizes {
    pub words: usize,
    pub characters: usize,
    pub entities: usize,
    pub relations: usize,
    pub pretrained: usize,
}

/// A file of reference values.
pub struct Golden<'a> {
    pub tensors: SafeTensors<'a>,
    pub case: Case,
    path: PathBuf,
}

impl<'a> Golden<'a> {
    pub fn parse(path: PathBuf, bytes: &'a [u8]) -> Self {
        let (_, metadata) = SafeTensors::read_metadata(bytes).unwrap();
        let case = &metadata.metadata().as_ref().unwrap()["case"];
        Self {
            tensors: SafeTensors::deserialize(bytes).unwrap(),
            case: Case::load_binary(case.as_bytes()).unwrap(),
            path,
        }
    }

    /// Shape and values of a tensor.
    pub fn numbers(&self, name: &str) -> (Vec<usize>, Vec<f64>) {
        let tensor = self.tensors.tensor(name).unwrap_or_else(|_| panic!("{name} among the reference values"));
        let numbers = match tensor.dtype() {
            Dtype::F64 => tensor.data().chunks(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect(),
            Dtype::F32 => tensor.data().chunks(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()).into()).collect(),
            Dtype::I64 => tensor.data().chunks(8).map(|b| i64::from_le_bytes(b.try_into().unwrap()) as f64).collect(),
            other => panic!("{name}: {other:?}"),
        };
        (tensor.shape().to_vec(), numbers)
    }

    pub fn ids(&self, name: &str) -> Vec<usize> {
        self.numbers(name).1.into_iter().map(|id| id as usize).collect()
    }

    /// The rows (sentence, a, b, c) of a table of ids.
    pub fn rows(&self, name: &str) -> Vec<[usize; 4]> {
        self.ids(name).chunks(4).map(|row| row.try_into().unwrap()).collect()
    }

    /// A list of ids, cut into pieces of these lengths.
    pub fn ragged(&self, name: &str, lengths: &[usize]) -> Vec<Vec<u32>> {
        let mut ids = self.ids(name).into_iter().map(|id| id as u32);
        let pieces = lengths.iter().map(|&n| ids.by_ref().take(n).collect()).collect();
        assert!(ids.next().is_none(), "{name}: more ids than the lengths say");
        pieces
    }

    pub fn sentences(&self) -> Vec<EncodedSentence> {
        let lengths = self.ids("input.lengths");
        let (words, tags) = (self.ragged("input.words", &lengths), self.ragged("input.tags", &lengths));
        let mut characters = self.ragged("input.characters", &self.ids("input.character_lengths")).into_iter();
        let relations = self.rows("input.relations");
        let sentence = |s: usize| {
            let own = relations.iter().filter(|row| row[0] == s);
            EncodedSentence {
                words: words[s].clone(),
                chars: characters.by_ref().take(lengths[s]).collect(),
                tags: tags[s].clone(),
                relations: own.map(|&[_, head, tail, kind]| EncodedRelation { head, tail, kind }).collect(),
                ..EncodedSentence::default()
            }
        };
        (0..lengths.len()).map(sentence).collect()
    }

    pub fn batch(&self, sentences: &[&EncodedSentence], device: &Device) -> TokenBatch {
        let batch = TokenBatch::new(sentences, device);
        if self.case.config.contextual.width == 0 {
            return batch;
        }
        let (shape, numbers) = self.numbers("input.contextual");
        batch.with_contextual(Tensor::from_data(TensorData::new(numbers, shape), device))
    }

    /// The network with exactly the parameters of the file.
    pub fn model(&self, device: &Device) -> Cman {
        let CaseSizes { words, characters, entities, relations, pretrained } = self.case.sizes;
        let config = &self.case.config;
        let mut model =
            Cman::new(&config.check().unwrap(), Sizes { words, characters, entities, relations }, 0, device);
        model.embedding.word = model.embedding.word.with_pretrained(&[], vec![0.0; pretrained * config.word.width]);
        let result = model.load_from(&mut SafetensorsStore::from_file(&self.path).skip_enum_variants(true)).unwrap();
        assert!(result.missing.is_empty() && result.errors.is_empty(), "{result}");
        let is_parameter = |name: &&String| !name.starts_with("input.") && !name.starts_with("expected.");
        assert_eq!(result.unused.iter().find(is_parameter), None, "a parameter that the network does not have");
        model
    }
}
