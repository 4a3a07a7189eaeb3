use std::collections::HashMap;

use avro::{Limits, Schema};
use futures::FutureExt;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use registry::wire::SchemaId;
use service::admin::Readiness;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::message::Writer;
use crate::stages::validate::validate;

mod faults;

const TOPIC: &str = "events";
const TIMEOUT: Duration = Duration::from_secs(10);

struct Setup {
    producer: Arc<Producer>,
    readiness: Arc<Readiness>,
    cluster: MockCluster<'static, DefaultProducerContext>,
    _stop: tokio_util::sync::DropGuard,
}

impl Setup {
    async fn new() -> Self {
        Self::within(TIMEOUT).await
    }

    /// Sets up a producer for requests that are answered within `request_timeout`.
    async fn within(request_timeout: Duration) -> Self {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic(TOPIC, 1, 1).unwrap();
        let kafka = Kafka { brokers: cluster.bootstrap_servers(), ..Kafka::default() };
        let producer = Arc::new(Producer::new(&kafka, 1_000, request_timeout).unwrap());
        let (readiness, shutdown) = (Readiness::new(), CancellationToken::new());
        let topics = vec![TOPIC.to_owned()];
        let condition = readiness.condition("kafka");
        tokio::spawn(watch::watch(Arc::clone(&producer), kafka, topics, condition, shutdown.clone()));
        let setup = Self { producer, readiness, cluster, _stop: shutdown.drop_guard() };
        setup.ready().await;
        setup
    }

    async fn ready(&self) {
        let waited = tokio::time::timeout(Duration::from_secs(30), async {
            while !self.readiness.is_ready() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        waited.await.expect("Kafka takes events in the end");
    }

    async fn produce(&self) -> Result<(), ProduceError> {
        let (writer, head) = (writer(), head());
        let event = event(&writer);
        let delivery = self.producer.queue(TOPIC, std::iter::once(event), &head).await?;
        self.producer.finished(TOPIC, &delivery, Instant::now() + TIMEOUT).await
    }
}

fn writer() -> Writer {
    Writer { id: SchemaId(7), schema: Arc::new(Schema::parse("\"int\"").unwrap()), key: None, uuids: avro::Uuids::Any }
}

fn event(writer: &Writer) -> Event<'static> {
    validate(b"\0\0\0\0\x07\x02", writer, Limits { max_depth: 1, max_items: 1, max_values: 16 }).unwrap()
}

fn head() -> RecordHead<'static> {
    RecordHead {
        timestamp: SystemTime::now(),
        source: "test",
        id_scope: None,
        request_id: b"r",
        traceparent: None,
        trace: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_dropped_in_the_middle_of_a_file_gives_back_its_room() {
    let setup = Setup::new().await;
    let writer = writer();
    let events = (0..3 * YIELD_EVERY).map(|_| event(&writer)).collect::<Vec<_>>();
    let head = head();
    {
        let mut queue = std::pin::pin!(setup.producer.queue(TOPIC, events.iter().cloned(), &head));
        assert!(queue.as_mut().now_or_never().is_none(), "it lets others have the thread");
    }
    let emptied = tokio::time::timeout(Duration::from_secs(30), async {
        while setup.producer.queue_len() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    emptied.await.expect("all room is given back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_acknowledgement_counts_as_none() {
    let setup = Setup::new().await;
    setup.cluster.broker_round_trip_time(1, Duration::from_secs(60)).unwrap();
    let (writer, head) = (writer(), head());
    let delivery = setup.producer.queue(TOPIC, std::iter::once(event(&writer)), &head).await.unwrap();
    let deadline = Instant::now() + Duration::from_millis(100);
    assert_eq!(setup.producer.finished(TOPIC, &delivery, deadline).await, Err(ProduceError::Unavailable));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_producer_that_failed_permanently_is_replaced() {
    let setup = Setup::new().await;
    assert_eq!(setup.produce().await, Ok(()));
    let first = Arc::downgrade(&setup.producer.client.load_full());

    // For the first request in flight, this error means that client and broker no longer agree. librdkafka gives up
    // permanently.
    let desynchronised = RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
    setup.cluster.request_errors(RDKafkaApiKey::Produce, &[desynchronised]);
    assert_eq!(setup.produce().await, Err(ProduceError::Unavailable));

    let replaced = tokio::time::timeout(Duration::from_secs(30), async {
        while first.upgrade().is_some() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    replaced.await.expect("the producer is replaced");
    setup.ready().await;
    assert_eq!(setup.produce().await, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_too_large_for_kafka_is_not_reported_as_an_outage() {
    let setup = Setup::new().await;
    let too_large = RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
    // The first error refuses the batch, the second the record alone.
    setup.cluster.request_errors(RDKafkaApiKey::Produce, &[too_large, too_large]);
    assert_eq!(setup.produce().await, Err(ProduceError::TooLarge));
    assert_eq!(setup.produce().await, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_refused_in_a_batch_and_accepted_alone_is_accepted() {
    let setup = Setup::new().await;
    for refusal in [
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_INVALID_RECORD,
        // As proxies in front of Kafka answer that check records.
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_POLICY_VIOLATION,
    ] {
        setup.cluster.request_errors(RDKafkaApiKey::Produce, &[refusal]);
        assert_eq!(setup.produce().await, Ok(()));
    }
    assert_eq!(setup.producer.queue_len(), 0, "the room is given back");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_for_the_operator_is_not_an_outage_and_shows_in_readiness() {
    let setup = Setup::new().await;
    let denied = RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    setup.cluster.request_errors(RDKafkaApiKey::Produce, &[denied]);
    assert_eq!(setup.produce().await, Err(ProduceError::Blocked(RDKafkaErrorCode::TopicAuthorizationFailed)));
    let remarked = tokio::time::timeout(Duration::from_secs(30), async {
        while !setup.readiness.remarks().iter().any(|(_, remark)| remark.contains(TOPIC)) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    remarked.await.expect("the readiness names the topic");
    assert!(setup.readiness.is_ready());
    assert_eq!(setup.produce().await, Ok(()));
}

/// Before Kafka 2.8 a producer needs a permission on the cluster (`IDEMPOTENT_WRITE`). Without it each producer fails
/// permanently, as soon as it is connected.
#[tokio::test(flavor = "multi_thread")]
async fn a_producer_without_permission_is_the_operators_fault_until_it_has_one() {
    let setup = Setup::new().await;
    let denied = RDKafkaRespErr::RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
    setup.cluster.request_errors(RDKafkaApiKey::InitProducerId, &[denied; 2]);
    // The first producer fails for another reason. The next two lack the permission.
    let desynchronised = RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
    setup.cluster.request_errors(RDKafkaApiKey::Produce, &[desynchronised]);
    assert_eq!(setup.produce().await, Err(ProduceError::Unavailable));

    let blocked = Err(ProduceError::Blocked(RDKafkaErrorCode::ClusterAuthorizationFailed));
    let refused = tokio::time::timeout(Duration::from_secs(30), async {
        while setup.produce().await != blocked {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    refused.await.expect("the answer says that an operator must act");
    assert!(!setup.readiness.is_ready());
    setup.ready().await;
    assert_eq!(setup.produce().await, Ok(()));
}

/// An operator has raised `max.message.bytes`.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_within_the_raised_limit_is_not_refused() {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic(TOPIC, 1, 1).unwrap();
    let kafka = Kafka { brokers: cluster.bootstrap_servers(), ..Kafka::default() };
    let producer = Producer::new(&kafka, 1_000, TIMEOUT).unwrap();
    producer.shared.health.set_unreachable(false);
    let rules = &producer.shared.rules;
    let rule =
        |max_bytes| HashMap::from([(TOPIC.to_owned(), rules::Rule { max_bytes, compacted: false, min_in_sync: 1 })]);
    rules.note(rule(10));
    let (writer, head) = (writer(), head());
    let queue = || producer.queue(TOPIC, std::iter::once(event(&writer)), &head);
    let asked = async {
        rules.refresh_requested().await;
        rules.note(rule(1_000));
        rules.note_asked(true);
    };
    let (queued, ()) = tokio::join!(queue(), asked);
    assert!(queued.is_ok(), "{:?}", queued.err());
    rules.note(rule(10));
    assert_eq!(queue().await.err(), Some(ProduceError::TooLarge), "Kafka was asked a moment ago");
}
