//! What is logged and counted of every request. Texts are not logged.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};

use crate::shared::Shared;

/// How much of a request was read. Handlers add it to their answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    pub texts: usize,
    pub tokens: usize,
}

pub(crate) async fn observe(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let _open = shared.metrics.begin();
    // Only routes of the service, so that clients cannot make up labels.
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let response = next.run(request).await;
    let (time, status) = (start.elapsed(), response.status().as_u16());
    shared.metrics.request(&route, status, time);
    let ms = (time.as_secs_f64() * 1e5).round() / 100.0;
    match response.extensions().get::<Work>() {
        Some(Work { texts, tokens }) => tracing::info!(%method, route, status, ms, texts, tokens, "request"),
        None if route.starts_with("/health") || route == "/metrics" => {
            tracing::debug!(%method, route, status, ms, "request");
        }
        None => tracing::info!(%method, route, status, ms, "request"),
    }
    response
}
