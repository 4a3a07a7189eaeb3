//! Combines what is known of one event, and judges its state. Pure.

use std::fmt;

use serde::Serialize;

use crate::commands::dead_letters::letter::Kind;
use crate::commands::dead_letters::marks::LetterState;
use crate::commands::plain::plain;
use crate::commands::position::RecordPosition;

/// The state of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventState {
    /// It is in Kafka, and no indexer has settled it yet.
    Waiting,
    /// It is a document.
    Indexed,
    /// It is a document, and was sent or redriven more than once: its other records are duplicates.
    Repeated,
    /// It is a document in more than one index.
    Copies,
    /// Another event with its id is a document, and this one is a dead letter.
    IdConflict,
    /// It is a dead letter.
    DeadLetter,
    /// It was a dead letter that an operator gave up.
    Dropped,
    /// The receiver refused its body and kept it.
    Quarantined,
    /// An indexer has settled it, but its document no longer exists.
    Gone,
}

/// Everything that is known of one event.
#[derive(Debug, Serialize)]
pub struct Story {
    /// The state of the event.
    pub state: EventState,
    /// The `_id` of its document; for a quarantined body without one, its key or request.
    pub id: String,
    /// Its records in Kafka, ordered from the oldest.
    pub records: Vec<Record>,
    /// Its documents.
    pub documents: Vec<Document>,
    /// Its dead letters, and its bodies in the quarantine.
    pub letters: Vec<Letter>,
}

/// One record of an event.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// The position of the record.
    pub at: RecordPosition,
    /// When the receiver accepted it, as RFC 3339; for a redriven record, the first time.
    pub received: Option<String>,
    /// The source that accepted it.
    pub source: Option<String>,
    /// The request that brought it.
    pub request_id: Option<String>,
    /// The original position of a redriven record.
    pub redriven_from: Option<String>,
    /// Whether the indexers have committed past it.
    pub committed: bool,
}

/// One document of an event.
#[derive(Clone, Debug, Serialize)]
pub struct Document {
    /// The index that holds it.
    pub index: String,
    /// Its version: 1, unless it was written again.
    pub version: Option<u64>,
    /// Its `_ingested_at`: the time of its record.
    pub ingested_at: Option<String>,
}

/// One letter of an event.
#[derive(Clone, Debug, Serialize)]
pub struct Letter {
    /// The position of the letter.
    pub at: RecordPosition,
    /// The kind of the letter.
    pub kind: Kind,
    /// The state of the letter.
    pub state: LetterState,
    /// When it was written.
    pub written: Option<String>,
    /// The source that accepted the event.
    pub source: Option<String>,
    /// The request that brought it.
    pub request_id: Option<String>,
    /// The error type, a short word.
    pub error_type: String,
    /// The reason in words.
    pub reason: String,
}

impl Story {
    /// Creates the story of an event from the results, which must not all be empty.
    pub fn new(id: String, records: Vec<Record>, documents: Vec<Document>, letters: Vec<Letter>) -> Self {
        let state = judge(&records, &documents, &letters);
        Self { state, id, records, documents, letters }
    }
}

fn judge(records: &[Record], documents: &[Document], letters: &[Letter]) -> EventState {
    let has =
        |kind: Kind, state: LetterState| letters.iter().any(|letter| letter.kind == kind && letter.state == state);
    let is_conflict = |letter: &Letter| letter.state == LetterState::Open && letter.error_type == "id-conflict";
    let is_waiting = records.iter().any(|record| !record.committed);
    match documents {
        [_, ..] if letters.iter().any(is_conflict) => EventState::IdConflict,
        [_, _, ..] => EventState::Copies,
        [_] if records.len() > 1 => EventState::Repeated,
        [_] => EventState::Indexed,
        [] if is_waiting => EventState::Waiting,
        [] if has(Kind::DeadLetter, LetterState::Open) => EventState::DeadLetter,
        [] if has(Kind::DeadLetter, LetterState::Dropped) => EventState::Dropped,
        [] if !records.is_empty() => EventState::Gone,
        [] if has(Kind::Quarantined, LetterState::Open) => EventState::Quarantined,
        [] if has(Kind::Quarantined, LetterState::Dropped) => EventState::Dropped,
        [] => EventState::Gone,
    }
}

impl EventState {
    /// Returns the state in words.
    fn description(self) -> &'static str {
        match self {
            Self::Waiting => "waiting: in Kafka, and not settled yet",
            Self::Indexed => "indexed",
            Self::Repeated => "indexed once; its other records are duplicates",
            Self::Copies => "indexed in several indices: these are copies",
            Self::IdConflict => "refused: another event has this id and is indexed",
            Self::DeadLetter => "dead letter: it was refused and is not indexed",
            Self::Dropped => "dropped: it was refused, and an operator gave it up",
            Self::Quarantined => "quarantined: the receiver refused its body",
            Self::Gone => {
                "settled, but no document is there: it or its index was deleted, it was skipped as expired, or it was a tombstone"
            }
        }
    }
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", plain(&self.id), self.state.description())?;
        self.records.iter().try_for_each(|record| record.fmt(f))?;
        self.documents.iter().try_for_each(|document| document.fmt(f))?;
        self.letters.iter().try_for_each(|letter| letter.fmt(f))
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let received = self.received.as_deref().unwrap_or("at an unknown time");
        let committed = if self.committed { "committed" } else { "not committed" };
        write!(f, "\n  received {received}{}: record {}, {committed}", By(&self.source, &self.request_id), self.at)?;
        match &self.redriven_from {
            Some(first) => write!(f, ", redriven from {}", plain(first)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n  document in {}", plain(&self.index))?;
        if let Some(version) = self.version {
            write!(f, ", version {version}")?;
        }
        match &self.ingested_at {
            Some(at) => write!(f, ", of the record received {}", plain(at)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::DeadLetter => "dead letter",
            Kind::Quarantined => "quarantined body",
        };
        let state = match self.state {
            LetterState::Open => "open",
            LetterState::Redriven => "redriven",
            LetterState::Dropped => "dropped",
        };
        let written = self.written.as_deref().unwrap_or("at an unknown time");
        let by = By(&self.source, &self.request_id);
        let (error_type, reason) = (plain(&self.error_type), plain(&self.reason));
        write!(f, "\n  {kind} {} ({state}) of {written}{by}: {error_type}: {reason}", self.at)
    }
}

/// Formats the source and the request.
struct By<'a>(&'a Option<String>, &'a Option<String>);

impl fmt::Display for By<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(source) = self.0 {
            write!(f, " by source {}", plain(source))?;
        }
        match self.1 {
            Some(request) => write!(f, " in request {}", plain(request)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
