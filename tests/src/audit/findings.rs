//! What the audit found, by kind.

use std::collections::BTreeMap;
use std::fmt;

/// How many findings of a run a report shows.
const SHOWN: usize = 10;

/// A way to break a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Acknowledged, but neither a document nor a dead letter (P1, P3).
    Lost,
    /// Acknowledged, but taken for another event with its id (P4).
    Swallowed,
    /// More than one document of one event (P4).
    Repeated,
    /// The document is not what the bytes say, or not of any record (P4).
    Different,
    /// The record's bytes are not those that were sent (P2).
    Altered,
    /// Refused, but there (P7).
    RefusedButThere,
    /// To be refused, but acknowledged (P7).
    NotRefused,
    /// Good, but refused for good.
    GoodButRefused,
    /// A good event is a dead letter (P5).
    GoodButDead,
    /// A good event is in the quarantine.
    GoodButQuarantined,
    /// Nobody sent it.
    Strange,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong.
    pub kind: Kind,
    /// The event's id.
    pub id: String,
    /// What was seen.
    pub detail: String,
}

/// All findings of an audit, and what it looked at.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// The findings, by kind and id.
    pub all: Vec<Finding>,
    /// Events that were sent.
    pub events: usize,
    /// Of these, events that were acknowledged.
    pub acknowledged: usize,
    /// Documents.
    pub documents: usize,
    /// Dead letters.
    pub letters: usize,
}

impl Kind {
    fn text(self) -> &'static str {
        match self {
            Self::Lost => "acknowledged, but nowhere",
            Self::Swallowed => "swallowed as a duplicate of another event",
            Self::Repeated => "present twice",
            Self::Different => "a document that differs from the bytes",
            Self::Altered => "a record that differs from the bytes",
            Self::RefusedButThere => "refused, but present",
            Self::NotRefused => "to be refused, but acknowledged",
            Self::GoodButRefused => "good, but refused",
            Self::GoodButDead => "dead although good",
            Self::GoodButQuarantined => "quarantined although good",
            Self::Strange => "sent by nobody",
        }
    }
}

impl Findings {
    pub(super) fn add(&mut self, kind: Kind, id: &str, detail: impl Into<String>) {
        self.all.push(Finding { kind, id: id.to_owned(), detail: detail.into() });
    }

    /// Returns the first findings: those whose history is worth looking up.
    pub fn first(&self) -> impl Iterator<Item = &Finding> {
        self.all.iter().take(SHOWN)
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { all, events, acknowledged, documents, letters } = self;
        writeln!(f, "{events} events, {acknowledged} acknowledged; {documents} documents, {letters} dead letters")?;
        let mut kinds: BTreeMap<Kind, usize> = BTreeMap::new();
        all.iter().for_each(|finding| *kinds.entry(finding.kind).or_default() += 1);
        if kinds.is_empty() {
            return write!(f, "no findings");
        }
        for (kind, count) in kinds {
            writeln!(f, "{count} {}", kind.text())?;
        }
        for Finding { kind, id, detail } in self.first() {
            writeln!(f, "{}: {id}: {detail}", kind.text())?;
        }
        Ok(())
    }
}
