//! The kernels as operations of burn's CPU backends, with autodiff.
#![allow(deprecated)] // NdArray, see `raw`

use burn::{
    backend::{
        Autodiff, Backend, Dispatch, autodiff::checkpoint::strategy::CheckpointStrategy, backend_extension,
        tensor::FloatTensor,
    },
    tensor::Tensor,
};

use super::{bilstm::Packs, linear::Packs as LinearPacks, memo::Memo, ops, raw::RawF32};
use crate::{
    crf::Potentials,
    mode::Masks,
    relation::{Positive, Projection},
};

/// The fused operations. Only the backends listed have them: a caller asks [`on_host`](super::raw::on_host) first.
#[backend_extension(Flex: cfg(feature = "flex"), NdArray: cfg(feature = "ndarray"), Autodiff)]
pub(crate) trait Kernels: Backend {
    /// See [`attend`](crate::attention::attend).
    fn attention(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        heads: usize,
        lengths: [Vec<usize>; 2],
        dropout: Option<Masks>,
    ) -> FloatTensor<Self>;

    /// See [`BiLstm`](crate::lstm::BiLstm).
    fn bilstm(
        x: FloatTensor<Self>,
        w_ih: FloatTensor<Self>,
        w_hh: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        lengths: Vec<usize>,
        packs: Memo<Packs>,
    ) -> FloatTensor<Self>;

    /// See [`Linear`](crate::linear::Linear).
    fn linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        lengths: Vec<usize>,
        packs: Memo<LinearPacks>,
    ) -> FloatTensor<Self>;

    /// See [`pair_loss`](crate::relation::pair_loss).
    fn pair_loss(
        head: FloatTensor<Self>,
        tail: FloatTensor<Self>,
        v: FloatTensor<Self>,
        positives: Vec<Positive>,
        lengths: Vec<usize>,
    ) -> FloatTensor<Self>;

    /// See [`negative_log_likelihood`](crate::crf::negative_log_likelihood).
    fn negative_log_likelihood(
        first: FloatTensor<Self>,
        pair: FloatTensor<Self>,
        end: FloatTensor<Self>,
        tags: Vec<Vec<u32>>,
    ) -> FloatTensor<Self>;

    /// See [`LayerNorm::residual`](crate::norm::LayerNorm::residual).
    fn residual_norm(
        x: FloatTensor<Self>,
        y: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self>;

    /// Chosen rows of a matrix.
    fn gather(x: FloatTensor<Self>, index: Vec<usize>) -> FloatTensor<Self>;

    /// `x Phi(x)`.
    fn gelu(x: FloatTensor<Self>) -> FloatTensor<Self>;
}

/// Implements [`Kernels`] for a backend that lends its numbers.
macro_rules! run_kernels {
    ($backend:ty) => {
        impl Kernels for $backend {
            fn attention(
                q: FloatTensor<Self>,
                k: FloatTensor<Self>,
                v: FloatTensor<Self>,
                heads: usize,
                lengths: [Vec<usize>; 2],
                dropout: Option<Masks>,
            ) -> FloatTensor<Self> {
                ops::attention::run::<Self>(
                    [&q, &k, &v],
                    heads,
                    lengths.each_ref().map(Vec::as_slice),
                    dropout.as_ref(),
                )
            }

            fn bilstm(
                x: FloatTensor<Self>,
                w_ih: FloatTensor<Self>,
                w_hh: FloatTensor<Self>,
                bias: FloatTensor<Self>,
                lengths: Vec<usize>,
                packs: Memo<Packs>,
            ) -> FloatTensor<Self> {
                ops::bilstm::run::<Self>(&x, &w_ih, &w_hh, &bias, &lengths, &packs)
            }

            fn linear(
                x: FloatTensor<Self>,
                weight: FloatTensor<Self>,
                bias: FloatTensor<Self>,
                lengths: Vec<usize>,
                packs: Memo<LinearPacks>,
            ) -> FloatTensor<Self> {
                ops::linear::run::<Self>(&x, &weight, &bias, &lengths, &packs)
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

            fn residual_norm(
                x: FloatTensor<Self>,
                y: FloatTensor<Self>,
                gamma: FloatTensor<Self>,
                beta: FloatTensor<Self>,
                epsilon: f64,
            ) -> FloatTensor<Self> {
                ops::norm::run::<Self>([&x, &y, &gamma, &beta], epsilon)
            }

            fn gather(x: FloatTensor<Self>, index: Vec<usize>) -> FloatTensor<Self> {
                ops::gather::run::<Self>(&x, &index)
            }

            fn gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
                ops::gelu::run::<Self>(&x)
            }
        }
    };
}

#[cfg(feature = "flex")]
run_kernels!(burn::backend::Flex);
#[cfg(feature = "ndarray")]
run_kernels!(burn::backend::NdArray);

impl<B: Kernels + RawF32, C: CheckpointStrategy> Kernels for Autodiff<B, C> {
    fn attention(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        heads: usize,
        lengths: [Vec<usize>; 2],
        dropout: Option<Masks>,
    ) -> FloatTensor<Self> {
        ops::attention::run_tracked::<B, C>([q, k, v], heads, lengths.each_ref().map(Vec::as_slice), dropout.as_ref())
    }

    fn bilstm(
        x: FloatTensor<Self>,
        w_ih: FloatTensor<Self>,
        w_hh: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        lengths: Vec<usize>,
        packs: Memo<Packs>,
    ) -> FloatTensor<Self> {
        ops::bilstm::run_tracked::<B, C>(x, w_ih, w_hh, bias, &lengths, &packs)
    }

    fn linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        lengths: Vec<usize>,
        packs: Memo<LinearPacks>,
    ) -> FloatTensor<Self> {
        ops::linear::run_tracked::<B, C>(x, weight, bias, &lengths, &packs)
    }

    fn pair_loss(
        head: FloatTensor<Self>,
        tail: FloatTensor<Self>,
        v: FloatTensor<Self>,
        positives: Vec<Positive>,
        lengths: Vec<usize>,
    ) -> FloatTensor<Self> {
        ops::relation::run_tracked::<B, C>(head, tail, v, &positives, &lengths)
    }

    fn negative_log_likelihood(
        first: FloatTensor<Self>,
        pair: FloatTensor<Self>,
        end: FloatTensor<Self>,
        tags: Vec<Vec<u32>>,
    ) -> FloatTensor<Self> {
        ops::crf::run_tracked::<B, C>(first, pair, end, &tags)
    }

    fn residual_norm(
        x: FloatTensor<Self>,
        y: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        ops::norm::run_tracked::<B, C>([x, y, gamma, beta], epsilon)
    }

    fn gather(x: FloatTensor<Self>, index: Vec<usize>) -> FloatTensor<Self> {
        ops::gather::run_tracked::<B, C>(x, index)
    }

    fn gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        ops::gelu::run_tracked::<B, C>(x)
    }
}

/// Chosen rows of a matrix.
pub(crate) fn gather(x: Tensor<2>, index: Vec<usize>) -> Tensor<2> {
    Tensor::from_dispatch(<Dispatch as Kernels>::gather(x.into_dispatch(), index))
}

/// `x Phi(x)`.
pub(crate) fn gelu(x: Tensor<3>) -> Tensor<3> {
    Tensor::from_dispatch(<Dispatch as Kernels>::gelu(x.into_dispatch()))
}

/// See [`LayerNorm::residual`](crate::norm::LayerNorm::residual).
pub(crate) fn residual_norm(x: Tensor<3>, y: Tensor<3>, gamma: Tensor<1>, beta: Tensor<1>, epsilon: f64) -> Tensor<3> {
    Tensor::from_dispatch(<Dispatch as Kernels>::residual_norm(
        x.into_dispatch(),
        y.into_dispatch(),
        gamma.into_dispatch(),
        beta.into_dispatch(),
        epsilon,
    ))
}

/// See [`attend`](crate::attention::attend).
pub(crate) fn attention(
    q: Tensor<3>,
    k: Tensor<3>,
    v: Tensor<3>,
    heads: usize,
    lengths: [&[usize]; 2],
    dropout: Option<&Masks>,
) -> Tensor<3> {
    Tensor::from_dispatch(<Dispatch as Kernels>::attention(
        q.into_dispatch(),
        k.into_dispatch(),
        v.into_dispatch(),
        heads,
        lengths.map(<[usize]>::to_vec),
        dropout.cloned(),
    ))
}

/// See [`BiLstm::forward`](crate::lstm::BiLstm::forward).
pub(crate) fn bilstm(
    x: Tensor<3>,
    w_ih: Tensor<3>,
    w_hh: Tensor<3>,
    bias: Tensor<2>,
    lengths: &[usize],
    packs: &Memo<Packs>,
) -> Tensor<3> {
    Tensor::from_dispatch(<Dispatch as Kernels>::bilstm(
        x.into_dispatch(),
        w_ih.into_dispatch(),
        w_hh.into_dispatch(),
        bias.into_dispatch(),
        lengths.to_vec(),
        packs.clone(),
    ))
}

/// See [`Linear::forward`](crate::linear::Linear::forward).
pub(crate) fn linear(
    x: Tensor<3>,
    weight: Tensor<2>,
    bias: Tensor<1>,
    lengths: &[usize],
    packs: &Memo<LinearPacks>,
) -> Tensor<3> {
    Tensor::from_dispatch(<Dispatch as Kernels>::linear(
        x.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        lengths.to_vec(),
        packs.clone(),
    ))
}

/// See [`pair_loss`](crate::relation::pair_loss).
pub(crate) fn pair_loss(projection: &Projection, positives: &[Positive], lengths: &[usize]) -> Tensor<1> {
    Tensor::from_dispatch(<Dispatch as Kernels>::pair_loss(
        projection.head.clone().into_dispatch(),
        projection.tail.clone().into_dispatch(),
        projection.v.clone().into_dispatch(),
        positives.to_vec(),
        lengths.to_vec(),
    ))
}

/// See [`negative_log_likelihood`](crate::crf::negative_log_likelihood).
pub(crate) fn negative_log_likelihood(potentials: &Potentials, tags: &[Vec<u32>]) -> Tensor<1> {
    Tensor::from_dispatch(<Dispatch as Kernels>::negative_log_likelihood(
        potentials.first.clone().into_dispatch(),
        potentials.pair.clone().into_dispatch(),
        potentials.end.clone().into_dispatch(),
        tags.to_vec(),
    ))
}
