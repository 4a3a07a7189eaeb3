//! The findings of the audit, by kind.

use std::collections::BTreeMap;
use std::fmt;

/// The most findings of a run that a report shows.
const SHOWN: usize = 10;

/// A way to break a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Acknowledged, but neither a document nor a dead letter (P1, P3).
    Lost,
    /// Acknowledged, but mistaken for another event with the same id (P4).
    Swallowed,
    /// Stored as more than one document (P4).
    Repeated,
    /// Stored as a document that does not match the bytes, or any record (P4).
    Different,
    /// Stored in a record whose bytes differ from those sent (P2).
    Altered,
    /// Refused, but stored (P7).
    RefusedButThere,
    /// Acknowledged, although it should have been refused (P7).
    NotRefused,
    /// Good, but refused permanently.
    GoodButRefused,
    /// A good event is a dead letter (P5).
    GoodButDead,
    /// A good event is in the quarantine.
    GoodButQuarantined,
    /// Stored, but never sent.
    Strange,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong.
    pub kind: Kind,
    /// The event's id.
    pub id: String,
    /// What was observed.
    pub detail: String,
}

/// Collects all findings of an audit, with counts of what it examined.
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
            Self::Lost => "acknowledged, but missing",
            Self::Swallowed => "swallowed as a duplicate of another event",
            Self::Repeated => "indexed twice",
            Self::Different => "a document that differs from the bytes",
            Self::Altered => "a record that differs from the bytes",
            Self::RefusedButThere => "refused, but indexed",
            Self::NotRefused => "invalid, but acknowledged",
            Self::GoodButRefused => "valid, but refused",
            Self::GoodButDead => "valid, but a dead letter",
            Self::GoodButQuarantined => "valid, but quarantined",
            Self::Strange => "sent by nobody",
        }
    }
}

impl Findings {
    pub(super) fn add(&mut self, kind: Kind, id: &str, detail: impl Into<String>) {
        self.all.push(Finding { kind, id: id.to_owned(), detail: detail.into() });
    }

    /// Returns the first findings, whose history is worth looking up.
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
