//! Helpers for the tests: a topic on librdkafka's mock cluster, and one without a cluster.

use std::time::{Duration, Instant};

use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer};
use rdkafka::{ClientConfig, TopicPartitionList};
use service::admin::{Condition, Readiness};

use super::group::Rebalance;
use super::subscription::Subscription;
use crate::config::Config;

pub(super) const TOPIC: &str = "events";
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

pub(super) type Cluster = MockCluster<'static, DefaultProducerContext>;

/// Creates a subscription to [`TOPIC`] at `brokers`, which reports by the condition `kafka`.
pub(super) fn subscription(brokers: &str, kafka: Condition) -> Subscription {
    let mut config = Config::default();
    (config.kafka.brokers, config.kafka.topic) = (brokers.to_owned(), TOPIC.to_owned());
    Subscription::new(&config, kafka).unwrap()
}

/// Creates a subscription without a cluster.
pub(super) fn alone() -> Subscription {
    subscription("127.0.0.1:1", Readiness::new().condition("kafka"))
}

/// Creates a member of a cluster's group, with the four partitions that it should take over. Close and drop the
/// member before the cluster, or the client waits forever.
pub(super) fn member() -> (Subscription, TopicPartitionList, Cluster) {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic(TOPIC, 4, 1).unwrap();
    let mut subscription = subscription(&cluster.bootstrap_servers(), Readiness::new().condition("kafka"));
    let until = Instant::now() + PATIENCE;
    loop {
        assert!(Instant::now() < until, "the group assigns nothing");
        subscription.poll(Duration::from_millis(50));
        if let Some(Rebalance::Assign(list)) = subscription.next_rebalance(Instant::now()) {
            return (subscription, list, cluster);
        }
    }
}

/// Writes a record to the first partition.
pub(super) fn produce(cluster: &Cluster) {
    let producer: BaseProducer =
        ClientConfig::new().set("bootstrap.servers", cluster.bootstrap_servers()).create().unwrap();
    producer.send(BaseRecord::to(TOPIC).partition(0).key("key").payload("value")).map_err(|(error, _)| error).unwrap();
    producer.flush(PATIENCE).unwrap();
}
