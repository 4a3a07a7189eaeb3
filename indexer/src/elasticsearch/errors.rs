//! Elasticsearch's description of an error, in the answer to a request or to one item.

use serde::Deserialize;

/// The longest reason that is kept, in bytes.
const MAX_REASON: usize = 1_024;

/// Elasticsearch's description of an error.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ErrorBody {
    #[serde(rename = "type")]
    pub(crate) error_type: Option<String>,
    #[serde(default)]
    pub(crate) reason: Option<String>,
    #[serde(default)]
    pub(crate) index: Option<String>,
    #[serde(default)]
    caused_by: Option<Cause>,
}

/// The cause of an error.
#[derive(Debug, Deserialize)]
struct Cause {
    #[serde(default)]
    reason: Option<String>,
}

impl ErrorBody {
    /// Returns an error with only a reason.
    pub(crate) fn of_text(reason: String) -> Self {
        Self { reason: Some(reason), ..Self::default() }
    }

    /// Returns the reason and that of the cause, capped at a character boundary.
    pub(crate) fn text(&self) -> String {
        let mut text = self.reason.clone().unwrap_or_default();
        if let Some(cause) = self.caused_by.as_ref().and_then(|cause| cause.reason.as_deref()) {
            text.push_str(": ");
            text.push_str(cause);
        }
        text.truncate(text.floor_char_boundary(MAX_REASON));
        text
    }

    /// Returns the type, or "none".
    pub(crate) fn type_or_none(&self) -> &str {
        self.error_type.as_deref().unwrap_or("none")
    }
}

/// Returns the error of a request that failed as a whole, or `None` if the body is not Elasticsearch's: its errors have
/// a type, or are plain text that names something in brackets, as for an unknown path or alias. Proxies and load
/// balancers answer in JSON too, such as `{"error":"Not Found"}` or `{"error":{"code":404}}`.
pub(crate) fn request_error(body: &[u8]) -> Option<ErrorBody> {
    #[derive(Deserialize)]
    struct FailedAnswer {
        error: Described,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Described {
        Typed(ErrorBody),
        Text(String),
    }
    match serde_json::from_slice::<FailedAnswer>(body).ok()?.error {
        Described::Typed(error) => Some(error).filter(|error| error.error_type.is_some()),
        Described::Text(text) => Some(text).filter(|text| text.contains('[')).map(ErrorBody::of_text),
    }
}

/// Returns whether the body is an error of Elasticsearch itself, not of a proxy before it.
pub(crate) fn is_own_error(body: &[u8]) -> bool {
    request_error(body).is_some()
}

/// Returns the `error.type` of a request that failed as a whole, if the answer is Elasticsearch's.
pub(crate) fn request_error_type(body: &[u8]) -> Option<String> {
    request_error(body)?.error_type
}

#[cfg(test)]
mod tests;
