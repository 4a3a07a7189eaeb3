//! Tests on librdkafka's mock cluster.

use rdkafka::ClientConfig;
use rdkafka::mocking::MockCluster;

use super::super::tests::TOPIC;
use super::*;

/// As when the only broker with its data is down. The client would answer for none of the partitions, and the lag of
/// all would stand still.
#[test]
fn a_partition_without_a_leader_does_not_hide_the_others() {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic(TOPIC, 3, 1).unwrap();
    cluster.partition_leader(TOPIC, 1, None).unwrap();
    let consumer: BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", cluster.bootstrap_servers()).create().unwrap();
    for position in [Position::Beginning, Position::End] {
        let found = ask_offsets(&consumer, TOPIC, &[0, 1, 2].map(Partition), position);
        assert_eq!(found.into_keys().collect::<Vec<_>>(), [Partition(0), Partition(2)]);
    }
    assert!(ask_offsets(&consumer, TOPIC, &[], Position::End).is_empty());
}
