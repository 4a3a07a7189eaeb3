//! The parts of a bulk answer that are looked at. Everything else is left out of the answer by `filter_path`, or ignored.

use serde::Deserialize;

/// The longest reason that is kept, in bytes.
const MAX_REASON: usize = 1_024;

/// A bulk answer with status 200.
#[derive(Debug, Deserialize)]
struct Answer {
    items: Vec<Action>,
}

/// An item under the name of its action.
#[derive(Debug, Deserialize)]
struct Action {
    #[serde(alias = "create", alias = "update", alias = "delete", rename = "index")]
    item: Item,
}

/// An item.
#[derive(Debug, Deserialize)]
pub(super) struct Item {
    pub(super) status: u16,
    #[serde(default)]
    pub(super) error: Option<ErrorBody>,
    #[serde(default)]
    pub(super) failure_store: Option<String>,
}

/// Elasticsearch's description of an error.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ErrorBody {
    #[serde(rename = "type")]
    pub(super) error_type: Option<String>,
    #[serde(default)]
    pub(super) reason: Option<String>,
    #[serde(default)]
    pub(super) index: Option<String>,
    #[serde(default)]
    caused_by: Option<Cause>,
}

/// What is behind an error.
#[derive(Debug, Deserialize)]
struct Cause {
    #[serde(default)]
    reason: Option<String>,
}

impl ErrorBody {
    /// The reason and that of the cause, capped where a character ends.
    pub(super) fn text(&self) -> String {
        let mut text = self.reason.clone().unwrap_or_default();
        if let Some(cause) = self.caused_by.as_ref().and_then(|cause| cause.reason.as_deref()) {
            text.push_str(": ");
            text.push_str(cause);
        }
        text.truncate(text.floor_char_boundary(MAX_REASON));
        text
    }

    /// The type, or "none".
    pub(super) fn type_or_none(&self) -> &str {
        self.error_type.as_deref().unwrap_or("none")
    }
}

/// The items of a bulk answer with status 200.
pub(super) fn items(body: &[u8]) -> serde_json::Result<Vec<Item>> {
    let answer: Answer = serde_json::from_slice(body)?;
    Ok(answer.items.into_iter().map(|action| action.item).collect())
}

/// The error of a request that failed as a whole; none if the body is not Elasticsearch's. An error that is a mere text, as
/// Elasticsearch has for an unknown path, has no type.
pub(super) fn request_error(body: &[u8]) -> Option<ErrorBody> {
    #[derive(Deserialize)]
    struct Failure {
        error: Described,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Described {
        Typed(ErrorBody),
        Text(String),
    }
    match serde_json::from_slice::<Failure>(body).ok()?.error {
        Described::Typed(error) => Some(error),
        Described::Text(text) => Some(ErrorBody { reason: Some(text), ..ErrorBody::default() }),
    }
}
