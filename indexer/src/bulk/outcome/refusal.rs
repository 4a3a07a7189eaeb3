//! Says why a document will never be accepted. Pure.

use super::trouble::{BulkFailure, MAX_DETAIL, Trouble};

/// The status of a document that Elasticsearch took too long for.
pub const TIMED_OUT: u16 = 408;

/// The `error_type` of a document that went into a data stream's failure store.
pub const FAILURE_STORE: &str = "failure_store";

/// Why a document will never be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status; 0 if the whole request failed, so that there is no answer for the document.
    pub status: u16,
    /// Elasticsearch's `error.type`, or a word of Penstock's own without one.
    pub error_type: String,
    /// Elasticsearch's `error.reason` and that of its cause, capped. It may quote the document.
    pub reason: String,
}

impl From<Refusal> for BulkFailure {
    fn from(refusal: Refusal) -> Self {
        let Refusal { status, error_type, reason, .. } = refusal;
        let mut detail = format!("status {status} {error_type}: {reason}");
        detail.truncate(detail.floor_char_boundary(MAX_DETAIL));
        let trouble = if status == TIMED_OUT { Trouble::TimedOut } else { Trouble::Server };
        Self { trouble, detail }
    }
}

impl Refusal {
    /// Returns whether the document went into the data stream's failure store.
    pub fn is_stored(&self) -> bool {
        self.error_type == FAILURE_STORE
    }

    /// Describes a document of `bytes` that is too large for a request of its own.
    pub fn too_large(bytes: usize) -> Self {
        Self {
            status: 413,
            error_type: "content_too_large".to_owned(),
            reason: format!(
                "{bytes} bytes alone are more than a request may have (http.max_content_length, or a proxy's limit)"
            ),
        }
    }

    /// Describes a document that went into a failure store, with `status`.
    pub(super) fn stored(status: u16) -> Self {
        Self {
            status,
            error_type: FAILURE_STORE.to_owned(),
            reason: "Elasticsearch put the document into the data stream's failure store, with the reason".to_owned(),
        }
    }

    /// Describes a document whose index has been deleted, if the config asks for a dead letter.
    pub fn expired() -> Self {
        Self {
            status: 404,
            error_type: "expired".to_owned(),
            reason: "its backing index is deleted (elasticsearch.placement.expired)".to_owned(),
        }
    }

    /// Describes a document that fails for now again and again, with `failure`.
    pub fn of_item(failure: &BulkFailure) -> Self {
        let status = if failure.trouble == Trouble::Overload { 429 } else { 503 };
        Self { status, ..Self::of_whole(failure) }
    }

    /// Describes a document whose request failed as a whole with `failure`.
    pub fn of_whole(failure: &BulkFailure) -> Self {
        Self { status: 0, error_type: failure.trouble.as_str().to_owned(), reason: failure.detail.clone() }
    }
}

#[cfg(test)]
mod tests;
