//! The body of a request: its type, its size, and the time it takes.

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{StatusCode, header},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, timeout_at},
};

use crate::{problem::Problem, shared::Shared};

/// A place among the requests for extraction.
///
/// # Errors
/// Status 503 when the service stops, 429 when all places are taken.
pub(super) fn place(shared: &Shared) -> Result<OwnedSemaphorePermit, Problem> {
    if shared.is_stopping() {
        return Err(Problem::stopping());
    }
    let place = std::sync::Arc::clone(&shared.requests).try_acquire_owned();
    place.map_err(|_| Problem::too_many_requests(shared.settings.max_concurrent_requests))
}

/// Checks the type of a body.
///
/// # Errors
/// Status 415 for another type.
pub(super) fn check_type(request: &Request, allowed: &[&str]) -> Result<(), Problem> {
    let header = request.headers().get(header::CONTENT_TYPE);
    let found = header.map(|value| value.to_str().unwrap_or_default());
    let essence = found.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if allowed.iter().any(|allowed| essence.eq_ignore_ascii_case(allowed)) {
        return Ok(());
    }
    let found = found.map_or("none".into(), |found| format!("`{found}`"));
    let detail = format!("expected the content type {}, found {found}", allowed[0]);
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail))
}

/// Reads a whole body.
///
/// # Errors
/// Status 413 for a body above the limit, 408 for one that does not arrive in time.
pub(super) async fn read(shared: &Shared, body: Body) -> Result<Bytes, Problem> {
    let (most, limit) = (shared.settings.max_body, shared.settings.client_timeout);
    let announced = hyper::body::Body::size_hint(&body).lower();
    if announced > most as u64 {
        return Err(too_large(most));
    }
    let read = timeout_at(Instant::now() + limit, Limited::new(body, most).collect());
    let body = read.await.map_err(|_late| Problem::slow_client(limit))?;
    let body = body.map_err(|error| match error.downcast_ref::<LengthLimitError>() {
        Some(_) => too_large(most),
        None => Problem::new(StatusCode::BAD_REQUEST, "the body ended before it was complete"),
    })?;
    Ok(body.to_bytes())
}

fn too_large(most: usize) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("expected a body of at most {most} bytes (--max-body)"))
}
