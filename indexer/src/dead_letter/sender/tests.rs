use rdkafka::mocking::MockCluster;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use super::*;

const TOPIC: &str = "letters";

/// Uses a mock cluster, because a real one cannot be made to give such an answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_permanently_failed_producer_is_replaced() {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic(TOPIC, 1, 1).unwrap();
    let kafka = Kafka { brokers: cluster.bootstrap_servers(), ..Kafka::default() };
    let sender = Sender::new(&kafka).unwrap();
    let letter = || FutureRecord::<[u8], [u8]>::to(TOPIC).payload(b"x");
    assert!(sender.send(letter()).await.is_ok());
    let first = Arc::downgrade(&sender.client.load_full());

    // With this error for the first request in flight, client and broker no longer agree, and librdkafka gives up
    // permanently.
    let desynchronised = RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
    cluster.request_errors(RDKafkaApiKey::Produce, &[desynchronised]);
    assert!(sender.send(letter()).await.is_err());
    assert!(sender.send(letter()).await.is_ok(), "the next has a new producer");
    let dropped = tokio::time::timeout(std::time::Duration::from_secs(30), async {
        while first.upgrade().is_some() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    });
    assert!(dropped.await.is_ok(), "the old one is kept");
}
