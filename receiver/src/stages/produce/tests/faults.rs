//! The faults that librdkafka's own tests inject into its mock cluster (`0117-mock_errors.c`,
//! `0143-exponential_backoff_mock.c` and `0144-idempotence_mock.c` of librdkafka 2.12), and those that its users
//! reported.

use rdkafka::producer::Producer as _;
use rdkafka::types::RDKafkaRespErr as Answer;

use super::*;

/// The sender of each record is answered once the record is acknowledged, and does not see the fault.
#[tokio::test(flavor = "multi_thread")]
async fn faults_that_pass_are_retried_until_the_record_is_acknowledged() {
    let setup = Setup::new().await;
    assert_eq!(setup.produce().await, Ok(()));
    for faults in [
        // confluentinc/librdkafka#2918, confluentinc/confluent-kafka-python#654: retention has deleted all records of
        // this producer, and the broker no longer knows it.
        vec![Answer::RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID],
        // 0117: the disk of the leader.
        vec![Answer::RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR; 3],
        // 0143.
        vec![Answer::RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS; 3],
        // 0144: the record may be stored already. If it is, the next attempt is a duplicate.
        vec![Answer::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS],
        vec![Answer::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND],
        vec![Answer::RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER],
        vec![
            Answer::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
            Answer::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
            Answer::RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER,
        ],
        // Another broker leads the partition.
        vec![Answer::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, Answer::RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE],
        vec![Answer::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART],
        // A bit was flipped on the way.
        vec![Answer::RD_KAFKA_RESP_ERR_INVALID_MSG],
    ] {
        setup.cluster.request_errors(RDKafkaApiKey::Produce, &faults);
        assert_eq!(setup.produce().await, Ok(()), "{faults:?}");
    }
    assert_eq!(setup.producer.queue_len(), 0, "the room is given back");
    assert!(setup.producer.client.load_full().client().fatal_error().is_none());
}

/// Each fault fails one record, and the next one is accepted by the same producer.
#[tokio::test(flavor = "multi_thread")]
async fn a_fault_that_stays_fails_only_its_own_record_with_the_right_reason() {
    let setup = Setup::new().await;
    let blocked = |code| Err::<(), _>(ProduceError::Blocked(code));
    for (faults, outcome) in [
        // confluentinc/librdkafka#4438: an epoch that the broker has forgotten.
        (vec![Answer::RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH], Err(ProduceError::Unavailable)),
        (vec![Answer::RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED], Err(ProduceError::Unavailable)),
        // Since Kafka 3.6, topics refuse timestamps ahead of the broker's clock: elastic/docs-content#2587,
        // apache/kafka#13709. The record is refused in its batch, and then alone.
        (vec![Answer::RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP; 2], blocked(RDKafkaErrorCode::InvalidTimestamp)),
        // KIP-110: a broker before Kafka 2.1 and `compression.type: zstd`.
        (
            vec![Answer::RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE],
            blocked(RDKafkaErrorCode::UnsupportedCompressionType),
        ),
        (
            vec![Answer::RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT],
            blocked(RDKafkaErrorCode::UnsupportedForMessageFormat),
        ),
    ] {
        setup.cluster.request_errors(RDKafkaApiKey::Produce, &faults);
        assert_eq!(setup.produce().await, outcome, "{faults:?}");
        assert_eq!(setup.produce().await, Ok(()), "after {faults:?}");
    }
    assert!(setup.producer.client.load_full().client().fatal_error().is_none());
}

/// `0144-idempotence_mock.c`: the broker is down before it has answered. It may have stored the record.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_in_flight_survives_a_broker_that_is_down_for_a_moment() {
    let setup = Setup::new().await;
    assert_eq!(setup.produce().await, Ok(()));
    setup.cluster.broker_round_trip_time(1, Duration::from_millis(500)).unwrap();
    let (writer, head) = (writer(), head());
    let delivery = setup.producer.queue(TOPIC, std::iter::once(event(&writer)), &head).await.unwrap();
    setup.cluster.broker_down(1).unwrap();
    setup.cluster.broker_round_trip_time(1, Duration::ZERO).unwrap();
    setup.cluster.broker_up(1).unwrap();
    assert_eq!(setup.producer.finished(TOPIC, &delivery, Instant::now() + TIMEOUT).await, Ok(()));
    setup.ready().await;
    assert_eq!(setup.produce().await, Ok(()));
}

/// confluentinc/librdkafka#4898, #3009: a topic was created again, and its producer keeps sending to the broker that led
/// the partition before, whatever the metadata says.
#[tokio::test(flavor = "multi_thread")]
async fn a_producer_whose_records_run_out_of_time_is_replaced() {
    let setup = Setup::within(Duration::from_secs(2)).await;
    assert_eq!(setup.produce().await, Ok(()));
    let first = Arc::downgrade(&setup.producer.client.load_full());
    setup.cluster.request_errors(RDKafkaApiKey::Produce, &[Answer::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION; 10_000]);
    let replaced = tokio::time::timeout(Duration::from_secs(60), async {
        while first.upgrade().is_some() {
            assert_eq!(setup.produce().await, Err(ProduceError::Unavailable));
        }
    });
    replaced.await.expect("the producer is replaced");
    setup.ready().await;
    setup.cluster.clear_request_errors(RDKafkaApiKey::Produce);
    assert_eq!(setup.produce().await, Ok(()));
}

/// confluentinc/confluent-kafka-dotnet#1622, confluentinc/confluent-kafka-go#726: the mock cluster creates a topic as
/// soon as a client asks for it, as brokers do with `auto.create.topics.enable`, which is their default.
#[tokio::test(flavor = "multi_thread")]
async fn asking_for_a_missing_topic_does_not_create_it() {
    let setup = Setup::new().await;
    for _ in 0..2 {
        let (producer, brokers) = (Arc::clone(&setup.producer), setup.cluster.bootstrap_servers());
        let wanted = vec![TOPIC.to_owned(), "misspelt".to_owned()];
        let asked =
            tokio::task::spawn_blocking(move || topics::unwritable_topics(&producer, &brokers, &wanted, TIMEOUT));
        let unwritable = asked.await.unwrap().unwrap();
        assert_eq!(unwritable.keys().collect::<Vec<_>>(), ["misspelt"]);
    }
}
