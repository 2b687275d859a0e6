//! Compares values and gradients with the expected ones.

use std::collections::BTreeSet;

use burn::{
    module::{Module, ModuleVisitor, Param},
    tensor::{Gradients, Tensor},
};
use cman_core::Cman;

use super::golden::Golden;

/// Largest accepted deviation, relative to the largest expected value of a tensor.
const TOLERANCE: f64 = 1e-4;

/// Largest accepted value if all expected values are zero up to rounding in double precision (below [`ROUNDING`]). This
/// is the gradient of the bias of the keys, to which softmax is invariant.
const ZERO: f64 = 1e-5;
const ROUNDING: f64 = 1e-12;

/// Compares results with the expected ones and records the largest deviation.
pub struct Comparison<'a> {
    pub golden: &'a Golden<'a>,
    /// Names of the expected values that are not compared yet.
    pub open: BTreeSet<&'a str>,
    /// The largest relative deviation, and its tensor.
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

    /// Expected values are NaN at padding and minus infinity for forbidden tags.
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

    /// Compares the gradients of all parameters. Exactly the parameters that are not trained have none.
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
