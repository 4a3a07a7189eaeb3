//! The outcome of the records of one request. They share a counter, so that a container file with a thousand events
//! waits once and allocates once.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use rdkafka::error::KafkaError;
use tokio::sync::Notify;

/// Records that a request waits for together.
#[derive(Debug)]
pub(crate) struct Delivery {
    left: AtomicUsize,
    /// The bytes of room that each record takes in addition to its key and value.
    pub(super) each: usize,
    /// The first failure.
    failure: OnceLock<KafkaError>,
    done: Notify,
}

impl Delivery {
    /// Creates a delivery of `count` records, which each take `each` bytes of room in addition to key and value.
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

    /// Counts a record that is acknowledged or has failed.
    pub(super) fn count(&self, result: Result<(), &KafkaError>) {
        if let Err(error) = result {
            // Only the first failure is kept.
            self.failure.get_or_init(|| error.clone());
        }
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            // The notification is stored for a waiter that comes later.
            self.done.notify_one();
        }
    }
}

#[cfg(test)]
mod tests;
