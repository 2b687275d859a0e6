//! The CPU backends whose tensors are plain numbers in memory: Flex and NdArray.
//!
//! NdArray is deprecated upstream. It is named here and in the list above [`Kernels`] and nowhere else in this folder.
#![allow(deprecated)]

use std::borrow::Cow;

use burn::{
    backend::{Backend, DispatchDevice, TensorMetadata, tensor::FloatTensor},
    tensor::{DType, Device, TensorData},
};

use super::{extension::Kernels, ops};
use crate::relation::Positive;

/// A backend that lends the numbers of its f32 tensors.
pub(crate) trait RawF32: Backend {
    /// The numbers in row-major order; copied only where they do not lie so already.
    fn numbers(tensor: &FloatTensor<Self>) -> Cow<'_, [f32]>;

    /// A tensor of these numbers.
    fn tensor(numbers: Vec<f32>, shape: &[usize], device: &Self::Device) -> FloatTensor<Self> {
        Self::float_from_data(TensorData::new(numbers, shape.to_vec()), device)
    }

    /// The sizes of a tensor.
    ///
    /// # Panics
    /// If it has not `D` dimensions.
    fn dims<const D: usize>(tensor: &FloatTensor<Self>) -> [usize; D] {
        tensor.shape().to_vec().try_into().expect("a tensor of another rank")
    }
}

/// Whether the kernels run on tensors of this device and type; autodiff makes no difference.
pub(crate) fn is_raw(device: Device, dtype: DType) -> bool {
    let is_raw = match device.without_autodiff().as_dispatch() {
        #[cfg(feature = "flex")]
        DispatchDevice::Flex(_) => true,
        #[cfg(feature = "ndarray")]
        DispatchDevice::NdArray(_) => true,
        #[allow(unreachable_patterns)] // where these backends are the only ones
        _ => false,
    };
    is_raw && dtype == DType::F32
}

/// Implements [`Kernels`] for a backend that lends its numbers.
macro_rules! run_kernels {
    ($backend:ty) => {
        impl Kernels for $backend {
            fn bilstm(
                x: FloatTensor<Self>,
                w_ih: FloatTensor<Self>,
                w_hh: FloatTensor<Self>,
                bias: FloatTensor<Self>,
                lengths: Vec<usize>,
            ) -> FloatTensor<Self> {
                ops::bilstm::run::<Self>(&x, &w_ih, &w_hh, &bias, &lengths)
            }

            fn pair_loss(
                head: FloatTensor<Self>,
                tail: FloatTensor<Self>,
                v: FloatTensor<Self>,
                positives: Vec<Positive>,
                lengths: Vec<usize>,
            ) -> FloatTensor<Self> {
                ops::relation::run::<Self>(&head, &tail, &v, &positives, &lengths)
            }

            fn negative_log_likelihood(
                first: FloatTensor<Self>,
                pair: FloatTensor<Self>,
                end: FloatTensor<Self>,
                tags: Vec<Vec<u32>>,
            ) -> FloatTensor<Self> {
                ops::crf::run::<Self>(&first, &pair, &end, &tags)
            }

            fn gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
                ops::gelu::run::<Self>(&x)
            }
        }
    };
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

    run_kernels!(Flex);
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

    run_kernels!(NdArray);
}
