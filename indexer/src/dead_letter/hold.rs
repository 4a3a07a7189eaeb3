//! The blown fuse of one topic. All batches wait and test in turn whether the cause is fixed. A batch whose own
//! documents are at fault would never find out alone.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus::IntGaugeVec;

use crate::batch::Batch;
use crate::bulk::{Bulk, Refused, SetAside};
use crate::config::Config;
use crate::fuse::{Blown, Fuse};

/// The number of documents that are sent again as a test.
const SAMPLE: usize = 10;
/// The first and the longest wait between tests.
const PAUSES: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(60)];

/// The wait before a document is sent again that only waits for its index.
const AGAIN: Duration = Duration::from_secs(1);

/// Holds the fuse and the waiting batches.
pub(super) struct Hold {
    state: Mutex<HoldState>,
    /// Held by the batch whose turn it is.
    turn: tokio::sync::Mutex<()>,
    /// The first and the longest wait between tests.
    pauses: [Duration; 2],
    metric: IntGaugeVec,
    topic: String,
}

struct HoldState {
    fuse: Fuse,
    is_blown: bool,
}

impl Hold {
    /// Creates an intact fuse for the topic of `config`. `metric` shows whether it has blown.
    pub(super) fn new(config: &Config, metric: IntGaugeVec) -> Self {
        let topic = config.kafka.topic.clone();
        metric.with_label_values(&[&topic]).set(0);
        let state = HoldState { fuse: Fuse::new(config.indexer.fuse), is_blown: false };
        Self { state: Mutex::new(state), turn: tokio::sync::Mutex::new(()), pauses: PAUSES, metric, topic }
    }

    pub(super) fn is_blown(&self) -> bool {
        self.state().is_blown
    }

    /// Counts a batch of `records` with `dead` dead letters. Returns the reason if the fuse blows now.
    pub(super) fn count(&self, records: u64, dead: u64) -> Option<Blown> {
        let mut state = self.state();
        if state.is_blown {
            return None;
        }
        let blown = state.fuse.count(records, dead)?;
        state.is_blown = true;
        drop(state);
        self.metric.with_label_values(&[&self.topic]).set(1);
        tracing::error!(
            topic = self.topic,
            reason = %blown,
            "The fuse has blown: the indexer no longer writes dead letters of this topic, nor commits its offsets. \
             Check the newest records of the dead-letter topic, and fix the cause. The indexer sends refused documents \
             again at intervals of up to a minute, and resumes once they are accepted."
        );
        Some(blown)
    }

    /// Waits until the fuse has closed. A batch with nothing to test, for example of records that are not Avro, waits
    /// only for its turn; such batches pass one at a time. A batch closes the fuse if most of its records were
    /// accepted, even if some are at fault. Otherwise a topic with one such record in each batch would never resume.
    /// Returns the documents of `refused` that are still refused.
    pub(super) async fn wait(&self, bulk: &Bulk, batch: &Batch, refused: Vec<Refused>) -> Vec<Refused> {
        let [mut pause, longest] = self.pauses;
        loop {
            let _turn = self.turn.lock().await;
            if !self.is_blown() {
                return again(bulk, batch, &refused).await;
            }
            tokio::time::sleep(pause).await;
            if self.is_over(batch, &refused) {
                self.close();
                return again(bulk, batch, &refused).await;
            }
            if refused.is_empty() {
                return refused;
            }
            let sample = refused.len().min(SAMPLE);
            if again(bulk, batch, &refused[..sample]).await.len() * 2 <= sample {
                self.close();
            }
            pause = (pause * 2).min(longest);
        }
    }

    /// Returns whether most records of `batch` were accepted: all but the `refused` and the undecodable ones.
    fn is_over(&self, batch: &Batch, refused: &[Refused]) -> bool {
        let undecodable = batch.undecodable.len();
        let (records, dead) = (batch.items.len() + undecodable, refused.len() + undecodable);
        self.state().fuse.is_over(records as u64, dead as u64)
    }

    fn close(&self) {
        let mut state = self.state();
        state.is_blown = false;
        state.fuse.reset();
        drop(state);
        self.metric.with_label_values(&[&self.topic]).set(0);
        tracing::info!(
            topic = self.topic,
            "The fuse has closed: refused documents, or those that follow, are accepted."
        );
    }

    fn state(&self) -> MutexGuard<'_, HoldState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends the `refused` documents of `batch` again. Returns those that are still refused. A document that only waits for
/// its index is sent again until that is over.
async fn again(bulk: &Bulk, batch: &Batch, refused: &[Refused]) -> Vec<Refused> {
    let (mut left, mut still) = (refused.to_vec(), Vec::new());
    while !left.is_empty() {
        let delivered = bulk.deliver(&batch.some(left.iter().map(|refused| refused.item))).await;
        still.extend(delivered.refused.into_iter().filter_map(|again| {
            let before = left.get(again.item)?;
            Some(Refused { item: before.item, attempts: before.attempts.saturating_add(again.attempts), ..again })
        }));
        let (waiting, doubtful): (Vec<_>, Vec<_>) = delivered.set_aside.iter().partition(|one| one.is_blameless());
        let of = |set_aside: Vec<&SetAside>| -> Vec<Refused> {
            set_aside.into_iter().filter_map(|one| left.get(one.item).cloned()).collect()
        };
        still.extend(of(doubtful));
        left = of(waiting);
        if !left.is_empty() {
            tokio::time::sleep(AGAIN).await;
        }
    }
    still
}

#[cfg(test)]
mod tests;
