//! `POST /extract`.

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, header},
    response::Response,
};
use cman_model::Document;
use serde::Serialize;

use super::body;
use crate::{
    json,
    observe::Work,
    problem::Problem,
    queue::documents,
    request::{ExtractRequest, within},
    schema::{ExtractAnswer, ExtractBody},
    shared::Shared,
};

/// The answer of the model to a request.
#[derive(Serialize)]
struct Answer<'a> {
    model: &'a str,
    documents: &'a [Document],
}

/// Extract entities and relations
///
/// Reads one text or several. Texts of requests that wait at the same time are read in one batch.
#[utoipa::path(
    post, path = "/extract", tag = "extraction", security((), ("key" = [])),
    request_body(content = ExtractBody, content_type = "application/json"),
    responses(
        (status = 200, description = "A document for each text, in the order of the texts", body = ExtractAnswer),
        (status = 400, description = "The body is not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "The key is missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body did not arrive in time", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body or a text is too large", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The content type is another", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field of the body is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests at a time", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "The service failed on this request", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Too many texts wait, or the service stops", body = Problem, content_type = "application/problem+json"),
        (status = 504, description = "The answer took too long", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn extract(State(shared): State<Shared>, request: Request) -> Result<Response, Problem> {
    let _place = body::place(&shared)?;
    body::check_type(&request, &["application/json"])?;
    let bytes = body::read(&shared, request.into_body()).await?;
    let work = async {
        let prepared = json::parse::<ExtractRequest>(&bytes)?.prepare(&shared).await?;
        let (model, tokens) = (prepared.model, prepared.tokens());
        let documents = documents(shared.queue.send(prepared)?).await?;
        Ok((model, tokens, documents))
    };
    let (model, tokens, documents) = within(shared.settings.request_timeout, work).await?;
    let answer = Answer { model: shared.models.name(model), documents: &documents };
    let body = serde_json::to_vec(&answer).map_err(|_| Problem::panic())?;
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.extensions_mut().insert(Work { texts: documents.len(), tokens });
    Ok(response)
}
