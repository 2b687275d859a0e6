//! Errors as clients see them.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use cman_model::ModelError;
use serde::Serialize;
use utoipa::ToSchema;

/// The longest detail, in characters: it may quote what the client sent.
const MOST_DETAIL: usize = 400;

/// Why a request has no other answer: the body of every error, with the content type `application/problem+json`
/// (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the status says which kind of problem it is.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The name of the status.
    title: &'static str,
    /// The status of the answer.
    status: u16,
    /// What was expected, and what was found.
    detail: String,
    /// The part of the request that is wrong, such as `options.n_best`.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// The line of the request in which the JSON is wrong, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    /// The column in that line, in bytes, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
    #[serde(skip)]
    retry: Option<Duration>,
}

impl Problem {
    /// A problem with this status.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let mut detail: String = detail.into();
        if let Some((end, _)) = detail.char_indices().nth(MOST_DETAIL) {
            detail.truncate(end);
            detail.push('…');
        }
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail,
            field: None,
            line: None,
            column: None,
            retry: None,
        }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What was expected, and what was found.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Names the part of the request that is wrong.
    pub(crate) fn field(self, field: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..self }
    }

    /// States where the JSON is wrong.
    pub(crate) fn at(self, line: usize, column: usize) -> Self {
        Self { line: u32::try_from(line).ok(), column: u32::try_from(column).ok(), ..self }
    }

    /// States when the client may try again.
    pub(crate) fn retry(self, after: Duration) -> Self {
        Self { retry: Some(after), ..self }
    }

    pub(crate) fn invalid(field: impl Into<String>, expected: impl Into<String>) -> Self {
        let (field, expected) = (field.into(), expected.into());
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, format!("{field}: {expected}")).field(field)
    }

    pub(crate) fn too_large(field: impl Into<String>, expected: impl Into<String>) -> Self {
        let (field, expected) = (field.into(), expected.into());
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, format!("{field}: {expected}")).field(field)
    }

    pub(crate) fn unauthorized(detail: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, detail)
    }

    pub(crate) fn stopping() -> Self {
        let detail = "the service stops and accepts no more requests";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry(Duration::from_secs(5))
    }

    pub(crate) fn too_many_requests(most: usize) -> Self {
        let detail = format!("{most} requests are being answered, which is the maximum (--max-concurrent-requests)");
        Self::new(StatusCode::TOO_MANY_REQUESTS, detail).retry(Duration::from_secs(1))
    }

    pub(crate) fn queue_full() -> Self {
        let detail = "too many texts are waiting (--max-queue)";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry(Duration::from_secs(1))
    }

    pub(crate) fn no_worker() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "the thread that runs the model has ended; restart the service")
    }

    pub(crate) fn slow_client(limit: Duration) -> Self {
        let detail = format!("the body did not arrive within {} s", limit.as_secs_f64());
        Self::new(StatusCode::REQUEST_TIMEOUT, detail)
    }

    pub(crate) fn slow_model(limit: Duration) -> Self {
        let detail = format!("there was no answer within {} s (--request-timeout)", limit.as_secs_f64());
        Self::new(StatusCode::GATEWAY_TIMEOUT, detail).retry(Duration::from_secs(1))
    }

    pub(crate) fn panic() -> Self {
        let detail = "the service failed on this request; its log says where";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    }

    /// The problem of a text with this name that a model refuses.
    pub(crate) fn refused(error: &ModelError, text: &str) -> Self {
        match error {
            ModelError::Setting { field, expected, found } => {
                Self::invalid(format!("options.{field}"), format!("expected {expected}, found {found}"))
            }
            ModelError::GivenEntity { index, expected, start, end } => {
                Self::invalid(format!("entities[{index}]"), format!("expected {expected}, found {start} to {end}"))
            }
            ModelError::Memory { .. } => Self::too_large(text, error.to_string()),
            _ => Self::invalid(text, error.to_string()),
        }
    }

    /// The problem of a text that was accepted and that a model cannot read.
    pub(crate) fn failed(error: &ModelError) -> Self {
        match error {
            ModelError::Memory { .. } => {
                let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string());
                problem.retry(Duration::from_secs(5))
            }
            _ => Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(retry) = self.retry {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(retry.as_secs()));
        }
        if self.status() == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_detail_is_cut_between_characters() {
        let problem = Problem::new(StatusCode::BAD_REQUEST, "é".repeat(1000));
        assert_eq!(problem.detail().chars().count(), MOST_DETAIL + 1);
    }

    #[test]
    fn empty_parts_are_left_out() {
        let json = serde_json::to_value(Problem::invalid("options.n_best", "expected 1")).unwrap();
        let expected = serde_json::json!({
            "type": "about:blank", "title": "Unprocessable Entity", "status": 422,
            "detail": "options.n_best: expected 1", "field": "options.n_best",
        });
        assert_eq!(json, expected);
    }
}
