//! An HTTP service that finds entities and relations in texts.
//!
//! A [`Service`] holds trained models. One thread reads all texts: while it computes a batch, requests gather in a
//! bounded queue and form the next one. Requests are limited in number, size and time, and every error is a
//! [`Problem`]. The routes are described by `/openapi.json`; docs/SERVICE.md of the repository has examples.
//!
//! ```no_run
//! use burn_ragged::DeviceKind;
//! use cman_model::Extractor;
//! use cman_serve::{Models, Service, Settings};
//!
//! # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
//! let extractor = Extractor::load("model".as_ref(), &DeviceKind::Flex.device()?)?;
//! let service = Service::new(Models::new("model", extractor)?, Settings::default())?;
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//! service.serve(listener, std::future::pending()).await?;
//! # Ok(())
//! # }
//! ```

mod connections;
mod engine;
mod error;
mod json;
mod key;
mod metrics;
mod models;
mod observe;
mod openapi;
mod problem;
mod queue;
mod request;
mod route;
mod schema;
mod service;
mod settings;
mod shared;

pub use connections::Stopped;
pub use engine::{Engine, ModelInfo};
pub use error::ServeError;
pub use key::ApiKey;
pub use models::Models;
pub use openapi::openapi;
pub use problem::Problem;
pub use service::Service;
pub use settings::Settings;

/// The example of the README is compiled as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
