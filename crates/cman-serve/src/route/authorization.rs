//! Requests need the key, if the service has one.

use axum::{
    extract::{Request, State},
    http::header::AUTHORIZATION,
    middleware::Next,
    response::Response,
};

use crate::{problem::Problem, shared::Shared};

/// Refuses a request without the key.
pub(super) async fn require_key(
    State(shared): State<Shared>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if let Some(key) = &shared.settings.api_key {
        let header = request.headers().get(AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
        let sent = header.and_then(|header| {
            let (scheme, key) = header.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
        });
        match sent {
            Some(sent) if key.is(sent) => {}
            Some(_) => return Err(Problem::unauthorized("the key is not the key of this service")),
            None => return Err(Problem::unauthorized("expected the header `Authorization: Bearer KEY`")),
        }
    }
    Ok(next.run(request).await)
}
