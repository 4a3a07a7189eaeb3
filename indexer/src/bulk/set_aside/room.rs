//! Limits how many documents of a topic may be set aside at a time, and how many bytes (P6).

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The most documents that are retried alone at a time. Further ones wait in their batches.
const MAX_DOCUMENTS: usize = 256;
/// The share of `indexer.max_in_flight_bytes` that they may use: one part in this many.
const SHARE: u64 = 4;

/// The room for documents that are set aside.
#[derive(Debug)]
pub(super) struct Room {
    documents: Arc<Semaphore>,
    kibibytes: Arc<Semaphore>,
    max_kibibytes: u32,
}

/// A document's place. Dropping it makes room for another document.
#[derive(Debug)]
pub(super) struct Place {
    _permits: [OwnedSemaphorePermit; 2],
}

impl Room {
    /// Creates the room of a topic that may hold `max_in_flight_bytes` in total.
    pub(super) fn new(max_in_flight_bytes: u64) -> Self {
        let kibibytes = max_in_flight_bytes / SHARE / 1_024;
        let max_kibibytes = u32::try_from(kibibytes).unwrap_or(u32::MAX).clamp(1, 1 << 24);
        Self {
            documents: Arc::new(Semaphore::new(MAX_DOCUMENTS)),
            kibibytes: Arc::new(Semaphore::new(max_kibibytes as usize)),
            max_kibibytes,
        }
    }

    /// Waits for a place for a document of `bytes`. A document larger than the whole room takes all of it.
    pub(super) async fn take(&self, bytes: usize) -> Place {
        let kibibytes = u32::try_from(bytes.div_ceil(1_024)).unwrap_or(u32::MAX).min(self.max_kibibytes);
        Place { _permits: [permits(&self.documents, 1).await, permits(&self.kibibytes, kibibytes).await] }
    }
}

/// Waits for permits. The semaphores are never closed, so no error is expected. If one occurred, unlimited room would
/// be the wrong answer.
async fn permits(semaphore: &Arc<Semaphore>, count: u32) -> OwnedSemaphorePermit {
    match Arc::clone(semaphore).acquire_many_owned(count).await {
        Ok(permit) => permit,
        Err(_) => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
