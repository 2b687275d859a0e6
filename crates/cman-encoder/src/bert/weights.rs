//! Reading and writing `model.safetensors`.

use std::{collections::BTreeMap, fs, path::Path};

use burn::{
    module::Param,
    tensor::{Tensor, TensorData},
};
use burn_ragged::{LayerNorm, Linear, transpose};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::{
    BertConfig, BertNetwork,
    names::{Visitor, prefix, visit},
};
use crate::error::EncoderError;

/// Refuses a file that is too small for a network of this architecture, before memory is allocated for the network.
pub(super) fn check_size(config: &BertConfig, path: &Path) -> Result<(), EncoderError> {
    let bytes = fs::metadata(path).map_err(|source| EncoderError::io(path, source))?.len();
    let least = config.min_parameters() * size_of::<half::f16>() as f64;
    if bytes as f64 >= least {
        return Ok(());
    }
    let reason = format!("the weights do not fit config.json: {bytes} bytes, expected at least {least}");
    Err(EncoderError::format(path, reason))
}

/// Reads the weights at `path` into the network. Other tensors of the file (pooler, heads) are ignored.
pub(super) fn read(network: &mut BertNetwork, config: &BertConfig, path: &Path) -> Result<(), EncoderError> {
    let bytes = fs::read(path).map_err(|source| EncoderError::io(path, source))?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(|error| EncoderError::format(path, error))?;
    visit(network, config.family, &mut Reader { tensors, prefix: prefix(config.family), path })
}

struct Reader<'a> {
    tensors: SafeTensors<'a>,
    prefix: &'static str,
    path: &'a Path,
}

impl Reader<'_> {
    /// The values of a tensor. The file may name it with or without the family, and with the names of the oldest files.
    fn values(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, EncoderError> {
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
        let format = |reason: String| EncoderError::format(self.path, reason);
        let halves = || view.data().as_chunks::<2>().0.iter();
        let values: Vec<f32> = match view.dtype() {
            Dtype::F32 => view.data().as_chunks::<4>().0.iter().map(|&x| f32::from_le_bytes(x)).collect(),
            Dtype::F16 => halves().map(|&x| half::f16::from_le_bytes(x).to_f32()).collect(),
            Dtype::BF16 => halves().map(|&x| half::bf16::from_le_bytes(x).to_f32()).collect(),
            other => return Err(format(format!("tensor '{name}': expected F32, F16 or BF16, found {other:?}"))),
        };
        if values.iter().all(|x| x.is_finite()) {
            Ok(values)
        } else {
            Err(format(format!("tensor '{name}': not all values are finite")))
        }
    }

    /// Replaces a parameter by the tensor of this name.
    fn fill<const D: usize>(&self, name: &str, param: &mut Param<Tensor<D>>) -> Result<(), EncoderError> {
        let shape = param.dims();
        let values = self.values(name, &shape)?;
        *param = Param::from_data(TensorData::new(values, shape), &param.device());
        Ok(())
    }
}

impl Visitor for Reader<'_> {
    fn table(&mut self, name: &str, table: &mut Param<Tensor<2>>) -> Result<(), EncoderError> {
        self.fill(&format!("{name}.weight"), table)
    }

    fn linear(&mut self, name: &str, linear: &mut Linear) -> Result<(), EncoderError> {
        // Published as [d_output, d_input].
        let [d_input, d_output] = linear.weight.dims();
        let values = self.values(&format!("{name}.weight"), &[d_output, d_input])?;
        let device = linear.weight.device();
        let data = TensorData::new(transposed(&values, d_input), [d_input, d_output]);
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
        (name, TensorView::new(Dtype::F32, shape.clone(), bytes).expect("as many values as the shape requires"))
    });
    let format = std::collections::HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let bytes = safetensors::serialize(views, Some(format)).map_err(|error| EncoderError::format(path, error))?;
    fs::write(path, bytes).map_err(|source| EncoderError::io(path, source))
}

struct Writer(BTreeMap<String, (Vec<usize>, Vec<u8>)>);

impl Writer {
    fn take<const D: usize>(&mut self, name: String, param: &Param<Tensor<D>>) {
        let bytes = values(param).into_iter().flat_map(f32::to_le_bytes).collect();
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
        let bytes = transposed(&values(&linear.weight), d_output).into_iter().flat_map(f32::to_le_bytes).collect();
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

fn values<const D: usize>(param: &Param<Tensor<D>>) -> Vec<f32> {
    param.val().try_into_vec_as().expect("f32 values from the device")
}

/// The transpose of a matrix with rows of `width` values.
fn transposed(x: &[f32], width: usize) -> Vec<f32> {
    let rows = x.len() / width;
    let mut y = vec![0.0; x.len()];
    transpose(x, width, &mut y, rows, [rows, width]);
    y
}
