//! Membership of the consumer group: the client's settings, and librdkafka's callbacks.
//!
//! librdkafka calls back from within `poll`, where the thread's state is out of reach. So a rebalance is only noted
//! here. The thread handles it when `poll` returns: it drains the revoked partitions, and then tells librdkafka to
//! continue.

use std::collections::VecDeque;
use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use kafka::Login;
use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientConfig, TopicPartitionList};
use service::admin::Condition;

use super::prefetch::{self, set_default};
use crate::config::{Config, GroupProtocol};

/// How long librdkafka stops fetching once it has prefetched enough. With its default of one second, a consumer that
/// empties the queue sooner stays idle for the rest (librdkafka's CONFIGURATION.md).
const FETCH_BACKOFF_MS: &str = "20";

/// How long the group waits for a member that died, during which its partitions stand still. librdkafka's heartbeats
/// do not depend on the consuming thread, so this can be shorter than the default of 45 s. A static member keeps the
/// default, because it should return before its partitions move.
const SESSION_TIMEOUT_MS: &str = "10000";

/// A rebalance that the consuming thread must still handle.
#[derive(Debug)]
pub(super) enum Rebalance {
    /// These partitions are now assigned to this member.
    Assign(TopicPartitionList),
    /// These partitions are taken from this member.
    Revoke(TopicPartitionList),
}

/// Notes librdkafka's callbacks for the consuming thread.
pub(super) struct Group {
    rebalances: Mutex<VecDeque<Rebalance>>,
    closing: AtomicBool,
    /// Whether the group has refused this member since it last assigned partitions.
    is_refused: AtomicBool,
    kafka: Condition,
    login: Login,
}

/// Returns the settings of the group's consumer. Settings that the promises depend on are set after `kafka.options`,
/// which therefore cannot override them.
///
/// # Errors
/// The same as those of [`kafka::client_config`].
pub(super) fn client_config(config: &Config) -> KafkaResult<ClientConfig> {
    let indexer = &config.indexer;
    let mut client = kafka::client_config(&config.kafka, "penstock-indexer")?;
    prefetch::bound(&mut client, indexer.max_in_flight_bytes.as_u64());
    set_default(&mut client, "fetch.queue.backoff.ms", FETCH_BACKOFF_MS);
    set_default(&mut client, "auto.offset.reset", "earliest");
    client.set("group.id", &indexer.group_id);
    // Only the ledger moves offsets (P3).
    client.set("enable.auto.commit", "false");
    client.set("enable.auto.offset.store", "false");
    if let Some(instance) = &indexer.group_instance_id {
        client.set("group.instance.id", instance);
    }
    match indexer.group_protocol {
        GroupProtocol::Consumer => client.set("group.protocol", "consumer"),
        GroupProtocol::Classic => {
            if indexer.group_instance_id.is_none() {
                set_default(&mut client, "session.timeout.ms", SESSION_TIMEOUT_MS);
            }
            client.set("partition.assignment.strategy", "cooperative-sticky")
        }
    };
    Ok(client)
}

impl Group {
    /// Creates a group without noted rebalances. `kafka` is met while the cluster is reachable.
    pub(super) fn new(kafka: Condition, login: Login) -> Self {
        let (closing, is_refused) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { rebalances: Mutex::default(), closing, is_refused, kafka, login }
    }

    /// Returns the next rebalance to handle.
    pub(super) fn next_rebalance(&self) -> Option<Rebalance> {
        self.rebalances.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// Puts `rebalance`, which could not be handled yet, before all others.
    pub(super) fn defer(&self, rebalance: Rebalance) {
        self.rebalances.lock().unwrap_or_else(PoisonError::into_inner).push_front(rebalance);
    }

    /// Notes an `error` of the client. If the group refuses this member, readiness says why.
    pub(super) fn note_error(&self, error: &KafkaError) {
        if let Some(advice) = refusal(error) {
            self.is_refused.store(true, Ordering::Relaxed);
            self.kafka.unmet(format!("the group refuses this indexer ({error}): {advice}"));
        }
    }

    /// Notes that the group has admitted this member.
    pub(super) fn admit(&self) {
        self.is_refused.store(false, Ordering::Relaxed);
    }

    /// Returns whether the group has refused this member since it last admitted it.
    pub(super) fn is_refused(&self) -> bool {
        self.is_refused.load(Ordering::Relaxed)
    }

    fn note(&self, rebalance: Rebalance) {
        self.rebalances.lock().unwrap_or_else(PoisonError::into_inner).push_back(rebalance);
    }
}

/// Returns what an operator must do about `error`, if it means that the group refuses this member. librdkafka goes on
/// asking, and reads nothing meanwhile.
fn refusal(error: &KafkaError) -> Option<&'static str> {
    match error.rdkafka_error_code()? {
        RDKafkaErrorCode::GroupAuthorizationFailed => Some("allow Read on the group (indexer.group_id)"),
        RDKafkaErrorCode::InconsistentGroupProtocol => Some(
            "another program is in the group, or members with another indexer.group_protocol: give each a group of its \
             own (indexer.group_id)",
        ),
        RDKafkaErrorCode::GroupMaxSizeReached => Some("raise the brokers' group.max.size, or run fewer indexers"),
        RDKafkaErrorCode::InvalidSessionTimeout => Some(
            "set session.timeout.ms in kafka.options within the brokers' group.min and group.max.session.timeout.ms",
        ),
        _ => None,
    }
}

/// Returns whether `error` means that another member with the same `indexer.group_instance_id` has replaced this one
/// (KIP-345: `FENCED_INSTANCE_ID`).
pub(crate) fn is_fenced(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::FencedInstanceId)
}

/// Logs the end of this member, if `error` means that it was fenced.
pub(super) fn log_fenced(error: &KafkaError) {
    if is_fenced(error) {
        tracing::error!(
            "Another indexer of the group has the same indexer.group_instance_id and took its place: \
             this one ends with exit status 78. Give each indexer an id of its own, then start this one again."
        );
    }
}

/// Closes `consumer` after the drain. Rebalances that arrive from now on, and those already noted, are handled at
/// once, because the client waits for that before it closes.
pub(super) fn close(consumer: &BaseConsumer<Group>) {
    let group = consumer.context();
    group.closing.store(true, Ordering::Relaxed);
    while let Some(rebalance) = group.next_rebalance() {
        carry_out(consumer, &rebalance);
    }
}

/// Passes a rebalance on to librdkafka.
fn carry_out(consumer: &BaseConsumer<Group>, rebalance: &Rebalance) {
    let carried_out = match rebalance {
        Rebalance::Assign(partitions) => assign(consumer, partitions),
        Rebalance::Revoke(partitions) => unassign(consumer, partitions),
    };
    if let Err(error) = carried_out {
        tracing::warn!(%error, "Cannot carry out a rebalance while closing.");
    }
}

/// Tells librdkafka to consume `partitions`.
pub(super) fn assign(consumer: &BaseConsumer<Group>, partitions: &TopicPartitionList) -> KafkaResult<()> {
    match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => consumer.incremental_assign(partitions),
        RebalanceProtocol::Eager | RebalanceProtocol::None => consumer.assign(partitions),
    }
}

/// Tells librdkafka to release `partitions`.
pub(super) fn unassign(consumer: &BaseConsumer<Group>, partitions: &TopicPartitionList) -> KafkaResult<()> {
    match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => consumer.incremental_unassign(partitions),
        RebalanceProtocol::Eager | RebalanceProtocol::None => consumer.unassign(),
    }
}

impl ClientContext for Group {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        self.login.token()
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) {
            self.kafka.unmet("cannot reach any broker of kafka.brokers");
        }
        tracing::warn!(%error, reason, "The Kafka consumer reports an error.");
    }
}

impl ConsumerContext for Group {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, event: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        let partitions = partitions.clone();
        let is_assign = event == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        let rebalance = if is_assign { Rebalance::Assign(partitions) } else { Rebalance::Revoke(partitions) };
        if self.closing.load(Ordering::Relaxed) {
            carry_out(consumer, &rebalance);
        } else {
            self.note(rebalance);
        }
    }
}

#[cfg(test)]
mod tests;
