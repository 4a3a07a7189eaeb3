//! How a document was refused, and how much evidence a verdict needs in that case. Pure.

use std::time::Duration;

use crate::bulk::outcome::{FAILURE_STORE, Refusal, TIMED_OUT, Trouble, is_block};

/// A document is at fault after this many refusals, if the index accepted another document before each of them.
pub(super) const ROUNDS: u32 = 5;
/// The shortest time between the first and the last of these refusals.
pub(super) const SPAN: Duration = Duration::from_secs(5);
/// The shortest time for 5xx. A failing node also answers 5xx, for as long as a failover takes.
pub(super) const SERVER_SPAN: Duration = Duration::from_secs(10);
/// The number of refusals needed if the whole request failed. A node, a proxy or the network may cause such failures
/// at random, so only many in a row are evidence. Time-outs need fewer, because each takes long.
pub(super) const WHOLE_ROUNDS: u32 = 20;
/// The number of time-outs of a whole request needed.
pub(super) const TIMED_OUT_ROUNDS: u32 = 10;
/// The shortest time for these, and for documents in a failure store, which may be there because of a full node.
pub(super) const WHOLE_SPAN: Duration = Duration::from_secs(60);

/// How a document was refused. The message text is not part of it, because the text names the document.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cause {
    /// The status; 0 where the whole request failed.
    pub status: u16,
    /// Elasticsearch's `error.type`.
    pub error_type: String,
}

impl Cause {
    /// Returns the cause of `refusal`.
    pub fn of(refusal: &Refusal) -> Self {
        Self { status: refusal.status, error_type: refusal.error_type.clone() }
    }

    /// Returns whether only a newly written document proves the index healthy. A full shard refuses a new document
    /// with this type, but only after looking its id up, so it still answers 409 for an existing document
    /// (Elasticsearch's `InternalEngine`, `failAsTooManyDocs`).
    pub fn needs_writing(&self) -> bool {
        self.status == 400 && self.error_type == "illegal_argument_exception"
    }

    /// Returns whether the whole request failed, without an answer for the document.
    pub fn is_whole(&self) -> bool {
        self.status == 0
    }

    /// Returns whether the index is blocked until an operator fixes it. A document is never at fault for that.
    pub fn is_block(&self) -> bool {
        is_block(self.status, &self.error_type)
    }

    /// Returns whether the document failed for now ([`Refusal::of_item`]). A document is never at fault for that.
    pub fn is_transient(&self) -> bool {
        let words = [Trouble::Overload, Trouble::Server, Trouble::Unreadable].map(Trouble::as_str);
        !self.is_whole() && words.contains(&self.error_type.as_str())
    }

    /// Returns after how many refusals a document is at fault.
    pub(super) fn rounds(&self) -> u32 {
        match self.is_whole() {
            true if self.error_type == Trouble::TimedOut.as_str() => TIMED_OUT_ROUNDS,
            true => WHOLE_ROUNDS,
            false if self.status == TIMED_OUT => TIMED_OUT_ROUNDS,
            false => ROUNDS,
        }
    }

    /// Returns whether the document went into a failure store, which does not say why.
    pub fn is_stored(&self) -> bool {
        self.error_type == FAILURE_STORE
    }

    /// Returns the cause for a request that failed as a whole with `trouble`.
    pub fn of_whole(trouble: Trouble) -> Self {
        Self { status: 0, error_type: trouble.as_str().to_owned() }
    }

    /// Returns the shortest time between the first and the last of these refusals.
    pub(super) fn span(&self) -> Duration {
        if self.is_whole() || self.status == TIMED_OUT || self.is_stored() {
            return WHOLE_SPAN;
        }
        if self.status >= 500 { SERVER_SPAN } else { SPAN }
    }
}
