//! Tests on librdkafka's mock cluster.

use rdkafka::Message;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use service::metrics::Registry;

use super::super::group::Rebalance;
use super::super::tests::{PATIENCE, TOPIC, member, produce};
use super::*;
use crate::commit::{commit, list_of};

#[test]
fn assigned_partitions_are_paused_while_everything_is_paused() {
    let (subscription, list, _cluster) = member();
    let metrics = Metrics::new(&Registry::new()).unwrap();
    let mut topic = Topic::new(subscription, Reading::service(), metrics.clone());
    assert!(topic.pause(), "nothing is assigned yet");
    assert_eq!(topic.assign(&list), TakeOver::Done);
    assert_eq!(metrics.assigned_partitions.with_label_values(&[TOPIC]).get(), 4);
    assert_eq!(metrics.consume.rebalances.with_label_values(&[TOPIC, "assigned"]).get(), 1);
    assert_eq!(metrics.paused.with_label_values(&[TOPIC]).get(), 1);
    let assigned: Vec<Partition> = topic.partitions.books.ledger.assigned().collect();
    assert_eq!(assigned, partitions_of(&list));
    assert!(topic.resume() && !topic.subscription.is_paused());
    assert_eq!(metrics.paused.with_label_values(&[TOPIC]).get(), 0);
    topic.subscription.close();
    drop(topic);
}

/// Only the metadata of a committed offset shows whether it belongs to a topic that was deleted and created again.
#[test]
fn partitions_are_taken_over_only_with_their_committed_offsets() {
    let (subscription, list, cluster) = member();
    let mut topic = Topic::new(subscription, Reading::service(), Metrics::new(&Registry::new()).unwrap());
    let refusal = RDKafkaRespErr::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED;
    cluster.request_errors(RDKafkaApiKey::OffsetFetch, &[refusal]);
    assert_eq!(topic.assign(&list), TakeOver::OffsetsUnknown);
    assert_eq!(topic.partitions.books.ledger.assigned().count(), 0, "nothing is read");
    let now = Instant::now();
    topic.subscription.defer(Rebalance::Assign(list), now);
    assert!(topic.subscription.next_rebalance(now).is_none(), "it is tried again after a while");
    let Some(Rebalance::Assign(list)) = topic.subscription.next_rebalance(now + Duration::from_secs(60)) else {
        panic!("it is forgotten")
    };
    assert_eq!(topic.assign(&list), TakeOver::Done);
    assert_eq!(topic.partitions.books.ledger.assigned().count(), 4);
    topic.subscription.close();
    drop(topic);
}

/// Returns the offset of the next record.
fn next_record(topic: &Topic) -> i64 {
    let until = Instant::now() + PATIENCE;
    loop {
        assert!(Instant::now() < until, "nothing is read");
        if let Some(Ok(message)) = topic.subscription.poll(Duration::from_millis(50)) {
            return message.offset();
        }
    }
}

/// The coordinator of the group moves or loads while partitions are taken over. librdkafka does not ask for an offset
/// again after these answers, and never reads the partition (librdkafka#5586).
#[test]
fn partitions_are_read_once_their_committed_offsets_are_known() {
    const MOVED: RDKafkaRespErr = RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_COORDINATOR;
    const LOADING: RDKafkaRespErr = RDKafkaRespErr::RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS;
    const STALE: RDKafkaRespErr = RDKafkaRespErr::RD_KAFKA_RESP_ERR_STALE_MEMBER_EPOCH;
    const NONE: RDKafkaRespErr = RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR;
    let answers: [(&[RDKafkaRespErr], i64); 4] =
        [(&[MOVED, MOVED], 1), (&[LOADING; 6], 1), (&[STALE, STALE], 1), (&[NONE, MOVED], 0)];
    for (answers, committed) in answers {
        let (subscription, list, cluster) = member();
        let mut topic = Topic::new(subscription, Reading::service(), Metrics::new(&Registry::new()).unwrap());
        produce(&cluster);
        produce(&cluster);
        if committed > 0 {
            let offsets = list_of(TOPIC, &[(Partition(0), NextOffset(committed))], |_, _| None).unwrap();
            commit(&**topic.subscription.client(), &offsets).unwrap();
        }
        cluster.request_errors(RDKafkaApiKey::OffsetFetch, answers);
        let until = Instant::now() + PATIENCE;
        while topic.assign(&list) != TakeOver::Done {
            assert!(Instant::now() < until, "the offsets are not known");
        }
        assert_eq!(next_record(&topic), committed, "{answers:?}");
        topic.subscription.close();
        drop(topic);
    }
}

/// As after librdkafka#5586 or #5591.
#[test]
fn a_partition_of_which_the_client_delivers_nothing_is_begun_again() {
    let (subscription, list, cluster) = member();
    produce(&cluster);
    let mut topic = Topic::new(subscription, Reading::service(), Metrics::new(&Registry::new()).unwrap());
    cluster.request_errors(RDKafkaApiKey::OffsetFetch, &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_COORDINATOR]);
    topic.subscription.assign(&list).unwrap();
    for partition in partitions_of(&list) {
        topic.partitions.assign(partition, None, "");
    }
    let is_read = || matches!(topic.subscription.poll(Duration::from_millis(50)), Some(Ok(_)));
    assert!(!(0..20).any(|_| is_read()), "the client asks for the committed offsets again");
    let begun = Instant::now();
    for seconds in (0..=300).step_by(5) {
        let now = begun + Duration::from_secs(seconds);
        topic.partitions.logs.stalls.note_dry(now);
        topic.partitions.logs.stalls.note(Partition(0), None, true, now);
    }
    topic.take_up_stalled();
    assert_eq!(next_record(&topic), 0);
    topic.subscription.close();
    drop(topic);
}

#[test]
fn partition_numbers_are_joined_for_a_log_line() {
    assert_eq!(numbers(&[Partition(3), Partition(11)]), "3,11");
}
