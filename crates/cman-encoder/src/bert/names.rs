//! The published names of the weights: one table for reading and for writing.

use burn::{module::Param, tensor::Tensor};
use burn_ragged::{LayerNorm, Linear};

use super::{BertNetwork, Family};
use crate::error::EncoderError;

/// Names of the parts of a block.
struct BlockNames {
    /// The block `i` is `{stem}.layer.{i}`.
    stem: &'static str,
    query: &'static str,
    key: &'static str,
    value: &'static str,
    output: &'static str,
    attention_norm: &'static str,
    intermediate: &'static str,
    feed_forward_output: &'static str,
    feed_forward_norm: &'static str,
}

const BERT: BlockNames = BlockNames {
    stem: "encoder",
    query: "attention.self.query",
    key: "attention.self.key",
    value: "attention.self.value",
    output: "attention.output.dense",
    attention_norm: "attention.output.LayerNorm",
    intermediate: "intermediate.dense",
    feed_forward_output: "output.dense",
    feed_forward_norm: "output.LayerNorm",
};

const DISTILBERT: BlockNames = BlockNames {
    stem: "transformer",
    query: "attention.q_lin",
    key: "attention.k_lin",
    value: "attention.v_lin",
    output: "attention.out_lin",
    attention_norm: "sa_layer_norm",
    intermediate: "ffn.lin1",
    feed_forward_output: "ffn.lin2",
    feed_forward_norm: "output_layer_norm",
};

/// Receives the parts of a network with their names.
pub(super) trait Visitor {
    fn table(&mut self, name: &str, table: &mut Param<Tensor<2>>) -> Result<(), EncoderError>;
    fn linear(&mut self, name: &str, linear: &mut Linear) -> Result<(), EncoderError>;
    fn norm(&mut self, name: &str, norm: &mut LayerNorm) -> Result<(), EncoderError>;
}

/// What some files put before the names.
pub(super) const fn prefix(family: Family) -> &'static str {
    match family {
        Family::Bert => "bert.",
        Family::Roberta => "roberta.",
        Family::DistilBert => "distilbert.",
    }
}

/// Calls the visitor with every part of the network and its name.
///
/// The name of a tensor is the name of its part followed by `.weight` or `.bias`.
pub(super) fn visit(network: &mut BertNetwork, family: Family, visitor: &mut impl Visitor) -> Result<(), EncoderError> {
    visitor.table("embeddings.word_embeddings", &mut network.words)?;
    visitor.table("embeddings.position_embeddings", &mut network.positions)?;
    if let Some(types) = &mut network.types {
        visitor.table("embeddings.token_type_embeddings", types)?;
    }
    visitor.norm("embeddings.LayerNorm", &mut network.norm)?;
    let names = match family {
        Family::Bert | Family::Roberta => BERT,
        Family::DistilBert => DISTILBERT,
    };
    for (i, block) in network.blocks.iter_mut().enumerate() {
        let name = |part: &str| format!("{}.layer.{i}.{part}", names.stem);
        visitor.linear(&name(names.query), &mut block.query)?;
        visitor.linear(&name(names.key), &mut block.key)?;
        visitor.linear(&name(names.value), &mut block.value)?;
        visitor.linear(&name(names.output), &mut block.output)?;
        visitor.linear(&name(names.intermediate), &mut block.intermediate)?;
        visitor.linear(&name(names.feed_forward_output), &mut block.feed_forward_output)?;
        visitor.norm(&name(names.attention_norm), &mut block.attention_norm)?;
        visitor.norm(&name(names.feed_forward_norm), &mut block.feed_forward_norm)?;
    }
    Ok(())
}
