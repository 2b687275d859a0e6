//! The native module of the Python package `cman`.

mod arrow;
mod document;
mod errors;
mod extractor;
mod loading;
mod options;
mod text;
mod threads;
mod train;

use pyo3::prelude::*;

// The system allocator returns large buffers to the system on every free and pays for page faults on reuse.
#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Joint entity and relation extraction.
#[pymodule]
mod _cman {
    #[pymodule_export]
    use super::document::{Document, Entity, Relation, Sentence, restore_document};
    #[pymodule_export]
    use super::errors::CmanError;
    #[pymodule_export]
    use super::extractor::{Extractor, restore_extractor};
    #[pymodule_export]
    use super::train::train;
}
