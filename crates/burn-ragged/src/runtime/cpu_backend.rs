//! The CPU backends, whose tensors are plain values in memory: Flex and NdArray.
//!
//! burn deprecates NdArray. It is named in this file, in `device`, and in the `backend_extension` lists, nowhere else.
#![allow(deprecated)]

use std::borrow::Cow;

use burn::{
    backend::{
        Backend, BackendTensor, DispatchDevice, DispatchTensorKind, TensorMetadata,
        autodiff::{NodeId, grads::Gradients},
        tensor::FloatTensor,
    },
    tensor::{DType, Device, Tensor},
};

use super::buffer::Buffer;

/// A backend whose f32 tensors can be read as slices.
pub(crate) trait CpuBackend: Backend {
    /// The values in row-major order. They are copied only if they are stored in another order.
    fn values(tensor: &FloatTensor<Self>) -> Cow<'_, [f32]>;

    /// The address of the values; `None` if [`values`](Self::values) copies them.
    fn address(tensor: &FloatTensor<Self>) -> Option<usize> {
        match Self::values(tensor) {
            Cow::Borrowed(values) => Some(values.as_ptr().addr()),
            Cow::Owned(_) => None,
        }
    }

    /// A tensor of these values. They are not copied.
    fn tensor(values: Buffer, shape: &[usize], device: &Self::Device) -> FloatTensor<Self> {
        Self::float_from_data(values.into_data(shape.to_vec()), device)
    }

    /// The sizes of a tensor.
    ///
    /// # Panics
    /// If it does not have `D` dimensions.
    fn dims<const D: usize>(tensor: &FloatTensor<Self>) -> [usize; D] {
        tensor.shape()[..].try_into().expect("a tensor of this rank")
    }
}

/// Whether the device is one of the CPU backends with fused kernels. Autodiff makes no difference.
pub fn is_cpu(device: &Device) -> bool {
    match device.clone().without_autodiff().as_dispatch() {
        #[cfg(feature = "flex")]
        DispatchDevice::Flex(_) => true,
        #[cfg(feature = "ndarray")]
        DispatchDevice::NdArray(_) => true,
        #[allow(unreachable_patterns)] // in builds with these backends alone
        _ => false,
    }
}

/// Whether the fused CPU kernels run on tensors of this device and type.
pub(crate) fn has_kernels(device: &Device, dtype: DType) -> bool {
    dtype == DType::F32 && is_cpu(device)
}

/// Calls `f` with the values of an f32 tensor in row-major order. They are copied if the tensor is not on a
/// [CPU backend](is_cpu), has an autodiff graph, or is stored in another order.
pub fn with_values<const D: usize, T>(x: &Tensor<D>, f: impl FnOnce(&[f32]) -> T) -> T {
    match x.clone().into_dispatch().kind {
        #[cfg(feature = "flex")]
        DispatchTensorKind::Flex(BackendTensor::Float(x)) => f(&burn::backend::Flex::values(&x)),
        #[cfg(feature = "ndarray")]
        DispatchTensorKind::NdArray(BackendTensor::Float(x)) => f(&burn::backend::NdArray::values(&x)),
        _ => f(x.to_data().as_slice().expect("f32 values")),
    }
}

/// Hands a gradient to the node of `tensor`, if the node is tracked and there is a gradient.
pub(crate) fn register<B: CpuBackend>(
    gradients: &mut Gradients,
    node: Option<NodeId>,
    tensor: &FloatTensor<B>,
    gradient: Option<Buffer>,
) {
    if let (Some(node), Some(gradient)) = (node, gradient) {
        gradients.register::<B>(node, B::tensor(gradient, &tensor.shape().to_vec(), &tensor.device()));
    }
}

/// Implements a trait of operations for every CPU backend of the build.
macro_rules! impl_for_cpu_backends {
    ($operation:ident { $($body:tt)* }) => {
        #[cfg(feature = "flex")]
        impl $operation for burn::backend::Flex { $($body)* }
        #[cfg(feature = "ndarray")]
        #[allow(deprecated)]
        impl $operation for burn::backend::NdArray { $($body)* }
    };
}
pub(crate) use impl_for_cpu_backends;

#[cfg(feature = "flex")]
mod flex {
    use super::*;
    use burn::backend::Flex;

    impl CpuBackend for Flex {
        fn values(tensor: &FloatTensor<Self>) -> Cow<'_, [f32]> {
            match tensor.as_slice::<f32>() {
                Some(values) => Cow::Borrowed(values),
                None => Cow::Owned(tensor.to_contiguous().as_slice::<f32>().expect("an f32 tensor").to_vec()),
            }
        }
    }
}

#[cfg(feature = "ndarray")]
mod ndarray {
    use super::*;
    use burn::backend::{NdArray, ndarray::NdArrayTensor};

    impl CpuBackend for NdArray {
        fn values(tensor: &FloatTensor<Self>) -> Cow<'_, [f32]> {
            let NdArrayTensor::F32(storage) = tensor else { panic!("expected an f32 tensor") };
            let view = storage.view();
            match view.to_slice() {
                Some(values) => Cow::Borrowed(values),
                None => Cow::Owned(view.iter().copied().collect()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_in_row_major_order() {
        let devices = [
            #[cfg(feature = "flex")]
            Device::flex(),
            #[cfg(feature = "ndarray")]
            Device::ndarray(),
        ];
        for device in devices {
            let x = Tensor::<2>::from_floats([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], &device);
            let tracked = Tensor::<2>::from_floats([[7.0, 8.0]], &device.autodiff()).require_grad();
            assert_eq!(with_values(&x, <[f32]>::to_vec), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
            assert_eq!(with_values(&x.transpose(), <[f32]>::to_vec), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
            assert_eq!(with_values(&tracked, <[f32]>::to_vec), [7.0, 8.0]);
        }
    }
}
