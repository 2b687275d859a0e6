//! What the service says about itself: `/info`, `/health`, `/metrics` and `/openapi.json`.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use serde::Serialize;
use utoipa::{ToSchema, openapi::OpenApi};

use crate::{engine::ModelInfo, problem::Problem, shared::Shared};

/// What a client has to know.
#[derive(Serialize, ToSchema)]
pub(crate) struct Info {
    /// The version of the service.
    version: &'static str,
    /// The models. The first one answers requests that name none.
    models: Vec<NamedModel>,
    limits: LimitsInfo,
}

/// A model of the service.
#[derive(Serialize, ToSchema)]
pub(crate) struct NamedModel {
    /// The name for the field `model` of requests.
    name: String,
    #[serde(flatten)]
    info: ModelInfo,
}

/// Limits of requests.
#[derive(Serialize, ToSchema)]
pub(crate) struct LimitsInfo {
    /// Bytes of a body, and of a line of a stream.
    max_body: usize,
    /// Texts per request.
    max_texts: usize,
    /// Characters per text.
    max_text_chars: usize,
    /// Tokens of a sentence that is read as a whole.
    max_sentence_tokens: usize,
    /// Requests for extraction at a time.
    max_concurrent_requests: usize,
    /// Seconds until a request is given up.
    request_timeout: f64,
}

/// Whether the service can be used.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ready`, or `stopping` if the service accepts no more requests.
    status: &'static str,
}

fn json(value: &impl Serialize) -> Response {
    let mut response = Response::new(Body::from(serde_json::to_vec(value).unwrap_or_default()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Models, their types, and limits
#[utoipa::path(
    get, path = "/info", tag = "service", security((), ("key" = [])),
    responses(
        (status = 200, description = "What a client has to know", body = Info),
        (status = 401, description = "The key is missing or wrong", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn info(State(shared): State<Shared>) -> Response {
    let settings = &shared.settings;
    let models = shared.models.iter().map(|(name, engine)| NamedModel { name: name.to_string(), info: engine.info() });
    json(&Info {
        version: env!("CARGO_PKG_VERSION"),
        models: models.collect(),
        limits: LimitsInfo {
            max_body: settings.max_body,
            max_texts: settings.max_texts,
            max_text_chars: settings.max_text_chars,
            max_sentence_tokens: settings.max_sentence_tokens,
            max_concurrent_requests: settings.max_concurrent_requests,
            request_timeout: settings.request_timeout.as_secs_f64(),
        },
    })
}

/// Whether the service accepts requests
#[utoipa::path(
    get, path = "/health", tag = "service",
    responses(
        (status = 200, description = "It does", body = Health),
        (status = 503, description = "It stops, or has failed", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn health(State(shared): State<Shared>) -> Result<Response, Problem> {
    if shared.is_stopping() {
        return Err(Problem::stopping());
    }
    live(State(shared)).await
}

/// Whether the service works, also while it stops
#[utoipa::path(
    get, path = "/health/live", tag = "service",
    responses(
        (status = 200, description = "It does", body = Health),
        (status = 503, description = "It has failed and has to be restarted", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn live(State(shared): State<Shared>) -> Result<Response, Problem> {
    if !shared.queue.is_alive() {
        return Err(Problem::no_worker());
    }
    let status = if shared.is_stopping() { "stopping" } else { "ready" };
    Ok(json(&Health { status }))
}

/// Counts and times, in Prometheus's text format
#[utoipa::path(
    get, path = "/metrics", tag = "service", security((), ("key" = [])),
    responses(
        (status = 200, description = "The metrics", body = String, content_type = "text/plain"),
        (status = 401, description = "The key is missing or wrong", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn metrics(State(shared): State<Shared>) -> Response {
    let (kind, text) = shared.metrics.text_format(shared.queue.len());
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// The answer with the description of the service.
pub(super) fn openapi_json(description: &OpenApi) -> Result<Response, Problem> {
    let text = description.to_json().map_err(|_| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the description of the service cannot be written")
    })?;
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
