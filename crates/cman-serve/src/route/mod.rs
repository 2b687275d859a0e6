//! The routes.

mod authorization;
mod body;
mod extract;
mod info;
mod lines;
mod page;
mod stream;

use std::{any::Any, sync::Arc};

use axum::{
    Router,
    http::{Method, StatusCode, Uri},
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::OpenApi;

use crate::{observe, problem::Problem, shared::Shared};

pub(crate) use extract::__path_extract;
pub(crate) use info::{__path_health, __path_info, __path_live, __path_metrics};
pub(crate) use stream::__path_extract_stream;

/// All routes, with what holds for each of them.
pub(crate) fn router(shared: &Shared, description: OpenApi) -> Router {
    let description = Arc::new(description);
    let with_key = Router::new()
        .route("/extract", post(extract::extract))
        .route("/extract/stream", post(stream::extract_stream))
        .route("/info", get(info::info))
        .route("/metrics", get(info::metrics))
        .route_layer(from_fn_with_state(shared.clone(), authorization::require_key));
    let open = Router::new()
        .route("/", get(page::page))
        .route("/health", get(info::health))
        .route("/health/live", get(info::live))
        .route("/openapi.json", get(async move || info::openapi_json(&description)));
    with_key
        .merge(open)
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(page::safe_headers))
        .layer(from_fn_with_state(shared.clone(), observe::observe))
        .with_state(shared.clone())
}

async fn not_found(uri: Uri) -> Problem {
    let detail = format!("no route {}; /openapi.json lists all", uri.path());
    Problem::new(StatusCode::NOT_FOUND, detail)
}

async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    let detail = format!("{} does not take {method}; the header `Allow` lists what it takes", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail)
}

/// A panic outside of the model. Its message may quote a text, so it is not logged.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a request panicked; the service goes on");
    Problem::panic().into_response()
}
