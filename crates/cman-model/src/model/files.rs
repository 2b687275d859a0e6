//! File names in a model directory.

use super::Model;

/// Format version, library version and sizes.
pub(super) const MANIFEST: &str = "model.json";
/// The configuration of the training run.
pub(super) const CONFIG: &str = "config.toml";
/// Entity and relation types.
pub(super) const LABELS: &str = "labels.json";
/// Words and characters.
pub(super) const VOCABULARIES: &str = "vocabularies.json";
/// The weights.
pub(super) const WEIGHTS: &str = "model.safetensors";
/// The scores of the kept epoch.
pub(super) const SCORES: &str = "scores.json";
/// The signatures of the relations of the training data. Models of earlier versions have none.
pub(super) const SIGNATURES: &str = "signatures.json";
/// The temperatures of confidences, if they were fitted.
pub(super) const CALIBRATION: &str = "calibration.json";

impl Model {
    /// The files of a model directory that decide what the model finds, so far as it has them.
    pub const FILES: [&str; 7] = [CALIBRATION, CONFIG, LABELS, MANIFEST, WEIGHTS, SIGNATURES, VOCABULARIES];
}
