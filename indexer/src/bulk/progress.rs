//! What an answer came to: how many documents are settled, what failed or blocks, and what that says about
//! Elasticsearch. Pure.

use std::sync::Arc;

use crate::bulk::aimd::Signal;
use crate::bulk::limiter::Health;
use crate::bulk::outcome::{Block, BulkFailure, Trouble};
use crate::bulk::verify::Obstacle;

/// What an answer came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::bulk) struct Progress {
    /// Documents that are settled now.
    pub(in crate::bulk) settled: usize,
    /// Documents that are there, but looked up before that counts.
    pub(in crate::bulk) doubtful: usize,
    /// Documents that have to be sent again because they failed, as opposed to those whose chunk was cut in two.
    pub(in crate::bulk) failed: usize,
    /// Documents written, there already, and refused.
    pub(in crate::bulk) indexed: u64,
    pub(in crate::bulk) duplicates: u64,
    pub(in crate::bulk) refused: u64,
    /// Of those refused, how many went into the failure store.
    pub(in crate::bulk) in_failure_store: u64,
    /// How documents failed for now, for one of them.
    pub(in crate::bulk) failure: Option<BulkFailure>,
    /// What blocks, for one of them.
    pub(in crate::bulk) block: Option<Block>,
    /// Whether that goes for documents which cannot be placed again.
    pub(in crate::bulk) is_blocked: bool,
    /// Documents that are set aside: it is not known what is at fault.
    pub(in crate::bulk) set_aside: usize,
    /// The index of documents whose request failed as a whole, in a way that may be a document's fault.
    pub(in crate::bulk) whole: Option<Arc<str>>,
    /// Whether the index has to be made again first.
    pub(in crate::bulk) index_missing: bool,
    /// Whether its mapping has to be brought up to date first.
    pub(in crate::bulk) not_mapped: bool,
    /// Whether the body was too large.
    pub(in crate::bulk) too_large: bool,
    /// Whether a document and its witness were refused as a whole: each is sent in a request of its own.
    pub(in crate::bulk) is_parted: bool,
}

impl Progress {
    /// Returns what this says about how much may be sent.
    pub(in crate::bulk) fn signal(&self) -> Signal {
        match self.trouble() {
            Some(Trouble::Overload | Trouble::TimedOut) => Signal::Overloaded,
            Some(Trouble::Server | Trouble::Connection | Trouble::Unreadable) => Signal::Nothing,
            None if self.too_large => Signal::TooLarge,
            None if self.settled + self.doubtful > 0 => Signal::Well,
            None => Signal::Nothing,
        }
    }

    /// Returns what this says about Elasticsearch.
    pub(in crate::bulk) fn health(&self) -> Health {
        if let Some(block) = &self.block {
            return Health::Blocked(block.clone());
        }
        match &self.failure {
            Some(failure) if self.settled == 0 => Health::Failed(failure.clone()),
            None if self.set_aside > 0 && self.settled == 0 => Health::Unclear,
            Some(_) | None => Health::Well,
        }
    }

    fn trouble(&self) -> Option<Trouble> {
        self.failure.as_ref().map(|failure| failure.trouble)
    }

    /// Returns the label for `penstock_indexer_bulk_requests_total`.
    pub(in crate::bulk) fn outcome(&self) -> &'static str {
        match (&self.block, self.trouble()) {
            (Some(_), _) => "blocked",
            (None, Some(_)) if self.settled > 0 => "partial",
            (None, Some(trouble)) => trouble.as_str(),
            (None, None) if self.set_aside > 0 && self.settled > 0 => "partial",
            (None, None) if self.set_aside > 0 => "doubtful",
            (None, None) if self.index_missing => "index_missing",
            (None, None) if self.too_large => "too_large",
            (None, None) if self.settled + self.doubtful == 0 => "bad_request",
            (None, None) => "ok",
        }
    }

    /// Takes note of what kept documents from being looked at.
    pub(in crate::bulk) fn hindered(&mut self, obstacle: Obstacle) {
        match obstacle {
            Obstacle::Failed(failure) => self.failure = Some(failure),
            Obstacle::Block(block) => {
                self.block = Some(block);
                self.is_blocked = true;
            }
        }
    }
}
