//! Interprets the answer to a bulk request. Pure.
//!
//! The status decides first, then `error.type`. The text of a message never decides, because it changes from version
//! to version. A new rule is one more arm here and one more row in `outcome/tests.rs`.
//!
//! A document is settled only if Elasticsearch says so. Answers that are not understood are retried, and what only an
//! operator can fix blocks.

use crate::elasticsearch::errors::{ErrorBody, request_error};
use crate::elasticsearch::{SendError, ServerAnswer};
use answer::Item;
use class::{Class, Kind};

pub use block::{Block, BlockKind};
pub use obstacle::Obstacle;
pub use refusal::{FAILURE_STORE, Refusal, TIMED_OUT};
use trouble::MAX_DETAIL;
pub use trouble::{BulkFailure, Trouble};

mod answer;
mod block;
mod class;
mod obstacle;
mod refusal;
mod trouble;

/// The parts of an answer that are read here. Elasticsearch ignores the filter if a request fails as a whole.
pub(super) const FILTER_PATH: &str = "items.*.status,items.*.failure_store,items.*.error.type,items.*.error.reason,\
    items.*.error.index,items.*.error.caused_by.reason,error,status";
/// The part that is also read for the action `index`, which answers 200 for a replaced document and for a dropped one.
pub(super) const RESULT: &str = "items.*.result";

/// The outcome of a whole request.
#[derive(Debug, PartialEq)]
pub enum Judgement {
    /// Each item has its own outcome, in the order of sending.
    Items(Vec<Fate>),
    /// The request failed for now: send all of it again.
    Retry(BulkFailure),
    /// The request is larger than Elasticsearch, or a proxy before it, accepts.
    TooLarge,
    /// The request was refused as a whole, and the cause is unknown. Even an error of parsing is not certainly a
    /// document's: the server reads only the action lines before it divides a request, and a proxy may have changed its
    /// path or body.
    Doubtful(Refusal),
    /// Elasticsearch failed at this request (5xx other than the transient ones). Doubtful if it happens again.
    Faulted(Refusal),
    /// An operator must fix something first.
    Blocked(Block),
    /// The index does not exist.
    IndexMissing,
}

/// The outcome of one item.
#[derive(Debug, PartialEq)]
pub enum Fate {
    /// The document was written.
    Indexed,
    /// The document was not written, because an ingest pipeline of its index dropped it, as its operator wants.
    Dropped,
    /// The id is taken by a document in this index, if the answer names it.
    Duplicate(Option<String>),
    /// The document will never be accepted.
    Refused(Refusal),
    /// The document was not accepted, and the cause is unknown.
    Doubtful(Refusal),
    /// Elasticsearch failed (5xx other than the transient ones), or took too long for this document (408). Doubtful if
    /// it happens again for the same document.
    Faulted(Refusal),
    /// The index does not know one of the document's fields. Doubtful if it happens again after the mapping has been
    /// updated.
    NotMapped(Refusal),
    /// The document failed for now.
    Retry(BulkFailure),
    /// An operator must fix something first.
    Blocked(Block),
    /// The index does not exist. Doubtful if it happens again after the index has been created.
    IndexMissing(Refusal),
}

/// Returns whether only an operator can fix the error of `status` and `error_type`. A document is never at fault for
/// it.
pub(super) fn is_block(status: u16, error_type: &str) -> bool {
    Kind::of_type(Some(error_type)).is_block(status)
}

/// Judges the result of sending a bulk request of `sent` items: an answer or an error.
pub(super) fn judge_sent(answer: Result<ServerAnswer, SendError>, sent: usize) -> Judgement {
    match answer {
        Ok(answer) => judge(answer.status, &answer.body, sent),
        Err(error) => Judgement::Retry(error.into()),
    }
}

/// Judges the answer with `status` and `body` to a bulk request of `sent` items.
pub fn judge(status: u16, body: &[u8], sent: usize) -> Judgement {
    let class = Class::of(status);
    let error = if class == Class::Success { None } else { request_error(body) };
    let kind = Kind::of(error.as_ref());
    let again = |trouble| Judgement::Retry(failure(trouble, status, error.as_ref()));
    if let Some(trouble) = Trouble::of_status(status, kind) {
        return again(trouble);
    }
    match class {
        Class::Success => judge_items(body, sent),
        Class::Server if kind == Kind::None => again(Trouble::Server),
        Class::Server => Judgement::Faulted(refusal(status, error)),
        Class::TooLarge => Judgement::TooLarge,
        _ if kind.is_block(status) => Judgement::Blocked(block(status, error)),
        Class::Unknown => Judgement::Blocked(block(status, error)),
        Class::NotFound if kind == Kind::IndexNotFound => Judgement::IndexMissing,
        // The answer is not from Elasticsearch, but from a proxy that cannot find it. No document is at fault.
        Class::NotFound if error.is_none() => again(Trouble::Server),
        Class::BadRequest
        | Class::Denied
        | Class::NotFound
        | Class::TimedOut
        | Class::Conflict
        | Class::TooMany
        | Class::OtherClient => Judgement::Doubtful(refusal(status, error)),
    }
}

fn judge_items(body: &[u8], sent: usize) -> Judgement {
    if answer::are_all_created(body, sent) {
        return Judgement::Items(std::iter::repeat_with(|| Fate::Indexed).take(sent).collect());
    }
    let unreadable = |detail: String| Judgement::Retry(BulkFailure { trouble: Trouble::Unreadable, detail });
    let items = match answer::items(body) {
        Ok(items) => items,
        Err(error) => return unreadable(format!("the answer is not that of a bulk request: {error}")),
    };
    if items.len() != sent {
        return unreadable(format!("the answer covers {} documents, but {sent} were sent", items.len()));
    }
    Judgement::Items(items.into_iter().map(judge_item).collect())
}

fn judge_item(item: Item) -> Fate {
    let (status, is_dropped) = (item.status, item.is_dropped());
    let error = item.error;
    let kind = Kind::of(error.as_ref());
    let again = |trouble| Fate::Retry(failure(trouble, status, error.as_ref()));
    // A processor of an ingest pipeline may take too long for one document, each time.
    if let Some(trouble) = Trouble::of_status(status, kind).filter(|trouble| *trouble != Trouble::TimedOut) {
        return again(trouble);
    }
    match Class::of(status) {
        Class::Success if item.failure_store.is_some_and(|used| used == "used") => {
            Fate::Doubtful(Refusal::stored(status))
        }
        Class::Success if is_dropped => Fate::Dropped,
        Class::Success => Fate::Indexed,
        Class::Server | Class::TimedOut => Fate::Faulted(refusal(status, error)),
        Class::Unknown => again(Trouble::Unreadable),
        _ if kind.is_block(status) => Fate::Blocked(block(status, error)),
        Class::NotFound if kind == Kind::IndexNotFound => Fate::IndexMissing(refusal(status, error)),
        Class::Conflict if kind == Kind::VersionConflict => Fate::Duplicate(error.and_then(|error| error.index)),
        Class::BadRequest if kind == Kind::NotMapped => Fate::NotMapped(refusal(status, error)),
        Class::BadRequest if kind == Kind::Document => Fate::Refused(refusal(status, error)),
        Class::BadRequest
        | Class::Denied
        | Class::NotFound
        | Class::Conflict
        | Class::TooLarge
        | Class::TooMany
        | Class::OtherClient => Fate::Doubtful(refusal(status, error)),
    }
}

fn failure(trouble: Trouble, status: u16, error: Option<&ErrorBody>) -> BulkFailure {
    let detail = match error {
        None => format!("status {status}"),
        Some(error) => format!("status {status} {}: {}", error.type_or_none(), error.text()),
    };
    let detail = detail[..detail.floor_char_boundary(MAX_DETAIL)].to_owned();
    BulkFailure { trouble, detail }
}

fn block(status: u16, error: Option<ErrorBody>) -> Block {
    Block::of_error(status, error.unwrap_or_default())
}

fn refusal(status: u16, error: Option<ErrorBody>) -> Refusal {
    let error = error.unwrap_or_default();
    Refusal { status, reason: error.text(), error_type: error.type_or_none().to_owned() }
}

#[cfg(test)]
mod tests;
