//! The models of a service.

use std::sync::Arc;

use crate::{engine::Engine, error::ServeError};

/// Models by their names. The first one answers requests that name none.
#[derive(Clone)]
pub struct Models(Vec<(Arc<str>, Arc<dyn Engine>)>);

impl Models {
    /// A single model.
    ///
    /// # Errors
    /// [`ServeError::ModelName`] for an empty name.
    pub fn new(name: &str, model: impl Engine) -> Result<Self, ServeError> {
        Self(Vec::new()).with(name, model)
    }

    /// Adds a model.
    ///
    /// # Errors
    /// [`ServeError::ModelName`] for an empty name, or a name that another model has.
    pub fn with(mut self, name: &str, model: impl Engine) -> Result<Self, ServeError> {
        let fail = |expected| Err(ServeError::ModelName { name: name.into(), expected });
        if name.is_empty() {
            return fail("a name");
        }
        if self.names().any(|other| other == name) {
            return fail("another name: two models have this one");
        }
        self.0.push((name.into(), Arc::new(model)));
        Ok(self)
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| &**name)
    }

    /// The index of a model; without a name, of the first one.
    pub(crate) fn index(&self, name: Option<&str>) -> Option<usize> {
        name.map_or(Some(0), |name| self.names().position(|other| other == name))
    }

    pub(crate) fn name(&self, index: usize) -> &Arc<str> {
        &self.0[index].0
    }

    pub(crate) fn engine(&self, index: usize) -> &Arc<dyn Engine> {
        &self.0[index].1
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<dyn Engine>)> {
        self.0.iter().map(|(name, engine)| (name, engine))
    }
}
