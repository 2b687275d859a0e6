//! Settings of the adversarial step.

use serde::{Deserialize, Serialize};

/// Settings of the adversarial step (eq. 14).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdversarialConfig {
    /// Size of the perturbation relative to the square root of the input width; 0: no adversarial step.
    pub alpha: f64,
    /// What is perturbed.
    pub scope: Scope,
}

impl Default for AdversarialConfig {
    fn default() -> Self {
        Self { alpha: 0.01, scope: Scope::All }
    }
}

/// Which part of the input is perturbed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// The whole concatenated input.
    #[default]
    All,
    /// Words and characters, not the contextual vectors.
    Embeddings,
}
