//! What a conversion leaves out or changes, on standard error.

use cman_data::{LossKind, Losses};
use cman_view::printable;

use crate::notes::note;

/// Prints what is left out or changed, one line per kind, and the options that keep more.
pub fn note_losses(losses: &Losses) {
    for loss in losses.kinds() {
        note(printable(&loss.to_string()));
    }
    for (kind, option) in [
        (LossKind::DividedDocument, "(`--whole-documents` keeps each document as one sentence)"),
        (LossKind::Prediction, "(`cman convert --predictions` reads them)"),
    ] {
        if losses.count(kind) > 0 {
            note(option);
        }
    }
}
