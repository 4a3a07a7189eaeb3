//! What the answer to a bulk request means. Pure.
//!
//! By the status first, then by `error.type`, never by the text of a message, which changes from version to version. A
//! new rule is one more arm here and one more row in `outcome/tests.rs`.
//!
//! Nothing is settled unless Elasticsearch says so: what is not understood is sent again, and what only an operator can
//! fix blocks.

use std::fmt;

use crate::elasticsearch::SendError;
use crate::elasticsearch::errors::{ErrorBody, request_error};
use answer::Item;
use class::{Class, Kind};

mod answer;
mod class;

/// The longest description of a failure, in bytes. Elasticsearch's own may run over many lines.
const MAX_DETAIL: usize = 256;

/// What becomes of a whole request.
#[derive(Debug, PartialEq)]
pub enum Judgement {
    /// Each item has its own fate, in the order in which they were sent.
    Items(Vec<Fate>),
    /// The request failed for now: all of it is sent again.
    Retry(BulkFailure),
    /// The request is larger than Elasticsearch, or something before it, accepts.
    TooLarge,
    /// The request was refused as a whole because of a document in it.
    Refused(Refusal),
    /// The request was refused as a whole, and it is not known what is at fault.
    Doubtful(Refusal),
    /// Elasticsearch failed at the request (5xx other than those that pass): doubtful if it comes back.
    Faulted(Refusal),
    /// An operator must fix something first.
    Blocked(Block),
    /// There is no index.
    IndexMissing,
}

/// What becomes of one item.
#[derive(Debug, PartialEq)]
pub enum Fate {
    /// Written.
    Indexed,
    /// Its id is taken, by a document in this index, if the answer names it.
    Duplicate(Option<String>),
    /// Never taken.
    Refused(Refusal),
    /// Not taken, and it is not known what is at fault.
    Doubtful(Refusal),
    /// Elasticsearch failed (5xx other than those that pass): doubtful if it comes back for the same document.
    Faulted(Refusal),
    /// The index does not know one of its fields: doubtful if it comes back once the mapping has been brought up to
    /// date.
    NotMapped(Refusal),
    /// Failed for now.
    Retry(BulkFailure),
    /// An operator must fix something first.
    Blocked(Block),
    /// There is no index: doubtful if it comes back although the index was made.
    IndexMissing(Refusal),
}

/// What failed for now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkFailure {
    /// Which kind of failure.
    pub trouble: Trouble,
    /// What is known beyond that, for people.
    pub detail: String,
}

/// Why something failed for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Elasticsearch has too much to do (429).
    Overload,
    /// Elasticsearch, or something before it, failed (5xx).
    Server,
    /// No answer in time.
    TimedOut,
    /// No connection, or it broke.
    Connection,
    /// The answer could not be understood, or did not speak of every item.
    Unreadable,
}

/// Why a document is never taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status; 0 where the whole request failed, so that there is no answer for the document.
    pub status: u16,
    /// Elasticsearch's `error.type`, or a word of ours where there is none.
    pub error_type: String,
    /// Elasticsearch's `error.reason` and that of its cause, capped. It may quote the document.
    pub reason: String,
    /// Whether the document went into the data stream's failure store.
    pub in_failure_store: bool,
}

/// What an operator must fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Which kind of thing.
    pub kind: BlockKind,
    /// The index, if the answer names it.
    pub index: Option<String>,
    /// The status.
    pub status: u16,
    /// Elasticsearch's `error.type`.
    pub error_type: String,
    /// Elasticsearch's `error.reason`, capped.
    pub reason: String,
}

/// Which kind of thing an operator must fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockKind {
    /// A block on the index or the cluster: read-only, or the disk's flood stage.
    Index,
    /// A closed index.
    Closed,
    /// Credentials that are missing, wrong or expired, or that do not allow it.
    Security,
    /// The index refuses all documents in one way.
    Refused,
    /// Something else that is no fault of the documents, such as an address that is not Elasticsearch's.
    Other,
}

impl From<SendError> for BulkFailure {
    fn from(error: SendError) -> Self {
        let trouble = match &error {
            SendError::TimedOut { .. } => Trouble::TimedOut,
            SendError::Connection { .. } => Trouble::Connection,
        };
        Self { trouble, detail: error.to_string() }
    }
}

impl From<Refusal> for BulkFailure {
    fn from(refusal: Refusal) -> Self {
        let Refusal { status, error_type, reason, .. } = refusal;
        let mut detail = format!("status {status} {error_type}: {reason}");
        detail.truncate(detail.floor_char_boundary(MAX_DETAIL));
        Self { trouble: Trouble::Server, detail }
    }
}

impl Trouble {
    /// A short fixed word for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Overload => "overload",
            Self::Server => "server_error",
            Self::TimedOut => "timed_out",
            Self::Connection => "connection",
            Self::Unreadable => "unreadable",
        }
    }
}

impl BlockKind {
    /// Every kind, for metrics.
    pub const ALL: [Self; 5] = [Self::Index, Self::Closed, Self::Security, Self::Refused, Self::Other];

    /// A short fixed word for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Index => "index_block",
            Self::Closed => "closed_index",
            Self::Security => "security",
            Self::Refused => "refused",
            Self::Other => "other",
        }
    }

    /// Returns what to do about it.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Index => "free disk space if it ran out, and remove the block (set index.blocks.* to null)",
            Self::Closed => "open the index",
            Self::Security => {
                "check elasticsearch.auth and the privileges of the user or key on the index: it needs create_doc \
                 or index"
            }
            Self::Refused => {
                "every document is refused in this way: fix what the reason names, such as a pipeline, an alias \
                 without a write index, a template or a limit"
            }
            Self::Other => "check that elasticsearch.url is Elasticsearch's address, and check Elasticsearch's log",
        }
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let index = self.index.as_deref().unwrap_or_default();
        let Self { kind, status, error_type, reason, .. } = self;
        write!(f, "{} {index:?}: {status} {error_type}: {reason}; {}", kind.as_str(), kind.advice())
    }
}

impl Block {
    /// That the index refuses all documents as `refusal` says.
    pub fn of_index(index: &str, refusal: &Refusal) -> Self {
        let kind = if Class::of(refusal.status) == Class::Denied { BlockKind::Security } else { BlockKind::Refused };
        let Refusal { status, error_type, reason, .. } = refusal.clone();
        Self { kind, index: Some(index.to_owned()), status, error_type, reason }
    }
}

/// Judges the answer with `status` and `body` to a bulk request of `sent` items.
pub fn judge(status: u16, body: &[u8], sent: usize) -> Judgement {
    let class = Class::of(status);
    let error = if class == Class::Success { None } else { request_error(body) };
    let kind = Kind::of(error.as_ref());
    let again = |trouble| Judgement::Retry(failure(trouble, status, error.as_ref()));
    match class {
        Class::Success => judge_items(body, sent),
        Class::Server if matches!(status, 502..=504) || matches!(kind, Kind::Failing | Kind::None) => {
            again(Trouble::Server)
        }
        Class::Server => Judgement::Faulted(refusal(status, error)),
        Class::TimedOut => again(Trouble::TimedOut),
        Class::TooLarge => Judgement::TooLarge,
        _ if is_block(status, kind) => Judgement::Blocked(block(status, error)),
        Class::TooMany => again(Trouble::Overload),
        Class::Unknown => Judgement::Blocked(block(status, error)),
        Class::NotFound if kind == Kind::IndexNotFound => Judgement::IndexMissing,
        Class::BadRequest if kind == Kind::Document => Judgement::Refused(refusal(status, error)),
        Class::BadRequest | Class::Denied | Class::NotFound | Class::Conflict | Class::OtherClient => {
            Judgement::Doubtful(refusal(status, error))
        }
    }
}

/// Returns whether an operator must fix something, beyond doubt.
fn is_block(status: u16, kind: Kind) -> bool {
    let of_index = matches!(kind, Kind::ClusterBlock | Kind::IndexClosed | Kind::IndexNotCreated);
    of_index || status == 401 || (status == 403 && kind == Kind::Security)
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
    let status = item.status;
    let error = item.error;
    let kind = Kind::of(error.as_ref());
    let again = |trouble| Fate::Retry(failure(trouble, status, error.as_ref()));
    match Class::of(status) {
        Class::Success if item.failure_store.is_some_and(|used| used == "used") => {
            Fate::Refused(in_failure_store(status))
        }
        Class::Success => Fate::Indexed,
        Class::Server if matches!(status, 502..=504) || kind == Kind::Failing => again(Trouble::Server),
        Class::Server => Fate::Faulted(refusal(status, error)),
        Class::TimedOut => again(Trouble::TimedOut),
        Class::Unknown => again(Trouble::Unreadable),
        _ if is_block(status, kind) => Fate::Blocked(block(status, error)),
        Class::TooMany => again(Trouble::Overload),
        Class::NotFound if kind == Kind::IndexNotFound => Fate::IndexMissing(refusal(status, error)),
        Class::NotFound if kind == Kind::ShardNotThere => again(Trouble::Server),
        Class::Conflict if kind == Kind::VersionConflict => Fate::Duplicate(error.and_then(|error| error.index)),
        Class::BadRequest if kind == Kind::NotMapped => Fate::NotMapped(refusal(status, error)),
        Class::BadRequest if kind == Kind::Document => Fate::Refused(refusal(status, error)),
        Class::BadRequest
        | Class::Denied
        | Class::NotFound
        | Class::Conflict
        | Class::TooLarge
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
    let error = error.unwrap_or_default();
    let kind = match Kind::of(Some(&error)) {
        Kind::ClusterBlock => BlockKind::Index,
        Kind::IndexClosed => BlockKind::Closed,
        _ if Class::of(status) == Class::Denied => BlockKind::Security,
        _ => BlockKind::Other,
    };
    Block {
        kind,
        index: error.index.clone(),
        status,
        reason: error.text(),
        error_type: error.type_or_none().to_owned(),
    }
}

fn refusal(status: u16, error: Option<ErrorBody>) -> Refusal {
    let error = error.unwrap_or_default();
    Refusal { status, reason: error.text(), error_type: error.type_or_none().to_owned(), in_failure_store: false }
}

fn in_failure_store(status: u16) -> Refusal {
    Refusal {
        status,
        error_type: "failure_store".to_owned(),
        reason: "Elasticsearch put the document into the data stream's failure store, with the reason".to_owned(),
        in_failure_store: true,
    }
}

#[cfg(test)]
mod tests;
