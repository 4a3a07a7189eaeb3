//! Membership of the consumer group: the client's settings, and what librdkafka calls back with.
//!
//! librdkafka calls back from within `poll`, where the state of the consuming thread is out of reach. So a rebalance is only
//! noted here; the thread takes it up as soon as `poll` returns, drains what is revoked, and then tells librdkafka to go on.

use std::collections::VecDeque;
use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use prometheus::IntGaugeVec;
use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::statistics::{Partition, Statistics};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientConfig, TopicPartitionList};
use shared::admin::Condition;
use shared::config::{Config, GroupProtocol};
use shared::kafka::Login;

/// What librdkafka may fetch ahead is this part (one in so many) of `indexer.max_in_flight_bytes`.
const PREFETCH_SHARE: u64 = 4;

/// How long librdkafka fetches nothing after what it has fetched ahead was enough. By its own default of a second, a consumer that takes
/// what is there in less stands still for the rest (librdkafka's CONFIGURATION.md).
const FETCH_BACKOFF_MS: &str = "20";

/// How often the lag is read from librdkafka's statistics.
const STATISTICS_INTERVAL_MS: &str = "5000";

/// A rebalance that the consuming thread has yet to carry out.
#[derive(Debug)]
pub(super) enum Rebalance {
    /// These partitions are ours now.
    Assign(TopicPartitionList),
    /// These partitions go to another member.
    Revoke(TopicPartitionList),
}

/// What librdkafka calls back with, noted for the consuming thread.
pub(super) struct Group {
    rebalances: Mutex<VecDeque<Rebalance>>,
    commit_failed: AtomicBool,
    closing: AtomicBool,
    kafka: Condition,
    lag: IntGaugeVec,
    login: Login,
    /// The topics and partitions that `lag` was last set for.
    told_lag: Mutex<Vec<(String, String)>>,
}

/// The settings of the group's consumer. What the promises need comes after `kafka.options`, so that these cannot undo it.
///
/// # Errors
/// As [`shared::kafka::client_config`].
pub(super) fn client_config(config: &Config) -> KafkaResult<ClientConfig> {
    let indexer = &config.indexer;
    let mut client = shared::kafka::client_config(&config.kafka, "penstock-indexer")?;
    let prefetch = indexer.max_in_flight_bytes.as_u64() / PREFETCH_SHARE / 1024;
    set_default(&mut client, "queued.max.messages.kbytes", &prefetch.to_string());
    set_default(&mut client, "fetch.queue.backoff.ms", FETCH_BACKOFF_MS);
    set_default(&mut client, "auto.offset.reset", "earliest");
    set_default(&mut client, "statistics.interval.ms", STATISTICS_INTERVAL_MS);
    client.set("group.id", &indexer.group_id);
    // Offsets move by the ledger alone (P3).
    client.set("enable.auto.commit", "false");
    client.set("enable.auto.offset.store", "false");
    if let Some(instance) = &indexer.group_instance_id {
        client.set("group.instance.id", instance);
    }
    match indexer.group_protocol {
        GroupProtocol::Consumer => client.set("group.protocol", "consumer"),
        GroupProtocol::Classic => client.set("partition.assignment.strategy", "cooperative-sticky"),
    };
    Ok(client)
}

fn set_default(client: &mut ClientConfig, key: &str, value: &str) {
    if client.get(key).is_none() {
        client.set(key, value);
    }
}

impl Group {
    /// `kafka` is met while the cluster can be reached; `lag` is set for each assigned partition.
    pub(super) fn new(kafka: Condition, lag: IntGaugeVec, login: Login) -> Self {
        Self {
            rebalances: Mutex::default(),
            commit_failed: AtomicBool::new(false),
            closing: AtomicBool::new(false),
            kafka,
            lag,
            login,
            told_lag: Mutex::default(),
        }
    }

    /// The next rebalance to carry out.
    pub(super) fn next_rebalance(&self) -> Option<Rebalance> {
        self.rebalances.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// Whether a commit has failed since this was last asked.
    pub(super) fn take_commit_failed(&self) -> bool {
        self.commit_failed.swap(false, Ordering::Relaxed)
    }

    /// From now on partitions are given up at once: the thread has drained and goes.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    fn note(&self, rebalance: Rebalance) {
        self.rebalances.lock().unwrap_or_else(PoisonError::into_inner).push_back(rebalance);
    }
}

/// Tells librdkafka that `partitions` are taken up.
pub(super) fn assign(consumer: &BaseConsumer<Group>, partitions: &TopicPartitionList) -> KafkaResult<()> {
    match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => consumer.incremental_assign(partitions),
        RebalanceProtocol::Eager | RebalanceProtocol::None => consumer.assign(partitions),
    }
}

/// Tells librdkafka that `partitions` are given up.
pub(super) fn unassign(consumer: &BaseConsumer<Group>, partitions: &TopicPartitionList) -> KafkaResult<()> {
    match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => consumer.incremental_unassign(partitions),
        RebalanceProtocol::Eager | RebalanceProtocol::None => consumer.unassign(),
    }
}

/// Records between what is committed and the end of the partition; where nothing is committed, all there are.
fn lag(partition: &Partition) -> i64 {
    let from = if partition.committed_offset < 0 { partition.lo_offset } else { partition.committed_offset };
    (partition.hi_offset - from).max(0)
}

impl ClientContext for Group {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        self.login.token()
    }

    fn stats(&self, statistics: Statistics) {
        let mut told = self.told_lag.lock().unwrap_or_else(PoisonError::into_inner);
        for (topic, partition) in told.drain(..) {
            // Other topics have consumers of their own, and the same family.
            self.lag.remove_label_values(&[&topic, &partition]).ok();
        }
        for (topic, statistics) in &statistics.topics {
            let active = statistics.partitions.values().filter(|partition| partition.fetch_state == "active");
            for partition in active {
                let labels = [topic.clone(), partition.partition.to_string()];
                self.lag.with_label_values(&labels).set(lag(partition));
                told.push(labels.into());
            }
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) {
            self.kafka.unmet("no broker of kafka.brokers can be reached");
        }
        tracing::warn!(%error, reason, "The Kafka consumer reports an error.");
    }
}

impl ConsumerContext for Group {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, event: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        let is_assign = event == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        if !self.closing.load(Ordering::Relaxed) {
            let partitions = partitions.clone();
            self.note(if is_assign { Rebalance::Assign(partitions) } else { Rebalance::Revoke(partitions) });
            return;
        }
        let carried_out = if is_assign { assign(consumer, partitions) } else { unassign(consumer, partitions) };
        if let Err(error) = carried_out {
            tracing::warn!(%error, "A rebalance while closing could not be carried out.");
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, offsets: &TopicPartitionList) {
        // A request that is answered may have failed for each of its partitions all the same: in a rebalance, say.
        let of_partition = offsets.elements().iter().find_map(|element| element.error().err());
        match result.and(of_partition.map_or(Ok(()), Err)) {
            Ok(()) => self.kafka.met(),
            Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)) => {}
            Err(error) => {
                self.commit_failed.store(true, Ordering::Relaxed);
                tracing::warn!(%error, "A commit failed; it is tried again with the next one.");
            }
        }
    }
}
