//! Tests on librdkafka's mock cluster.

use service::metrics::Registry;

use super::super::tests::{TOPIC, member};
use super::*;

#[test]
fn assigned_partitions_are_paused_while_everything_is_paused() {
    let (subscription, list, _cluster) = member();
    let metrics = Metrics::new(&Registry::new()).unwrap();
    let mut topic = Topic::new(subscription, Reading::service(), metrics.clone());
    assert!(topic.pause(), "nothing is assigned yet");
    assert!(topic.assign(&list));
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

#[test]
fn partition_numbers_are_joined_for_a_log_line() {
    assert_eq!(numbers(&[Partition(3), Partition(11)]), "3,11");
}
