//! The CPU backends whose tensors are plain numbers in memory: Flex and NdArray.
//!
//! NdArray is deprecated upstream. It is named here and beside [`Kernels`](super::extension::Kernels) and nowhere else in
//! this folder.
#![allow(deprecated)]

use std::borrow::Cow;

use burn::{
    backend::{Backend, BackendTensor, DispatchDevice, DispatchTensorKind, TensorMetadata, tensor::FloatTensor},
    tensor::{DType, Device, Tensor},
};

use super::buffer::Buffer;

/// A backend that lends the numbers of its f32 tensors.
pub(crate) trait RawF32: Backend {
    /// The numbers in row-major order; copied only where they do not lie so already.
    fn numbers(tensor: &FloatTensor<Self>) -> Cow<'_, [f32]>;

    /// Where the numbers lie; nothing where [`numbers`](Self::numbers) copies them.
    fn address(tensor: &FloatTensor<Self>) -> Option<usize> {
        match Self::numbers(tensor) {
            Cow::Borrowed(numbers) => Some(numbers.as_ptr().addr()),
            Cow::Owned(_) => None,
        }
    }

    /// A tensor of these numbers.
    fn tensor(numbers: Buffer, shape: &[usize], device: &Self::Device) -> FloatTensor<Self> {
        Self::float_from_data(numbers.into_data(shape.to_vec()), device)
    }

    /// The sizes of a tensor.
    ///
    /// # Panics
    /// If it has not `D` dimensions.
    fn dims<const D: usize>(tensor: &FloatTensor<Self>) -> [usize; D] {
        tensor.shape()[..].try_into().expect("a tensor of another rank")
    }
}

/// Whether tensors of this device and type are plain f32 numbers in the memory of this process: those of the CPU
/// backends, on which the fused operations run. Autodiff makes no difference.
pub fn on_host(device: Device, dtype: DType) -> bool {
    let on_host = match device.without_autodiff().as_dispatch() {
        #[cfg(feature = "flex")]
        DispatchDevice::Flex(_) => true,
        #[cfg(feature = "ndarray")]
        DispatchDevice::NdArray(_) => true,
        #[allow(unreachable_patterns)] // where these backends are the only ones
        _ => false,
    };
    on_host && dtype == DType::F32
}

/// Calls `f` with the numbers of a tensor of f32 in row-major order, not copied where they lie so already: in a tensor
/// that is [`on_host`] and has no graph.
pub fn with_numbers<const D: usize, T>(x: &Tensor<D>, f: impl FnOnce(&[f32]) -> T) -> T {
    match x.clone().into_dispatch().kind {
        #[cfg(feature = "flex")]
        DispatchTensorKind::Flex(BackendTensor::Float(x)) => f(&burn::backend::Flex::numbers(&x)),
        #[cfg(feature = "ndarray")]
        DispatchTensorKind::NdArray(BackendTensor::Float(x)) => f(&burn::backend::NdArray::numbers(&x)),
        _ => f(x.to_data().as_slice().expect("numbers of f32")),
    }
}

#[cfg(feature = "flex")]
mod flex {
    use super::*;
    use burn::backend::Flex;

    impl RawF32 for Flex {
        fn numbers(tensor: &FloatTensor<Self>) -> Cow<'_, [f32]> {
            match tensor.as_slice::<f32>() {
                Some(numbers) => Cow::Borrowed(numbers),
                None => Cow::Owned(tensor.to_contiguous().as_slice::<f32>().expect("an f32 tensor").to_vec()),
            }
        }
    }
}

#[cfg(feature = "ndarray")]
mod ndarray {
    use super::*;
    use burn::backend::{NdArray, ndarray::NdArrayTensor};

    impl RawF32 for NdArray {
        fn numbers(tensor: &FloatTensor<Self>) -> Cow<'_, [f32]> {
            let NdArrayTensor::F32(storage) = tensor else { panic!("expected an f32 tensor") };
            let view = storage.view();
            match view.to_slice() {
                Some(numbers) => Cow::Borrowed(numbers),
                None => Cow::Owned(view.iter().copied().collect()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_in_row_major_order_of_every_tensor() {
        let devices = [
            #[cfg(feature = "flex")]
            Device::flex(),
            #[cfg(feature = "ndarray")]
            Device::ndarray(),
        ];
        for device in devices {
            let x = Tensor::<2>::from_floats([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], &device);
            let tracked = Tensor::<2>::from_floats([[7.0, 8.0]], &device.autodiff()).require_grad();
            assert_eq!(with_numbers(&x, <[f32]>::to_vec), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
            assert_eq!(with_numbers(&x.transpose(), <[f32]>::to_vec), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
            assert_eq!(with_numbers(&tracked, <[f32]>::to_vec), [7.0, 8.0]);
        }
    }
}
