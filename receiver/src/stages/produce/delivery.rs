//! What becomes of the records of one request: one counter for all of them, so that a container file of a thousand
//! events waits once and allocates once.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use rdkafka::error::KafkaError;
use tokio::sync::Notify;

/// Records that are waited for together.
#[derive(Debug)]
pub(crate) struct Delivery {
    left: AtomicUsize,
    /// The bytes that each of them takes of the room beside its key and value.
    pub(super) each: usize,
    /// The first failure.
    failure: OnceLock<KafkaError>,
    done: Notify,
}

impl Delivery {
    /// For `count` records, which take `each` bytes of the room beside key and value.
    pub(super) fn of(count: usize, each: usize) -> Arc<Self> {
        Arc::new(Self { left: AtomicUsize::new(count), each, failure: OnceLock::new(), done: Notify::new() })
    }

    /// Waits until each of the records is acknowledged or has failed.
    ///
    /// # Errors
    /// The first failure.
    pub(crate) async fn finished(&self) -> Result<(), KafkaError> {
        if self.left.load(Ordering::Acquire) > 0 {
            self.done.notified().await;
        }
        match self.failure.get() {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }

    /// One more record is acknowledged or has failed.
    pub(super) fn count(&self, result: Result<(), &KafkaError>) {
        if let Err(error) = result {
            // Another one was the first.
            self.failure.get_or_init(|| error.clone());
        }
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            // The permit is kept for a waiter that comes later.
            self.done.notify_one();
        }
    }
}

#[cfg(test)]
mod tests;
