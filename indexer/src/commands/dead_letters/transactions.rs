//! Writes redriven records and the marks of their letters in transactions: either both are written or neither. If a
//! redrive is stopped, the marks tell the next one where to continue.

use std::borrow::Cow;
use std::time::Duration;

use kafka::{Login, producer_config, without_value};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::OwnedHeaders;
use rdkafka::producer::{DeliveryFuture, FutureProducer, FutureRecord, Producer};
use tokio::runtime::Handle;

use super::marks::{LetterState, Offsets, mark};
use crate::config::Config;

/// How long a record may take to be acknowledged.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(20);
/// How long Kafka may take to begin or end a transaction.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(30);
/// The time in milliseconds after which the cluster aborts the transaction of a killed redrive. Until then, consumers
/// do not see later records of its partitions. The next redrive aborts it immediately.
const LONGEST_MS: &str = "30000";
/// librdkafka's own limit for a message, in bytes. The topics decide what they accept.
const MAX_RECORD_BYTES: &str = "1000000000";

/// Writes transactions. The cluster allows one such producer at a time: another redrive of the same topic ends this
/// one.
pub(super) struct Transactions {
    producer: FutureProducer<Login>,
    runtime: Handle,
}

/// A record to write.
pub(super) struct Outgoing<'a> {
    /// Its topic.
    pub(super) topic: &'a str,
    /// The partition; `None` if the key determines it.
    pub(super) partition: Option<i32>,
    /// Its key.
    pub(super) key: Option<&'a [u8]>,
    /// Its value.
    pub(super) value: Option<Cow<'a, [u8]>>,
    /// Its headers.
    pub(super) headers: OwnedHeaders,
}

impl<'a> Outgoing<'a> {
    /// Creates a mark in `partition` of the topic `letters`: the letters at `offsets` are in `state`.
    pub(super) fn mark(letters: &'a str, partition: i32, state: LetterState, offsets: &Offsets) -> Self {
        let (headers, value) = mark(state, offsets);
        let value = Some(Cow::Owned(value.into_bytes()));
        Self { topic: letters, partition: Some(partition), key: None, value, headers }
    }
}

/// The position to which a record was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Landed {
    /// The partition.
    pub(super) partition: i32,
    /// The offset.
    pub(super) offset: i64,
}

/// Why a transaction was not committed. None of its records was written.
#[derive(Debug, thiserror::Error)]
pub(super) enum TransactionError {
    /// Kafka refuses one of the records; the others may be written without it.
    #[error("{0}")]
    Record(KafkaError),
    /// The client dropped the records before Kafka had judged them, because an earlier transaction had failed. They
    /// may be written again.
    #[error("the client dropped the record: {0}")]
    Purged(KafkaError),
    /// The redrive cannot continue.
    #[error(
        "kafka: {what}: {error}; a redrive needs to write to the topics and, on a cluster with access control, Write and Describe on the \
         transactional id {id}"
    )]
    Fatal {
        /// The failed step.
        what: &'static str,
        /// The error.
        error: KafkaError,
        /// The transactional id.
        id: String,
    },
    /// Another redrive has taken over.
    #[error("another redrive of this topic has begun, so this one stops; the other one redrives the remaining letters")]
    Fenced,
}

/// Returns the transactional id for the letters of `topic`.
fn transactional_id(topic: &str) -> String {
    format!("penstock-redrive-{topic}")
}

impl Transactions {
    /// Begins to redrive letters of `topic`. From now on no other redrive of it can commit. Blocks, like every
    /// function here.
    ///
    /// # Errors
    /// [`TransactionError`].
    pub(super) fn begin(config: &Config, topic: &str) -> Result<Self, TransactionError> {
        let id = transactional_id(topic);
        let fatal = |what| {
            let id = id.clone();
            move |error| judge(what, without_value(error), id)
        };
        let create = || {
            producer_config(&config.kafka, "penstock-indexer-redrive", DELIVERY_TIMEOUT)?
                .set("transactional.id", &id)
                .set("transaction.timeout.ms", LONGEST_MS)
                .set("message.max.bytes", MAX_RECORD_BYTES)
                // Kafka refuses a batch that is too large as a whole.
                .set("batch.num.messages", "1")
                .set("linger.ms", "0")
                .set("partitioner", "murmur2_random")
                .create_with_context(Login::new(&config.kafka)?)
        };
        let producer: FutureProducer<Login> = create().map_err(fatal("the producer"))?;
        producer.init_transactions(TRANSACTION_TIMEOUT).map_err(fatal("the first transaction"))?;
        Ok(Self { producer, runtime: Handle::current() })
    }

    /// Writes `records` in one transaction. Returns their positions.
    ///
    /// # Errors
    /// [`TransactionError`].
    pub(super) fn write(&self, topic: &str, records: Vec<Outgoing<'_>>) -> Result<Vec<Landed>, TransactionError> {
        let id = transactional_id(topic);
        self.producer.begin_transaction().map_err(|error| judge("the transaction", error, id.clone()))?;
        let mut deliveries = self.send(records).into_iter();
        let mut landed = Vec::with_capacity(deliveries.len());
        let mut errors = Vec::new();
        for delivery in deliveries.by_ref() {
            match self.ended(delivery) {
                Ok(position) => landed.push(position),
                Err(error) => {
                    errors.push(error);
                    break;
                }
            }
        }
        if !errors.is_empty() {
            let aborted = self.producer.abort_transaction(TRANSACTION_TIMEOUT);
            aborted.map_err(|error| judge("aborting the transaction", error, id.clone()))?;
            // Aborting has ended the remaining deliveries.
            errors.extend(deliveries.filter_map(|delivery| self.ended(delivery).err()));
            return Err(of_records(errors, id));
        }
        let committed = self.producer.commit_transaction(TRANSACTION_TIMEOUT);
        committed.map_err(|error| judge("committing the transaction", error, id))?;
        Ok(landed)
    }

    fn send(&self, records: Vec<Outgoing<'_>>) -> Vec<Result<DeliveryFuture, KafkaError>> {
        let send = |Outgoing { topic, partition, key, value, headers }: Outgoing<'_>| {
            let mut record: FutureRecord<'_, [u8], [u8]> = FutureRecord::to(topic).headers(headers);
            record.partition = partition;
            record.key = key;
            record.payload = value.as_deref();
            self.producer.send_result(record).map_err(|(error, _)| error)
        };
        records.into_iter().map(send).collect()
    }

    /// Waits until a record is acknowledged or has failed.
    fn ended(&self, delivery: Result<DeliveryFuture, KafkaError>) -> Result<Landed, KafkaError> {
        let delivered = self.runtime.block_on(delivery?).map_err(|_| KafkaError::Canceled)?;
        let delivered = delivered.map_err(|(error, _)| error)?;
        Ok(Landed { partition: delivered.partition, offset: delivered.offset })
    }
}

/// Interprets the non-empty `errors` of one transaction's records: either Kafka refuses one record, or the redrive
/// cannot continue. Records that fail only because of another one are purged.
fn of_records(mut errors: Vec<KafkaError>, id: String) -> TransactionError {
    use RDKafkaErrorCode as Code;
    const OF_RECORD: [Code; 6] = [
        Code::MessageSizeTooLarge,
        Code::MessageBatchTooLarge,
        Code::InvalidMessage,
        Code::InvalidRecord,
        Code::InvalidTimestamp,
        Code::UnknownPartition,
    ];
    const PURGED: [Code; 2] = [Code::PurgeQueue, Code::PurgeInflight];
    let is = |codes: &[Code], error: &KafkaError| error.rdkafka_error_code().is_some_and(|code| codes.contains(&code));
    if let Some(of_record) = errors.iter().position(|error| is(&OF_RECORD, error)) {
        return TransactionError::Record(errors.swap_remove(of_record));
    }
    match errors.iter().position(|error| !is(&PURGED, error)) {
        Some(other) => judge("writing the records", errors.swap_remove(other), id),
        None => TransactionError::Purged(errors.pop().unwrap_or(KafkaError::Canceled)),
    }
}

fn judge(what: &'static str, error: KafkaError, id: String) -> TransactionError {
    let code = match &error {
        KafkaError::Transaction(error) => Some(error.code()),
        error => error.rdkafka_error_code(),
    };
    match code {
        Some(RDKafkaErrorCode::Fenced | RDKafkaErrorCode::ProducerFenced | RDKafkaErrorCode::InvalidProducerEpoch) => {
            TransactionError::Fenced
        }
        _ => TransactionError::Fatal { what, error, id },
    }
}

#[cfg(test)]
mod tests;
