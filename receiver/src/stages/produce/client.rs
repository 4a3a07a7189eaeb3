//! The client of librdkafka. It is replaced after a fatal error, for smaller batches, and if it is stuck.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use kafka::without_value;
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::producer::{Producer as _, ThreadedProducer};

use super::callbacks::{Alone, Callbacks, Shared};
use super::settings::{self, BATCH_SIZE};

/// The smallest batch to try by halving, if Kafka does not report the limit of a topic.
const SMALLEST_BATCH: usize = 1_000;

/// A client that can be replaced while it is in use.
pub(super) struct Client {
    current: ArcSwap<ThreadedProducer<Callbacks>>,
    config: ClientConfig,
    shared: Arc<Shared>,
    alone: Arc<Alone>,
    /// The current limit for the bytes of a batch; `most_batch_bytes` is the configured one.
    batch_bytes: AtomicUsize,
    most_batch_bytes: usize,
    delivery_timeout: Duration,
}

impl Client {
    /// Creates the first client. It connects in the background.
    ///
    /// # Errors
    /// When librdkafka refuses `config`.
    pub(super) fn new(
        config: ClientConfig,
        shared: Arc<Shared>,
        delivery_timeout: Duration,
    ) -> Result<Self, KafkaError> {
        let most_batch_bytes = settings::batch_bytes(&config);
        let alone = Arc::new(Alone::new(&config, &shared));
        let first = config.create_with_context(Callbacks::new(&shared, Some(&alone))).map_err(without_value)?;
        let batch_bytes = AtomicUsize::new(most_batch_bytes);
        let current = ArcSwap::from_pointee(first);
        Ok(Self { current, config, shared, alone, batch_bytes, most_batch_bytes, delivery_timeout })
    }

    /// Returns the client in use.
    pub(super) fn load_full(&self) -> Arc<ThreadedProducer<Callbacks>> {
        self.current.load_full()
    }

    /// Waits until all queued records are acknowledged or have failed, for at most `timeout`. Blocks the thread.
    pub(super) fn flush(&self, timeout: Duration) -> Result<(), KafkaError> {
        self.current.load().flush(timeout)?;
        self.alone.flush(timeout)
    }

    /// Replaces the client with a new one. Blocks the thread for up to a second, while the old client fails its
    /// remaining records.
    pub(super) fn rebuild(&self) -> Result<(), KafkaError> {
        drop(self.current.swap(Arc::new(self.create()?)));
        Ok(())
    }

    fn create(&self) -> Result<ThreadedProducer<Callbacks>, KafkaError> {
        let mut config = self.config.clone();
        config.set(BATCH_SIZE, self.batch_bytes.load(Ordering::Relaxed).to_string());
        config.create_with_context(Callbacks::new(&self.shared, Some(&self.alone))).map_err(without_value)
    }

    /// Limits batches to the smallest known limit of a topic. If a topic refused a batch and its limit is unknown,
    /// halves the size. `all_reported` says whether Kafka reported the limits of all topics. A new client takes later
    /// records, while the old one finishes its own. Blocks the thread until that is done.
    pub(super) fn fit_batches(&self, all_reported: bool) -> Result<(), KafkaError> {
        let now = self.batch_bytes.load(Ordering::Relaxed);
        let refused = self.shared.rules.take_refused_batch();
        let smallest = self.shared.rules.smallest().unwrap_or(usize::MAX).min(self.most_batch_bytes);
        let wanted = match (all_reported, refused) {
            (true, _) => smallest,
            (false, true) => smallest.min(now / 2).max(SMALLEST_BATCH),
            (false, false) => smallest.min(now),
        };
        if wanted == now {
            return Ok(());
        }
        self.batch_bytes.store(wanted, Ordering::Relaxed);
        tracing::info!(bytes = wanted, "Limiting the size of batches to the topic's max.message.bytes.");
        self.renew()
    }

    /// Replaces the client with a new one, which takes later records, while the old one finishes its own. Blocks the
    /// thread until that is done.
    pub(super) fn renew(&self) -> Result<(), KafkaError> {
        let old = self.current.swap(Arc::new(self.create()?));
        // Records without an acknowledgement by then fail, as they would have anyway.
        let flushed = old.flush(self.delivery_timeout);
        self.alone.renew(self.delivery_timeout).and(flushed)
    }

    /// Returns the time after which a record without an acknowledgement fails.
    pub(super) fn delivery_timeout(&self) -> Duration {
        self.delivery_timeout
    }
}
