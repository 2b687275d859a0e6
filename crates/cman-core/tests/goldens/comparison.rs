//! Holds values and gradients against the expected ones.

use std::collections::BTreeSet;

use burn::{
    module::{Module, ModuleVisitor, Param},
    tensor::{Gradients, Tensor},
};
use cman_core::Cman;

use super::golden::Golden;

/// Largest deviation that passes, in parts of the largest expected number of a tensor.
const TOLERANCE: f64 = 1e-4;

/// Largest number that passes where all expected numbers are zero but for rounding in double precision (below
/// [`ROUNDING`]): the gradient of the bias of the keys, to which softmax is blind.
const ZERO: f64 = 1e-5;
const ROUNDING: f64 = 1e-12;

/// Holds results against the expected ones and keeps the largest deviation.
pub struct Comparison<'a> {
    pub golden: &'a Golden<'a>,
    /// Names of the expected values that nothing was held against so far.
    pub open: BTreeSet<&'a str>,
    /// The largest relative deviation, and where it was.
    pub worst: (f64, String),
}

impl<'a> Comparison<'a> {
    pub fn new(golden: &'a Golden<'a>) -> Self {
        let names = golden.tensors.names().into_iter();
        let open = names.filter_map(|name| name.strip_prefix("expected.")).collect();
        Self { golden, open, worst: (0.0, String::new()) }
    }

    pub fn tensor<const D: usize>(&mut self, name: &str, found: Tensor<D>) {
        let shape = found.dims();
        self.numbers(name, &shape, &found.try_into_vec_as::<f64>().unwrap());
    }

    /// NaN is expected at padding, minus infinity where something is forbidden.
    pub fn numbers(&mut self, name: &str, shape: &[usize], found: &[f64]) {
        let (expected_shape, expected) = self.expected(name);
        assert_eq!(shape, expected_shape, "{name}");
        let mut deviation: f64 = 0.0;
        let mut largest: f64 = 0.0;
        for (&found, &expected) in found.iter().zip(&expected).filter(|(_, expected)| !expected.is_nan()) {
            if expected == f64::NEG_INFINITY {
                assert!(found < -1e29, "{name}: {found} where the score should forbid");
                continue;
            }
            assert!(found.is_finite(), "{name}: {found} for {expected}");
            deviation = deviation.max((found - expected).abs());
            largest = largest.max(expected.abs());
        }
        if largest < ROUNDING {
            assert!(deviation <= ZERO, "{name}: {deviation} for zero");
            return;
        }
        let relative = deviation / largest;
        assert!(relative <= TOLERANCE, "{name}: deviates by {deviation}, the largest number being {largest}");
        if relative > self.worst.0 {
            self.worst = (relative, name.to_owned());
        }
    }

    pub fn ids(&mut self, name: &str, found: &[usize]) {
        let expected: Vec<usize> = self.expected(name).1.into_iter().map(|id| id as usize).collect();
        assert_eq!(found, expected, "{name}");
    }

    fn expected(&mut self, name: &str) -> (Vec<usize>, Vec<f64>) {
        assert!(self.open.remove(name), "{name}: no such reference value, or compared before");
        self.golden.numbers(&format!("expected.{name}"))
    }

    /// The gradient of every parameter; without one are those that are not trained, and they alone.
    pub fn gradients(&mut self, loss: &str, model: &Cman, gradients: &Gradients) {
        model.visit(&mut ParameterVisitor { path: Vec::new(), loss, gradients, comparison: self });
    }
}

struct ParameterVisitor<'a, 'b> {
    path: Vec<String>,
    loss: &'a str,
    gradients: &'a Gradients,
    comparison: &'a mut Comparison<'b>,
}

impl ModuleVisitor for ParameterVisitor<'_, '_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        if !container.starts_with("Enum:") {
            self.path.push(name.to_owned());
        }
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        if !container.starts_with("Enum:") {
            self.path.pop();
        }
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let path = self.path.join(".");
        let word = &self.comparison.golden.case.config.word;
        let is_frozen = path == "embedding.word.pretrained" || (path == "embedding.word.trained" && !word.trainable);
        match param.val().grad(self.gradients) {
            Some(gradient) => self.comparison.tensor(&format!("gradient.{}.{path}", self.loss), gradient),
            None => assert!(is_frozen, "no gradient for {path}"),
        }
    }
}
