//! Doubtful documents: refused, while it is not known what is at fault: evidence, room and what is reported of them.
//!
//! They are taken out of their batch, so that it can settle without them, and retried alone, beside the others.
//! [`Doubts`](super::doubt::Doubts) weighs what is answered. Where a document is known that the index has accepted
//! before, it is sent once more with each attempt: `create` answers 409 for it, after the index's pipelines, alias and
//! mapping have let it pass, and changes nothing. Where that would not be safe, or the request with the document fails
//! as a whole, it goes before the document in a request of its own (`control`).

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

/// Of a batch whose index is at fault, no more documents than this are taken out: the others are not suspects, and wait
/// with it.
const MANY: usize = 64;

/// What is set aside of one topic.
#[derive(Debug)]
pub(super) struct UndecidedDocuments {
    pub(super) evidence: TopicEvidence,
    /// Whether it is a data stream's.
    is_stream: bool,
    room: Arc<Room>,
    pub(super) open: Arc<OpenDocuments>,
    /// Held by the document that is being tried: they are no load. Those whose requests fail as a whole, and may take
    /// long to, have their own.
    turns: [tokio::sync::Mutex<()>; 2],
}

impl UndecidedDocuments {
    /// Returns those of the topic of `config`. `condition` is unmet while one is undecided for long.
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

    /// Returns those of another index set of the same topic: they share room and what is reported of them. What one
    /// index set accepts is no evidence for another.
    pub(super) fn of_another_index_set(&self) -> Self {
        Self {
            evidence: TopicEvidence::new(self.is_stream),
            is_stream: self.is_stream,
            room: Arc::clone(&self.room),
            open: Arc::clone(&self.open),
            turns: Default::default(),
        }
    }

    /// Waits until a document that is refused for `cause` may be tried.
    pub(super) async fn turn(&self, cause: &Cause) -> MutexGuard<'_, ()> {
        self.turns[usize::from(cause.is_whole())].lock().await
    }

    /// Takes those that were set aside, except for the first `known`, back into `work` when there are so many that it
    /// is no wonder: the index is at fault.
    pub(super) fn keep(work: &mut Work<'_>, known: usize, progress: &mut Progress) {
        if work.queue.len() + progress.counts.set_aside > MANY {
            work.take_back(known, progress);
        }
    }
}

/// Returns which document `item` is.
fn document_of(item: &Item) -> Document {
    (item.origin.partition, item.origin.offset)
}
