//! Tests on librdkafka's mock cluster.

use std::time::Instant;

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use super::super::tests::{Cluster, PATIENCE, TOPIC, alone, member};
use super::*;

/// Writes a record to the first partition.
fn produce(cluster: &Cluster) {
    let producer: BaseProducer =
        ClientConfig::new().set("bootstrap.servers", cluster.bootstrap_servers()).create().unwrap();
    producer.send(BaseRecord::to(TOPIC).partition(0).key("key").payload("value")).map_err(|(error, _)| error).unwrap();
    producer.flush(PATIENCE).unwrap();
}

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
