//! Shared code of the kernels for burn's CubeCL backends (wgpu, CUDA).
//!
//! A recursion made of burn operations is a chain of small launches, each waiting for the one before. The kernels run
//! it in one launch. The products around it are burn's.

use crate::ragged::Layout;
use burn::{
    backend::DispatchDevice,
    tensor::{DType, Device, Int, Shape, Tensor, TensorData},
};
use burn_cubecl::{ops::numeric::empty_device_contiguous_dtype, tensor::CubeTensor};

/// Most bytes of shared memory per cube.
pub(crate) const SHARED: usize = 1 << 14;

/// Most arrays per kernel.
const ARRAYS: usize = 10;

/// Whether tensors of this device and type have these kernels, if a cube needs a unit for each of `width` values.
pub(crate) fn has_kernels(device: &Device, dtype: DType, width: usize) -> bool {
    let DispatchDevice::Cube(device) = device.clone().without_autodiff().as_dispatch().clone() else { return false };
    let client = device.client();
    let gpu = &client.properties().hardware;
    dtype == DType::F32
        && width <= gpu.max_units_per_cube as usize
        && 20 * width <= SHARED.min(gpu.max_shared_memory_size)
        && ARRAYS <= gpu.max_bindings as usize
}

/// Integers as the kernels read them.
pub(crate) fn integers<const D: usize>(values: Vec<i32>, shape: [usize; D], device: &Device) -> Tensor<D, Int> {
    Tensor::from_data(TensorData::new(values, shape), (device, DType::I32))
}

/// The lengths of the sequences. `[batch]`
pub(crate) fn lengths_on(layout: &Layout, device: &Device) -> Tensor<1, Int> {
    integers(layout.lengths().iter().map(|&n| n as i32).collect(), [layout.batch_size()], device)
}

/// An uninitialised tensor on the device of `like`.
pub(crate) fn empty(shape: Shape, like: &CubeTensor) -> CubeTensor {
    empty_device_contiguous_dtype(like.client.clone(), like.device.clone(), shape, DType::F32)
}
