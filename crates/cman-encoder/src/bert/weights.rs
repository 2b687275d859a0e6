//! `model.safetensors` as the hub has it: all names in one table, for reading and for writing.

use std::{collections::BTreeMap, fs, path::Path};

use burn::{
    module::Param,
    tensor::{Tensor, TensorData},
};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::{BertConfig, BertNetwork, Block, Family};
use crate::{encoder::EncoderError, kernels::transpose, linear::Linear, norm::LayerNorm};

/// Calls `linear`, `norm` or `table` with every part of the network and its published name.
///
/// The name of a weight is the part's with `.weight` or `.bias` behind it, and on some files the family's name before.
fn visit(network: &mut BertNetwork, family: Family, visitor: &mut impl Visitor) -> Result<(), EncoderError> {
    visitor.table("embeddings.word_embeddings", &mut network.words)?;
    visitor.table("embeddings.position_embeddings", &mut network.positions)?;
    if let Some(types) = &mut network.types {
        visitor.table("embeddings.token_type_embeddings", types)?;
    }
    visitor.norm("embeddings.LayerNorm", &mut network.norm)?;
    for (i, block) in network.blocks.iter_mut().enumerate() {
        let (stem, [query, key, value, output, attention_norm, rise, fall, norm]) = match family {
            Family::Bert | Family::Roberta => (
                "encoder",
                [
                    "attention.self.query",
                    "attention.self.key",
                    "attention.self.value",
                    "attention.output.dense",
                    "attention.output.LayerNorm",
                    "intermediate.dense",
                    "output.dense",
                    "output.LayerNorm",
                ],
            ),
            Family::DistilBert => (
                "transformer",
                [
                    "attention.q_lin",
                    "attention.k_lin",
                    "attention.v_lin",
                    "attention.out_lin",
                    "sa_layer_norm",
                    "ffn.lin1",
                    "ffn.lin2",
                    "output_layer_norm",
                ],
            ),
        };
        let name = |part: &str| format!("{stem}.layer.{i}.{part}");
        let Block { query: q, key: k, value: v, output: o, attention_norm: a, rise: r, fall: f, .. } = block;
        for (part, linear) in [(query, q), (key, k), (value, v), (output, o), (rise, r), (fall, f)] {
            visitor.linear(&name(part), linear)?;
        }
        visitor.norm(&name(attention_norm), a)?;
        visitor.norm(&name(norm), &mut block.feed_forward_norm)?;
    }
    Ok(())
}

trait Visitor {
    fn table(&mut self, name: &str, table: &mut Param<Tensor<2>>) -> Result<(), EncoderError>;
    fn linear(&mut self, name: &str, linear: &mut Linear) -> Result<(), EncoderError>;
    fn norm(&mut self, name: &str, norm: &mut LayerNorm) -> Result<(), EncoderError>;
}

/// Refuses a file that is too small for a network of this shape, before memory is taken for it.
pub(super) fn check_size(config: &BertConfig, path: &Path) -> Result<(), EncoderError> {
    let bytes = fs::metadata(path).map_err(|source| EncoderError::Io { path: path.into(), source })?.len();
    let least = config.least_parameters() * size_of::<half::f16>() as f64;
    if bytes as f64 >= least {
        return Ok(());
    }
    let reason = format!("the weights do not fit config.json: {bytes} bytes, expected at least {least}");
    Err(EncoderError::Format { path: path.into(), reason })
}

/// Reads the weights at `path` into the network. What the network has no use for (pooler, heads) is passed over.
pub(super) fn read(network: &mut BertNetwork, config: &BertConfig, path: &Path) -> Result<(), EncoderError> {
    let bytes = fs::read(path).map_err(|source| EncoderError::Io { path: path.into(), source })?;
    let tensors = SafeTensors::deserialize(&bytes)
        .map_err(|error| EncoderError::Format { path: path.into(), reason: error.to_string() })?;
    let prefix = match config.family {
        Family::Bert => "bert.",
        Family::Roberta => "roberta.",
        Family::DistilBert => "distilbert.",
    };
    visit(network, config.family, &mut Reader { tensors, prefix, path })
}

struct Reader<'a> {
    tensors: SafeTensors<'a>,
    prefix: &'static str,
    path: &'a Path,
}

impl Reader<'_> {
    /// The numbers called `name`, with or without the family's name, or as the oldest files call them.
    fn numbers(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, EncoderError> {
        let old = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta");
        let names = [name.to_owned(), format!("{}{name}", self.prefix), format!("{}{old}", self.prefix), old];
        let Some((name, view)) = names.iter().find_map(|name| Some((name, self.tensors.tensor(name).ok()?))) else {
            return Err(EncoderError::MissingTensor { path: self.path.into(), tensor: name.into() });
        };
        if view.shape() != shape {
            return Err(EncoderError::Shape {
                path: self.path.into(),
                tensor: name.into(),
                expected: shape.to_vec(),
                found: view.shape().to_vec(),
            });
        }
        let format = |reason: String| EncoderError::Format { path: self.path.into(), reason };
        let halves = || view.data().as_chunks::<2>().0.iter();
        let numbers: Vec<f32> = match view.dtype() {
            Dtype::F32 => view.data().as_chunks::<4>().0.iter().map(|&x| f32::from_le_bytes(x)).collect(),
            Dtype::F16 => halves().map(|&x| half::f16::from_le_bytes(x).to_f32()).collect(),
            Dtype::BF16 => halves().map(|&x| half::bf16::from_le_bytes(x).to_f32()).collect(),
            other => return Err(format(format!("tensor '{name}': expected F32, F16 or BF16, found {other:?}"))),
        };
        if numbers.iter().all(|x| x.is_finite()) {
            Ok(numbers)
        } else {
            Err(format(format!("tensor '{name}': its numbers are not finite")))
        }
    }

    /// The same in place of a parameter.
    fn fill<const D: usize>(&self, name: &str, param: &mut Param<Tensor<D>>) -> Result<(), EncoderError> {
        let shape = param.dims();
        let numbers = self.numbers(name, &shape)?;
        *param = Param::from_data(TensorData::new(numbers, shape), &param.device());
        Ok(())
    }
}

impl Visitor for Reader<'_> {
    fn table(&mut self, name: &str, table: &mut Param<Tensor<2>>) -> Result<(), EncoderError> {
        self.fill(&format!("{name}.weight"), table)
    }

    fn linear(&mut self, name: &str, linear: &mut Linear) -> Result<(), EncoderError> {
        // Published as [output, input].
        let [d_input, d_output] = linear.weight.dims();
        let numbers = self.numbers(&format!("{name}.weight"), &[d_output, d_input])?;
        let device = linear.weight.device();
        let data = TensorData::new(transposed(&numbers, d_input), [d_input, d_output]);
        linear.weight = Param::from_data(data, &device);
        self.fill(&format!("{name}.bias"), linear.bias.as_mut().expect("a layer with a bias"))
    }

    fn norm(&mut self, name: &str, norm: &mut LayerNorm) -> Result<(), EncoderError> {
        self.fill(&format!("{name}.weight"), &mut norm.gamma)?;
        self.fill(&format!("{name}.bias"), &mut norm.beta)
    }
}

/// Writes the weights to `path` under their published names.
pub(super) fn write(network: &BertNetwork, config: &BertConfig, path: &Path) -> Result<(), EncoderError> {
    let mut writer = Writer(BTreeMap::new());
    visit(&mut network.clone(), config.family, &mut writer)?;
    let views = writer.0.iter().map(|(name, (shape, bytes))| {
        (name, TensorView::new(Dtype::F32, shape.clone(), bytes).expect("as many numbers as the shape says"))
    });
    let format = std::collections::HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let bytes = safetensors::serialize(views, Some(format))
        .map_err(|error| EncoderError::Format { path: path.into(), reason: error.to_string() })?;
    fs::write(path, bytes).map_err(|source| EncoderError::Io { path: path.into(), source })
}

struct Writer(BTreeMap<String, (Vec<usize>, Vec<u8>)>);

impl Writer {
    fn take<const D: usize>(&mut self, name: String, param: &Param<Tensor<D>>) {
        let bytes = numbers(param).into_iter().flat_map(f32::to_le_bytes).collect();
        self.0.insert(name, (param.dims().to_vec(), bytes));
    }
}

impl Visitor for Writer {
    fn table(&mut self, name: &str, table: &mut Param<Tensor<2>>) -> Result<(), EncoderError> {
        self.take(format!("{name}.weight"), table);
        Ok(())
    }

    fn linear(&mut self, name: &str, linear: &mut Linear) -> Result<(), EncoderError> {
        let [d_input, d_output] = linear.weight.dims();
        let bytes = transposed(&numbers(&linear.weight), d_output).into_iter().flat_map(f32::to_le_bytes).collect();
        self.0.insert(format!("{name}.weight"), (vec![d_output, d_input], bytes));
        self.take(format!("{name}.bias"), linear.bias.as_ref().expect("a layer with a bias"));
        Ok(())
    }

    fn norm(&mut self, name: &str, norm: &mut LayerNorm) -> Result<(), EncoderError> {
        self.take(format!("{name}.weight"), &norm.gamma);
        self.take(format!("{name}.bias"), &norm.beta);
        Ok(())
    }
}

fn numbers<const D: usize>(param: &Param<Tensor<D>>) -> Vec<f32> {
    param.val().try_into_vec_as().expect("the device gives its numbers back")
}

/// Rows of `width` numbers as columns.
fn transposed(x: &[f32], width: usize) -> Vec<f32> {
    let rows = x.len() / width;
    let mut y = vec![0.0; x.len()];
    transpose(x, width, &mut y, rows, [rows, width]);
    y
}
