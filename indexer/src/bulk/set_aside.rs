//! Handles doubtful documents, whose refusal may be the fault of the document or of its index: evidence, room and
//! reports.
//!
//! They are taken out of their batch, so that it can settle without them, and are retried alone.
//! [`Doubts`](super::doubt::Doubts) weighs the answers. If the index has a witness, each attempt sends the witness
//! too. `create` answers 409 for it after the index's pipelines, alias and mapping have accepted it, and changes
//! nothing. If that is unsafe, or if the request with the document fails as a whole, the witness goes before the
//! document in a request of its own (`control`).

use std::sync::Arc;

use service::admin::Condition;
use tokio::sync::MutexGuard;

use super::doubt::{Cause, Document};
use super::progress::Progress;
use super::work::Work;
use crate::batch::Item;
use crate::config::{Config, Strategy};
use crate::metrics::BulkMetrics;
pub(super) use alone::Alone;
pub(super) use control::Control;
pub(super) use evidence::{Tally, TopicEvidence};
pub use lone::Lone;
use open::OpenDocuments;
use room::Room;
pub(super) use witness::Witness;

mod alone;
mod control;
mod evidence;
mod lone;
mod open;
mod room;
mod shards;
mod witness;

/// The most documents that are set aside from one batch. If more are doubtful, the index is at fault, and the
/// documents wait with their batch.
pub(super) const MANY: usize = 64;

/// Holds the documents of one topic that are set aside.
#[derive(Debug)]
pub(super) struct UndecidedDocuments {
    pub(super) evidence: TopicEvidence,
    /// Whether it is a data stream's.
    is_stream: bool,
    room: Arc<Room>,
    pub(super) open: Arc<OpenDocuments>,
    /// Held by the document that is being tried, so that the attempts cause little load. Documents whose requests
    /// fail as a whole, and those that fail for now, have their own turns, because such requests may take long.
    turns: [tokio::sync::Mutex<()>; 3],
}

impl UndecidedDocuments {
    /// Creates the store for the topic of `config`. `condition` is unmet while a document is undecided for long.
    pub(super) fn new(config: &Config, condition: Condition, metrics: BulkMetrics) -> Self {
        let is_stream = config.elasticsearch.strategy == Strategy::DataStream;
        Self {
            evidence: TopicEvidence::new(is_stream),
            is_stream,
            room: Arc::new(Room::new(config.indexer.max_in_flight_bytes.as_u64())),
            open: Arc::new(OpenDocuments::new(&config.kafka.topic, condition, metrics)),
            turns: Default::default(),
        }
    }

    /// Creates the store for another index set of the same topic. Both share room and reports, but not evidence: a
    /// document that one index set accepts proves nothing about another.
    pub(super) fn of_another_index_set(&self) -> Self {
        Self {
            evidence: TopicEvidence::new(self.is_stream),
            is_stream: self.is_stream,
            room: Arc::clone(&self.room),
            open: Arc::clone(&self.open),
            turns: Default::default(),
        }
    }

    /// Waits for the turn of a document that was refused for `cause`.
    pub(super) async fn turn(&self, cause: &Cause) -> MutexGuard<'_, ()> {
        let [item, whole, transient] = &self.turns;
        match (cause.is_whole(), cause.is_transient()) {
            (true, _) => whole.lock().await,
            (false, true) => transient.lock().await,
            (false, false) => item.lock().await,
        }
    }

    /// Takes documents that were set aside, except for the first `known`, back into `work` if there are too many:
    /// then the index is at fault.
    pub(super) fn keep(work: &mut Work<'_>, known: usize, progress: &mut Progress) {
        if work.queue.len() + progress.counts.set_aside > MANY {
            work.take_back(known, progress);
        }
    }
}

/// Returns the identity of `item`'s document.
fn document_of(item: &Item) -> Document {
    (item.origin.partition, item.origin.offset)
}
