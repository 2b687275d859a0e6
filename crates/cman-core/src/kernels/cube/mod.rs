//! Kernels for GPUs, as operations of burn's CubeCL backends (wgpu, CUDA): what would be a chain of small launches there,
//! each waiting for the one before, is one launch here. The products around it stay burn's.

mod crf;
mod lstm;

use burn::{
    backend::DispatchDevice,
    tensor::{DType, Device, Int, Shape, Tensor, TensorData},
};
use burn_cubecl::{ops::numeric::empty_device_contiguous_dtype, tensor::CubeTensor};

pub(crate) use crf::negative_log_likelihood;
pub(crate) use lstm::states;

/// Bytes of shared memory that a cube may take.
const SHARED: usize = 1 << 14;

/// Arrays that a kernel takes, at most.
const ARRAYS: usize = 10;

/// Whether tensors of this device and type have these kernels, where a cube has a unit for each of `width` numbers.
pub(crate) fn runs(device: &Device, dtype: DType, width: usize) -> bool {
    let DispatchDevice::Cube(device) = device.clone().without_autodiff().as_dispatch().clone() else { return false };
    let client = device.client();
    let gpu = &client.properties().hardware;
    dtype == DType::F32
        && width <= gpu.max_units_per_cube as usize
        && 20 * width <= SHARED.min(gpu.max_shared_memory_size)
        && ARRAYS <= gpu.max_bindings as usize
}

/// Whole numbers as the kernels read them.
fn integers<const D: usize>(numbers: Vec<i32>, shape: [usize; D], device: &Device) -> Tensor<D, Int> {
    Tensor::from_data(TensorData::new(numbers, shape), (device, DType::I32))
}

/// The lengths of sentences. `[batch]`
fn lengths_on(device: &Device, lengths: impl ExactSizeIterator<Item = usize>) -> Tensor<1, Int> {
    let shape = [lengths.len()];
    integers(lengths.map(|n| n as i32).collect(), shape, device)
}

/// A tensor on the device of another, not yet written.
fn empty(shape: Shape, like: &CubeTensor) -> CubeTensor {
    empty_device_contiguous_dtype(like.client.clone(), like.device.clone(), shape, DType::F32)
}
