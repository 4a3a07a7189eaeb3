//! Tests on librdkafka's mock cluster.

use std::time::Instant;

use rdkafka::Message;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::mocking::MockCluster;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use service::admin::Readiness;

use super::super::tests::{Cluster, PATIENCE, TOPIC, alone, member, produce, subscription};
use super::*;

#[test]
fn while_everything_is_paused_no_partition_resumes() {
    let (mut subscription, list, cluster) = member();
    subscription.assign(&list).unwrap();
    let partitions = partitions_of(&list);
    subscription.pause_all(&partitions).unwrap();
    produce(&cluster);
    subscription.resume(&partitions).unwrap();
    assert!((0..10).all(|_| subscription.poll(Duration::from_millis(50)).is_none()) && subscription.is_paused());
    subscription.resume_all(&partitions).unwrap();
    assert!(!subscription.is_paused());
    let until = Instant::now() + PATIENCE;
    while subscription.poll(Duration::from_millis(50)).is_none() {
        assert!(Instant::now() < until, "nothing resumes");
    }
    subscription.close();
    drop(subscription);
}

#[test]
fn the_client_is_shared_while_a_query_is_open() {
    let subscription = alone();
    let held = Arc::clone(subscription.client());
    assert!(subscription.is_shared());
    drop(held);
    assert!(!subscription.is_shared());
}

/// Polls until the group asks for an assignment, and takes it over.
fn joins(subscription: &mut Subscription) {
    let until = Instant::now() + PATIENCE;
    loop {
        assert!(Instant::now() < until, "the group assigns nothing");
        subscription.poll(Duration::from_millis(50));
        if let Some(Rebalance::Assign(list)) = subscription.next_rebalance(Instant::now()) {
            return subscription.assign(&list).unwrap();
        }
    }
}

/// librdkafka goes on asking and reads nothing, without an end. The group's rights may be taken away at run time, and
/// another program may use the same group.
#[test]
fn a_member_that_its_group_refuses_is_not_ready_until_it_is_admitted() {
    for (refusal, word) in [
        (RDKafkaRespErr::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, "allow Read"),
        (RDKafkaRespErr::RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL, "another program"),
    ] {
        let cluster: Cluster = MockCluster::new(1).unwrap();
        cluster.create_topic(TOPIC, 4, 1).unwrap();
        cluster.request_errors(RDKafkaApiKey::JoinGroup, &[refusal]);
        let readiness = Readiness::new();
        let mut subscription = subscription(&cluster.bootstrap_servers(), readiness.condition("kafka"));
        let until = Instant::now() + PATIENCE;
        while !readiness.unmet().iter().any(|(_, reason)| reason.contains(word)) {
            assert!(Instant::now() < until, "{:?}", readiness.unmet());
            if let Some(Err(error)) = subscription.poll(Duration::from_millis(50)) {
                subscription.note_error(&error);
            }
        }
        assert!(!subscription.answers(), "no probe meets the condition");
        joins(&mut subscription);
        assert!(subscription.answers(), "then a probe does");
        subscription.close();
        drop(subscription);
    }
}

#[test]
fn a_member_that_was_refused_and_has_its_partitions_still_is_admitted() {
    let (subscription, list, _cluster) = member();
    subscription.assign(&list).unwrap();
    subscription.note_error(&KafkaError::MessageConsumption(RDKafkaErrorCode::GroupAuthorizationFailed));
    assert!(subscription.answers(), "the coordinator answers");
    subscription.note_error(&KafkaError::MessageConsumption(RDKafkaErrorCode::LeaderNotAvailable));
    assert!(!subscription.client().context().is_refused(), "other errors are not about the group");
    subscription.close();
    drop(subscription);
}

/// Returns the offset of the next record. Errors are passed over, as the consuming thread does.
fn next_record(subscription: &Subscription) -> i64 {
    let until = Instant::now() + PATIENCE;
    loop {
        assert!(Instant::now() < until, "nothing is read");
        if let Some(Ok(message)) = subscription.poll(Duration::from_millis(50)) {
            return message.offset();
        }
    }
}

/// librdkafka's own tests of consumers inject these answers.
#[test]
fn after_each_error_of_a_fetch_the_next_record_is_read() {
    let answers = [
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_INVALID_MSG,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR__TRANSPORT,
    ];
    let (subscription, list, cluster) = member();
    subscription.assign(&list).unwrap();
    for (offset, answer) in (0..).zip(answers) {
        cluster.request_errors(RDKafkaApiKey::Fetch, &[answer]);
        produce(&cluster);
        assert_eq!(next_record(&subscription), offset, "{answer:?}");
    }
    subscription.close();
    drop(subscription);
}
