//! Requests for extraction.

use std::{sync::Arc, time::Duration};

use cman_model::{ExtractOptions, GivenEntity};
use serde::Deserialize;

use crate::{json::Object, problem::Problem, queue::Prepared, shared::Shared};

/// Requests with at most this many bytes are checked at once. Larger ones would hold up others.
const INLINE: usize = 16_384;

/// The body of a request.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ExtractRequest {
    pub model: Option<String>,
    pub text: Option<String>,
    pub texts: Option<Vec<String>>,
    pub options: Option<Object<ExtractOptions>>,
    pub entities: Option<Vec<Object<GivenEntity>>>,
}

impl ExtractRequest {
    /// Checks the request and cuts its texts into tokens.
    pub async fn prepare(self, shared: &Shared) -> Result<Prepared, Problem> {
        let bytes = self.text.iter().chain(self.texts.iter().flatten()).map(String::len).sum::<usize>();
        if bytes <= INLINE {
            return self.prepare_now(shared);
        }
        let shared = shared.clone();
        let task = tokio::task::spawn_blocking(move || self.prepare_now(&shared));
        task.await.unwrap_or_else(|_panic| Err(Problem::panic()))
    }

    fn prepare_now(self, shared: &Shared) -> Result<Prepared, Problem> {
        let Self { model, text, texts, options, entities } = self;
        let settings = &shared.settings;
        let Some(index) = shared.models.index(model.as_deref()) else {
            let names: Vec<String> = shared.models.names().map(|name| format!("`{name}`")).collect();
            let found = model.unwrap_or_default();
            return Err(Problem::invalid("model", format!("expected {}, found `{found}`", names.join(" or "))));
        };
        let is_single = text.is_some();
        let texts = match (text, texts) {
            (Some(text), None) => vec![text],
            (None, Some(texts)) if !texts.is_empty() => texts,
            (None, Some(_)) => return Err(Problem::invalid("texts", "expected at least one text, found none")),
            (Some(_), Some(_)) => return Err(Problem::invalid("texts", "expected `text` or `texts`, found both")),
            (None, None) => return Err(Problem::invalid("text", "expected `text` or `texts`, found neither")),
        };
        let name = |i: usize| if is_single { "text".to_owned() } else { format!("texts[{i}]") };
        if texts.len() > settings.max_texts {
            let expected =
                format!("expected at most {} texts (--max-texts), found {}", settings.max_texts, texts.len());
            return Err(Problem::too_large("texts", expected));
        }
        for (i, text) in texts.iter().enumerate() {
            // A text has at most as many characters as bytes.
            if text.len() > settings.max_text_chars && text.chars().count() > settings.max_text_chars {
                let (most, found) = (settings.max_text_chars, text.chars().count());
                let expected = format!("expected at most {most} characters (--max-text-chars), found {found}");
                return Err(Problem::too_large(name(i), expected));
            }
        }
        if entities.is_some() && texts.len() != 1 {
            let expected = format!("expected one text if entities are given, found {}", texts.len());
            return Err(Problem::invalid("texts", expected));
        }
        let entities: Option<Vec<GivenEntity>> =
            entities.map(|entities| entities.into_iter().map(|Object(entity)| entity).collect());
        let options = options.map(|Object(options)| options).unwrap_or_else(|| ExtractOptions {
            max_tokens: ExtractOptions::default().max_tokens.min(settings.max_sentence_tokens),
            ..ExtractOptions::default()
        });
        if options.max_tokens > settings.max_sentence_tokens {
            let (most, found) = (settings.max_sentence_tokens, options.max_tokens);
            let expected = format!("expected at most {most} (--max-sentence-tokens), found {found}");
            return Err(Problem::invalid("options.max_tokens", expected));
        }
        let engine = shared.models.engine(index);
        let prepare = |(i, text): (usize, String)| {
            let prepared = engine.prepare(text, &options, entities.as_deref());
            prepared.map_err(|error| Problem::refused(&error, &name(i)))
        };
        let texts = texts.into_iter().enumerate().map(prepare).collect::<Result<_, _>>()?;
        Ok(Prepared { model: index, options: Arc::new(options), texts })
    }
}

/// Waits for a result, but not longer than this.
pub(crate) async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_late| Err(Problem::slow_model(limit)))
}
