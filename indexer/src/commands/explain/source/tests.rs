use rdkafka::ClientConfig;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer};

use super::*;

/// Returns a cluster with the topic "events", which has one record.
fn cluster() -> MockCluster<'static, DefaultProducerContext> {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic("events", 1, 1).unwrap();
    let producer: BaseProducer =
        ClientConfig::new().set("bootstrap.servers", cluster.bootstrap_servers()).create().unwrap();
    producer.send(BaseRecord::to("events").key("key").payload("value")).map_err(|(error, _)| error).unwrap();
    producer.flush(Duration::from_secs(60)).unwrap();
    cluster
}

/// The client asks another broker, and reports each that does not answer.
#[test]
fn a_record_is_read_while_some_brokers_are_down() {
    let cluster = cluster();
    let mut config = Config::default();
    let down: String = (1..=8).map(|port| format!("127.0.0.1:{port},")).collect();
    config.kafka.brokers = down + &cluster.bootstrap_servers();
    config.kafka.timeout = Duration::from_secs(60);
    let record = fetch(&config, "events", Partition(0), Offset(0)).unwrap();
    assert_eq!(record.as_record().value, Some(&b"value"[..]));
}

#[test]
fn a_record_is_named_by_topic_partition_and_offset() {
    let record = Source::Record { topic: "a.b-c_d".to_owned(), partition: Partition(3), offset: Offset(120) };
    assert_eq!("a.b-c_d:3:120".parse::<Source>().unwrap(), record);
    for text in ["a", "a:1", ":1:2", "a:-1:2", "a:1:-2", "a:b:2"] {
        assert!(text.parse::<Source>().is_err(), "{text}");
    }
}
