//! `POST /extract/stream`.

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, header},
    response::Response,
};
use cman_model::{Document, ExtractOptions, GivenEntity};
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    body,
    lines::{Line, Lines},
};
use crate::{
    json::{self, Object},
    problem::Problem,
    queue::documents,
    request::{ExtractRequest, within},
    schema::{StreamAnswer, StreamLine},
    shared::Shared,
};

/// Content types of lines of JSON.
const TYPES: [&str; 3] = ["application/x-ndjson", "application/jsonl", "application/ndjson"];

/// A line of the request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    #[serde(default)]
    id: Option<Box<RawValue>>,
    text: String,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    options: Option<Object<ExtractOptions>>,
    #[serde(default)]
    entities: Option<Vec<Object<GivenEntity>>>,
}

/// A line of the answer.
#[derive(Serialize)]
struct AnswerLine {
    line: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<Document>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Problem>,
}

/// Extract from many texts
///
/// Takes a JSON object per line and answers with a JSON object per line, in the same order, as soon as each is read. A
/// line that cannot be read has an answer with `error`, and the stream goes on. The service reads ahead of its answers by
/// a fixed number of lines, so a client that sends much has to read the answers while it sends.
#[utoipa::path(
    post, path = "/extract/stream", tag = "extraction", security((), ("key" = [])),
    request_body(content = StreamLine, content_type = "application/x-ndjson"),
    responses(
        (status = 200, description = "A line for each line that is not blank", body = StreamAnswer, content_type = "application/x-ndjson"),
        (status = 401, description = "The key is missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The content type is another", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests at a time", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The service stops", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn extract_stream(State(shared): State<Shared>, request: Request) -> Result<Response, Problem> {
    let place = body::place(&shared)?;
    body::check_type(&request, &TYPES)?;
    let settings = &shared.settings;
    let (window, stopping) = (settings.stream_window, shared.stopping.subscribe());
    let lines = Lines::new(request.into_body(), settings.max_body, settings.client_timeout, stopping);
    let lines = stream::unfold(lines, |mut lines| async move { Some((lines.next().await?, lines)) });
    // At most `window` lines are read ahead, and their answers come in order. The place is held to the end.
    let answers = lines.map(move |line| answer(shared.clone(), line)).buffered(window);
    let answers = answers.map(move |line| {
        let _held = &place;
        Ok::<_, std::convert::Infallible>(line)
    });
    let mut response = Response::new(Body::from_stream(answers));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(TYPES[0]));
    Ok(response)
}

/// The line that answers a line.
async fn answer(shared: Shared, Line { number, content }: Line) -> Vec<u8> {
    let mut id = None;
    let result = match content {
        Err(problem) => Err(problem),
        Ok(bytes) => within(shared.settings.request_timeout, read(&shared, &bytes, &mut id)).await,
    };
    shared.metrics.line(result.is_ok());
    let (document, error) = match result {
        Ok(document) => (Some(document), None),
        Err(problem) => (None, Some(problem)),
    };
    let line = AnswerLine { line: number, id, document, error };
    let mut bytes = serde_json::to_vec(&line).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

async fn read(shared: &Shared, bytes: &[u8], id: &mut Option<Box<RawValue>>) -> Result<Document, Problem> {
    let record: Record = json::parse(bytes)?;
    *id = record.id;
    let Record { text, model, options, entities, .. } = record;
    let request = ExtractRequest { model, text: Some(text), texts: None, options, entities };
    let prepared = request.prepare(shared).await?;
    let documents = documents(shared.queue.send_patiently(prepared).await?).await?;
    documents.into_iter().next().ok_or_else(Problem::panic)
}
