//! The outcome of a request: how many documents are settled, what failed or blocks, and what that shows about
//! Elasticsearch. Pure.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::aimd::Signal;
use super::limiter::Health;
use super::outcome::{BulkFailure, Obstacle, Trouble};
pub(super) use blockage::Blockage;
pub(super) use counts::Counts;
pub(super) use ending::Ending;

mod blockage;
mod counts;
mod ending;

/// The outcome of a request.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// What became of its documents.
    pub(super) counts: Counts,
    /// Why documents failed for now: the failure of one of them.
    pub(super) failure: Option<BulkFailure>,
    /// What blocks documents.
    pub(super) blockage: Blockage,
    /// How the request ended as a whole.
    pub(super) ending: Ending,
    /// The index of documents that an ingest pipeline dropped, for one of them.
    pub(super) dropped_by: Option<Arc<str>>,
    /// What must be repaired before documents are sent again.
    pub(super) repairs: BTreeSet<Repair>,
}

/// A repair that must come before documents are sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Repair {
    /// Create the index again.
    Index,
    /// Update its mapping.
    Mapping,
}

impl Progress {
    /// Returns what the outcome shows about how much may be sent.
    pub(super) fn signal(&self) -> Signal {
        match self.trouble() {
            Some(Trouble::Overload | Trouble::TimedOut) => Signal::Overloaded,
            Some(Trouble::Server | Trouble::Connection | Trouble::Unreadable) => Signal::Nothing,
            None if self.ending.is_too_large() => Signal::TooLarge,
            None if self.counts.is_there() => Signal::Well,
            None => Signal::Nothing,
        }
    }

    /// Returns what the outcome shows about Elasticsearch.
    pub(super) fn health(&self) -> Health {
        if let Some(block) = self.blockage.lasting() {
            return Health::Blocked(block.clone());
        }
        let settled = self.counts.settled();
        match &self.failure {
            Some(failure) if settled == 0 => Health::Failed(failure.clone()),
            None if self.counts.set_aside > 0 && settled == 0 => Health::Unclear,
            Some(_) | None => Health::Well,
        }
    }

    /// Returns the label for `penstock_indexer_bulk_requests_total`.
    pub(super) fn outcome(&self) -> &'static str {
        let (settled, set_aside) = (self.counts.settled(), self.counts.set_aside);
        match (self.blockage.lasting(), self.trouble()) {
            (Some(_), _) => "blocked",
            (None, Some(_)) if settled > 0 => "partial",
            (None, Some(trouble)) => trouble.as_str(),
            (None, None) if set_aside > 0 && settled > 0 => "partial",
            (None, None) if set_aside > 0 => "doubtful",
            (None, None) if self.repairs.contains(&Repair::Index) => "index_missing",
            (None, None) if self.ending.is_too_large() => "too_large",
            (None, None) if !self.counts.is_there() => "bad_request",
            (None, None) => "ok",
        }
    }

    /// Notes what prevented the look-up of documents.
    pub(super) fn hindered(&mut self, obstacle: Obstacle) {
        match obstacle {
            Obstacle::Failed(failure) => self.failure = Some(failure),
            Obstacle::Block(block) => self.blockage.note(block, false),
        }
    }

    fn trouble(&self) -> Option<Trouble> {
        self.failure.as_ref().map(|failure| failure.trouble)
    }
}

#[cfg(test)]
mod tests;
