//! Tests on librdkafka's mock cluster, because a real one cannot be made to refuse a letter once and then accept it.

use kafka::position::{Offset, Partition};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Message, OwnedMessage};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use rdkafka::{ClientConfig, TopicPartitionList};
use service::admin::Readiness;
use service::metrics::Registry;

use super::*;
use crate::batch::BatchBuilder;
use crate::bulk::tests::stub::{Reply, Stub};
use crate::bulk::tests::{batch_of, config, service};
use crate::message::progress::{BatchId, Epoch};
use crate::message::record::{Headers, Record};

const TOPIC: &str = "letters";
const PATIENCE: Duration = Duration::from_secs(30);

/// Creates a batch of one undecodable record.
fn batch() -> Batch {
    let mut filling = BatchBuilder::default();
    filling.assign(Partition(0), Epoch(1), None);
    let (key, value) = (Some(b"key".as_slice()), Some(b"value".as_slice()));
    let record = Record {
        partition: Partition(0),
        offset: Offset(7),
        timestamp: Some(1),
        key,
        value,
        headers: Headers::default(),
    };
    filling.refuse(&record, None, "not-framed", "why".to_owned());
    filling.take(BatchId(1))
}

/// Returns the letters in the topic after the batch is written. The topic answers the first attempt with `refusal`.
async fn letters_after(refusal: RDKafkaRespErr) -> Vec<OwnedMessage> {
    let cluster: MockCluster<'static, DefaultProducerContext> = MockCluster::new(1).unwrap();
    cluster.create_topic(TOPIC, 1, 1).unwrap();
    cluster.request_errors(RDKafkaApiKey::Produce, &[refusal]);
    let mut config = Config::default();
    config.kafka.brokers = cluster.bootstrap_servers();
    config.kafka.dead_letter_topic = TOPIC.to_owned();
    let metrics = Metrics::new(&Registry::new()).unwrap();
    let letters = DeadLetters::new(&config, Readiness::new().condition("dead letters"), metrics).unwrap();
    tokio::time::timeout(PATIENCE, letters.write_all(&batch(), &[])).await.expect("it comes back");
    read(&cluster)
}

fn read(cluster: &MockCluster<'static, DefaultProducerContext>) -> Vec<OwnedMessage> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", cluster.bootstrap_servers()).set("group.id", "test");
    let consumer: BaseConsumer = config.create().unwrap();
    let (_, end) = consumer.fetch_watermarks(TOPIC, 0, PATIENCE).unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(TOPIC, 0, rdkafka::Offset::Beginning).unwrap();
    consumer.assign(&list).unwrap();
    (0..end).map(|_| consumer.poll(PATIENCE).expect("a letter").unwrap().detach()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_written_only_when_its_letter_is_acknowledged() {
    let letters = letters_after(RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED).await;
    assert_eq!(letters.iter().map(OwnedMessage::payload).collect::<Vec<_>>(), [Some(b"value".as_slice())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_is_too_large_is_written_without_its_value() {
    let letters = letters_after(RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE).await;
    assert_eq!(letters.iter().map(OwnedMessage::payload).collect::<Vec<_>>(), [None]);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_fuse_has_blown_no_batch_is_written_but_all_are_tried_again() {
    let cluster: MockCluster<'static, DefaultProducerContext> = MockCluster::new(1).unwrap();
    cluster.create_topic(TOPIC, 1, 1).unwrap();
    let refusal = r#"{"items":[{"create":{"status":400,"error":{"type":"document_parsing_exception"}}}]}"#;
    let stub = Stub::start(move |_| Reply::Answer(200, refusal.to_owned())).await;
    let mut config = config(&stub.url());
    config.kafka.brokers = cluster.bootstrap_servers();
    config.kafka.dead_letter_topic = TOPIC.to_owned();
    config.indexer.fuse.max_consecutive = 1;
    let metrics = Metrics::new(&Registry::new()).unwrap();
    let letters = DeadLetters::new(&config, Readiness::new().condition("dead letters"), metrics).unwrap();
    assert!(letters.hold.count(1, 1).is_some(), "another batch has blown it");
    let (error_type, reason) = ("document_parsing_exception".to_owned(), String::new());
    let refused = vec![Refused { item: 0, status: 400, error_type, reason, attempts: 1 }];
    let (bulk, batch) = (service(&config).bulk, batch_of(&["bad"]));
    let tried = async {
        while stub.bulk_requests().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        () = letters.write(&bulk, &batch, refused) => panic!("it is written although the fuse has blown"),
        tried = tokio::time::timeout(PATIENCE, tried) => tried.expect("it is tried again"),
    }
}
