//! Object container files on their whole way, where the real parts cannot be made to fail as wanted.

use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use super::*;

const CONTAINER: (&str, &str) = ("content-type", "application/vnd.apache.avro+container");

/// A file of `count` events in one block, without a codec.
pub(super) fn file(count: u8) -> Vec<u8> {
    let long = |value: usize| vec![(value * 2) as u8 & 0x7f | 0x80, ((value * 2) >> 7) as u8];
    let counted = |bytes: &[u8]| [long(bytes.len()), bytes.to_vec()].concat();
    let datums: Vec<u8> =
        (0..count).flat_map(|number| [2, 4, b'a' + number / 26, b'a' + number % 26, 2, b'x']).collect();
    let sync = b"sixteen bytes ok";
    let header = [counted(b"avro.schema"), counted(SCHEMA.as_bytes())].concat();
    [b"Obj\x01\x02", &*header, b"\0", sync, &*long(count.into()), &*counted(&datums), sync].concat()
}

async fn receiver(partitions: i32) -> Receiver {
    let kafka = MockCluster::new(1).unwrap();
    kafka.create_topic(TOPIC, partitions, 1).unwrap();
    let mut config = config(&kafka, &registry(Some(())).await);
    config.receiver.sources.get_mut("open").unwrap().limits = Limits::default();
    let receiver = start_with(&config, kafka);
    eventually(|| receiver.readiness.is_ready()).await;
    receiver
}

#[tokio::test(flavor = "multi_thread")]
async fn when_kafka_fails_in_the_middle_of_a_file_it_is_503_and_the_same_file_again_is_200() {
    let receiver = receiver(4).await;
    // One of the partitions' requests; the others are stored.
    let refused = RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    receiver.kafka.request_errors(RDKafkaApiKey::Produce, &[refused]);
    let answer = receiver.send(post("/open", &[CONTAINER], file(100))).await;
    assert_eq!((answer.status, &answer.body["code"]), (503, &json!("kafka-refuses")));
    assert!(answer.headers.contains_key("retry-after"));
    // As a sender would: until it is accepted. The producer takes a moment to start again.
    let accepted = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            let answer = receiver.send(post("/open", &[CONTAINER], file(100))).await;
            if answer.status == 200 {
                return answer.body;
            }
            assert_eq!(answer.status, 503, "{}", answer.body);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    assert_eq!(accepted.await.expect("it is accepted in the end"), json!({"accepted": 100}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_the_queue_never_has_room_for_is_413_and_nothing_of_it_is_sent() {
    let kafka = kafka();
    let mut config = config(&kafka, &registry(Some(())).await);
    config.kafka.options.insert("queue.buffering.max.messages".to_owned(), "99".to_owned());
    config.receiver.sources.get_mut("open").unwrap().limits = Limits::default();
    let receiver = start_with(&config, kafka);
    eventually(|| receiver.readiness.is_ready()).await;
    let answer = receiver.send(post("/open", &[CONTAINER], file(100))).await;
    assert_eq!((answer.status, &answer.body["code"]), (413, &json!("too-many-events")));
    assert!(receiver.records().is_empty());
    let answer = receiver.send(post("/open", &[CONTAINER], file(99))).await;
    assert_eq!((answer.status, answer.body), (200, json!({"accepted": 99})));
    assert_eq!(receiver.records().len(), 99);
}
