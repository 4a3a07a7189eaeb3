//! Object container files on their whole way, with failures that the real parts cannot be made to show.

use std::sync::atomic::{AtomicUsize, Ordering};

use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use super::*;

const CONTAINER: (&str, &str) = ("content-type", "application/vnd.apache.avro+container");

/// Returns a file of `count` events in one block, without a codec.
pub(super) fn file(count: u8) -> Vec<u8> {
    file_of(SCHEMA, count)
}

/// Does the same with this schema, which must read the same datums.
fn file_of(schema: &str, count: u8) -> Vec<u8> {
    let long = |value: usize| vec![(value * 2) as u8 & 0x7f | 0x80, ((value * 2) >> 7) as u8];
    let counted = |bytes: &[u8]| [long(bytes.len()), bytes.to_vec()].concat();
    let datums: Vec<u8> =
        (0..count).flat_map(|number| [2, 4, b'a' + number / 26, b'a' + number % 26, 2, b'x']).collect();
    let sync = b"sixteen bytes ok";
    let header = [counted(b"avro.schema"), counted(schema.as_bytes())].concat();
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
async fn a_file_that_kafka_partly_refuses_gets_503_and_200_when_repeated() {
    let receiver = receiver(4).await;
    // One partition's request fails; the other events are stored.
    let refused = RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    receiver.kafka.request_errors(RDKafkaApiKey::Produce, &[refused]);
    let answer = receiver.send(post("/open", &[CONTAINER], file(100))).await;
    assert_eq!((answer.status, &answer.body["code"]), (503, &json!("kafka-refuses")));
    assert!(answer.headers.contains_key("retry-after"));
    // Like a sender, the test retries until the file is accepted. The producer takes a moment to start again.
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
async fn a_file_larger_than_the_queue_gets_413_and_nothing_is_sent() {
    let kafka = kafka();
    let mut config = config(&kafka, &registry(Some(())).await);
    // A refused body that waits for its topic takes a place in the queue.
    kafka.create_topic(&config.kafka.quarantine_topic, 1, 1).unwrap();
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

#[tokio::test(flavor = "multi_thread")]
async fn while_a_file_waits_for_its_acknowledgements_it_holds_no_memory() {
    let kafka = kafka();
    let mut config = config(&kafka, &registry(Some(())).await);
    config.receiver.request_timeout = Duration::from_secs(20);
    config.receiver.sources.get_mut("open").unwrap().limits = Limits::default();
    let receiver = start_with(&config, kafka);
    eventually(|| receiver.readiness.is_ready()).await;
    receiver.kafka.broker_round_trip_time(1, Duration::from_secs(60)).unwrap();
    let waits =
        eventually(|| receiver.common.producer.queue_len() == 100 && receiver.common.admission.memory.bytes() == 0);
    tokio::select! {
        answer = receiver.send(post("/open", &[CONTAINER], file(100))) => panic!("{}", answer.status),
        () = waits => {}
    }
}

/// Starts a registry with one version of [`SCHEMA`] that accepts no other. Also returns how many it was offered.
async fn strict_registry() -> (String, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let offered = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&offered);
    let only = json!({"subject": "events-value", "id": SCHEMA_ID, "version": 1, "schema": SCHEMA});
    let first = only.clone();
    let refuse = || async move {
        counted.fetch_add(1, Ordering::Relaxed);
        (StatusCode::CONFLICT, Json(json!({"error_code": 409, "message": "incompatible"})))
    };
    let router = Router::new()
        .route("/subjects/events-value/versions", get(|| async { Json(json!([1])) }).post(refuse))
        .route("/subjects/events-value/versions/latest", get(|| async { Json(only) }))
        .route("/subjects/events-value/versions/1", get(|| async { Json(first) }));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, offered)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_the_registry_refuses_is_not_offered_again() {
    let kafka = kafka();
    let (url, offered) = strict_registry().await;
    let mut config = config(&kafka, &url);
    config.receiver.sources.retain(|name, _| name == "open");
    let source = config.receiver.sources.get_mut("open").unwrap();
    (source.register_schemas, source.limits) = (true, Limits::default());
    let receiver = start_with(&config, kafka);
    eventually(|| receiver.readiness.is_ready()).await;
    let other = SCHEMA.replace("agent", "person");
    for _ in 0..20 {
        let answer = receiver.send(post("/open", &[CONTAINER], file_of(&other, 1))).await;
        assert_eq!((answer.status, &answer.body["code"]), (400, &json!("unusable-schema")), "{}", answer.body);
    }
    assert_eq!(offered.load(Ordering::Relaxed), 1);
}
