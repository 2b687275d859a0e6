//! A service with a small model that was trained on the sample corpus, over real connections.

mod batches;
mod client;
mod engines;
mod extraction;
mod hostile;
mod key;
mod openapi;
mod problems;
mod running;
mod stopping;
mod streams;
