//! The gradient of the whole loss agrees with finite differences in double precision. It is a separate test binary
//! because the float type of a device is set once per process.

mod common;

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param},
    tensor::{DType, Device, FloatDType, Gradients, Tensor, TensorData},
};
use burn_ragged::{Key, Mode, Ragged};
use cman_core::{Cman, Gold, TokenBatch};
use common::{batch, model, sentences, variants};

/// Moves every parameter by `step` along a random direction.
struct Along {
    step: f64,
    site: u64,
}

fn direction<const D: usize>(site: u64, shape: [usize; D], device: &Device) -> Tensor<D> {
    let values = Key::new(77).with(site).uniform(shape.iter().product(), 1.0);
    Tensor::from_data(TensorData::new(values, shape), device)
}

impl ModuleMapper for Along {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.site += 1;
        let (site, step) = (self.site, self.step);
        param.map(|x| {
            let direction = direction(site, x.dims(), &x.device());
            (x.detach() + direction * step).detach().require_grad()
        })
    }
}

/// The derivative along the same direction, from the gradients.
struct Derivative<'a> {
    gradients: &'a Gradients,
    site: u64,
    total: f64,
}

impl ModuleVisitor for Derivative<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.site += 1;
        let value = param.val();
        let gradient = value.grad(self.gradients).expect("a gradient for every parameter");
        let direction = direction(self.site, value.dims(), &gradient.device());
        self.total += (gradient * direction).sum().into_scalar::<f64>();
    }
}

/// Eq. 14 with a given perturbation.
fn total_loss(model: &Cman, batch: &TokenBatch, gold: &Gold, perturbation: &Tensor<3>) -> Tensor<1> {
    let loss = |x: Ragged| model.losses(x, gold, gold.tags(), Mode::Evaluate).joint();
    let x = model.embed(batch);
    loss(x.clone()) + loss(x.map(|x| x + perturbation.clone()))
}

#[test]
fn directional_derivatives_agree() {
    let mut device = Device::flex();
    device.configure(FloatDType::F64).expect("flex computes in double precision");
    let device = device.autodiff();
    for (name, config) in variants() {
        let data = sentences(&[5, 1, 7, 3], 8);
        let (batch, gold) = batch(&data.iter().collect::<Vec<_>>(), &config, &device);
        let model = model(&config, &device);
        let perturbation = direction(0, model.embed(&batch).values().dims(), &device) * 0.05;
        let loss = total_loss(&model, &batch, &gold, &perturbation);
        assert_eq!(loss.dtype(), DType::F64, "{name}");
        let mut derivative = Derivative { gradients: &loss.backward(), site: 0, total: 0.0 };
        model.visit(&mut derivative);
        let at = |step: f64| {
            let moved = model.clone().map(&mut Along { step, site: 0 });
            total_loss(&moved, &batch, &gold, &perturbation).into_scalar::<f64>()
        };
        let step = 1e-5;
        let difference = (at(step) - at(-step)) / (2.0 * step);
        let error = (difference - derivative.total).abs() / difference.abs().max(derivative.total.abs());
        println!("{name}: {} by gradients, {difference} by differences, relative error {error:.1e}", derivative.total);
        assert!(error < 1e-3, "{name}: {} by gradients, {difference} by differences", derivative.total);
    }
}
