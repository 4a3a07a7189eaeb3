//! The state of an indexer and of its one record.

use std::sync::Arc;

use indexer::placement::{Backing, Table};

use super::State;

/// One indexer with one record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Indexer {
    /// How far its clock is ahead of Elasticsearch's.
    pub(super) skew: i64,
    /// The record's timestamp.
    pub(super) record: i64,
    /// The placement time.
    pub(super) time: i64,
    pub(super) table: Option<Table>,
    /// When the list was requested, by the own clock, and whether the master has answered.
    pub(super) asked: Option<(i64, bool)>,
    /// What there was to see when the list was requested last. To look again at the same would be a cycle.
    pub(super) seen: Option<Look>,
    pub(super) plan: Plan,
}

/// All that a list depends on.
pub(super) type Look = (i64, usize, bool);

/// What comes next for a record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Plan {
    /// It is placed.
    None,
    /// It is written to this index.
    Write(Arc<str>),
    /// It is looked up.
    LookUp,
    /// It was not found by a table with these indices.
    Missed(Vec<Backing>),
    /// It is written, or proven a duplicate.
    Stored,
    /// Another event has its id.
    Conflict,
}

impl Indexer {
    pub(super) fn new(skew: i64, record: i64, time: i64) -> Self {
        Self { skew, record, time, table: None, asked: None, seen: None, plan: Plan::None }
    }

    /// Returns how many backing indices it knows.
    pub(super) fn knows(&self) -> Option<usize> {
        self.table.as_ref().map(|table| table.backing().len())
    }

    /// Drops the table, so that the next one is requested after this.
    pub(super) fn forget(&mut self) {
        (self.table, self.asked, self.seen) = (None, None, None);
    }
}

impl State {
    pub(super) fn look(&self) -> Look {
        (self.now, self.visible, self.is_closed)
    }
}
