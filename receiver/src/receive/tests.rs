//! Requests on their whole way, from the router to an in-process Kafka (librdkafka's mock cluster) and a small stub of
//! a registry.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use futures::StreamExt;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message, OwnedMessage};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde_json::{Value, json};
use service::admin::Readiness;
use service::secret::Secret;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::*;
use crate::config::{Auth, Config, Limits};
use crate::metrics::Metrics;
use crate::source::Source;

mod challenges;
mod files;
mod resources;
mod subjects;
mod traced;

const SCHEMA: &str = r#"{"type": "record", "name": "Event", "fields": [
    {"name": "event_id", "type": ["null", "string"]}, {"name": "agent", "type": "string"}]}"#;
const SCHEMA_ID: u32 = 7;
/// `{"event_id": "e1", "agent": "amy"}`.
const DATUM: &[u8] = b"\x02\x04e1\x06amy";
const TOPIC: &str = "events";

type Kafka = MockCluster<'static, DefaultProducerContext>;

struct Receiver {
    router: Router,
    readiness: Arc<Readiness>,
    common: Arc<Common>,
    kafka: Kafka,
    _stop: tokio_util::sync::DropGuard,
}

/// The answer to a request.
struct TestAnswer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

/// [`TWO_FACED`] is a datum of this schema, with the id 8, and also a frame of [`BLOB`], with the id 9.
const LOOSE: &str = r#"{"type": "record", "name": "Loose", "fields": [
    {"name": "a", "type": "string"}, {"name": "b", "type": "string"}, {"name": "c", "type": "string"},
    {"name": "d", "type": "string"}, {"name": "e", "type": "int"}, {"name": "f", "type": "bytes"}]}"#;
const BLOB: &str = r#"{"type": "bytes"}"#;
const TWO_FACED: &[u8] = b"\0\0\0\0\x09\x04ab";

/// Starts a registry that knows three schemas. With `None`, nothing listens at its address.
async fn registry(known: Option<()>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    if known.is_none() {
        return url;
    }
    let latest = json!({"subject": "events-value", "id": SCHEMA_ID, "version": 1, "schema": SCHEMA});
    let first = latest.clone();
    let loose = json!({"subject": "loose-value", "id": 8, "version": 1, "schema": LOOSE});
    let by_id = json!({"schema": SCHEMA});
    let blob_of = json!([{"subject": "loose-value", "version": 2}, {"subject": "events-value", "version": 2}]);
    let missing = (StatusCode::NOT_FOUND, Json(json!({"error_code": 40403, "message": "Schema not found"})));
    let router = Router::new()
        .route("/subjects/events-value/versions", get(|| async { Json(json!([1])) }))
        .route("/subjects/events-value/versions/1", get(|| async { Json(first) }))
        .route("/subjects/events-value/versions/latest", get(|| async { Json(latest) }))
        .route("/subjects/loose-value/versions/latest", get(|| async { Json(loose) }))
        .route("/schemas/ids/7", get(|| async { Json(by_id) }))
        .route("/schemas/ids/7/versions", get(|| async { Json(json!([{"subject": "events-value", "version": 1}])) }))
        .route("/schemas/ids/8/versions", get(|| async { Json(json!([{"subject": "loose-value", "version": 1}])) }))
        .route("/schemas/ids/9/versions", get(|| async { Json(blob_of) }))
        .route("/schemas/ids/9", get(|| async { Json(json!({"schema": BLOB})) }))
        .fallback(|| async { missing });
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

fn kafka() -> Kafka {
    let kafka = MockCluster::new(1).unwrap();
    kafka.create_topic(TOPIC, 1, 1).unwrap();
    kafka
}

fn source(path: &str, auth: Auth) -> crate::config::Source {
    crate::config::Source {
        path: path.to_owned(),
        subject: "events-value".to_owned(),
        accept_subjects: Vec::new(),
        older_versions: 3,
        topic: Some(TOPIC.to_owned()),
        key_field: Some("event_id".to_owned()),
        auth,
        verification: None,
        content_types: Vec::new(),
        limits: Limits { max_body: bytesize::ByteSize::b(100), ..Limits::default() },
        id_scope: None,
        register_schemas: false,
        quarantine: crate::config::Quarantine::default(),
    }
}

fn config(kafka: &Kafka, registry: &str) -> Config {
    let mut config = Config::default();
    config.kafka.brokers = kafka.bootstrap_servers();
    config.schema_registry.url = registry.to_owned();
    config.receiver.request_timeout = Duration::from_secs(2);
    let bearer = Auth::Bearer { tokens: vec![Secret::new("token-of-the-test")], tokens_file: None };
    config.receiver.sources.insert("open".to_owned(), source("/open", Auth::None));
    config.receiver.sources.insert("closed".to_owned(), source("/closed", bearer));
    let loose =
        crate::config::Source { subject: "loose-value".to_owned(), key_field: None, ..source("/loose", Auth::None) };
    config.receiver.sources.insert("loose".to_owned(), loose);
    config
}

fn start_with(config: &Config, kafka: Kafka) -> Receiver {
    let metrics = Metrics::new(&service::metrics::Registry::new()).unwrap();
    let sources = Source::compile_all(config, &metrics).unwrap();
    let common = Arc::new(crate::setup::common(config, &sources, metrics, CancellationToken::new()).unwrap());
    let readiness = Readiness::new();
    let shutdown = CancellationToken::new();
    let mut tasks = tokio::task::JoinSet::new();
    crate::background::spawn_watches(&mut tasks, config, &sources, &common, &readiness, &shutdown);
    tasks.detach_all();
    let router = crate::router::router(&sources, &common, crate::config::TrailingSlash::Strict, Router::new());
    Receiver { router, readiness, common, kafka, _stop: shutdown.drop_guard() }
}

/// Starts a receiver whose Kafka and registry are reachable.
async fn start() -> Receiver {
    let kafka = kafka();
    let receiver = start_with(&config(&kafka, &registry(Some(())).await), kafka);
    eventually(|| receiver.readiness.is_ready()).await;
    receiver
}

async fn eventually(condition: impl Fn() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(30), async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    waited.await.expect("the condition is met in the end");
}

fn post(path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Request {
    let mut request = Request::post(path);
    if !headers.iter().any(|(name, _)| *name == "content-type") {
        request = request.header("content-type", "application/avro");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.into()).unwrap()
}

impl Receiver {
    async fn send(&self, request: Request) -> TestAnswer {
        let (head, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let body = axum::body::to_bytes(body, 100_000).await.unwrap();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        TestAnswer { status: head.status.as_u16(), headers: head.headers, body }
    }

    /// Returns all records in the topic, oldest first.
    fn records(&self) -> Vec<OwnedMessage> {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", self.kafka.bootstrap_servers())
            .set("group.id", "test")
            .set("enable.partition.eof", "true")
            .create()
            .unwrap();
        let mut assignment = TopicPartitionList::new();
        assignment.add_partition_offset(TOPIC, 0, Offset::Beginning).unwrap();
        consumer.assign(&assignment).unwrap();
        consumer.iter().map_while(Result::ok).map(|record| record.detach()).collect()
    }
}

fn header(record: &OwnedMessage, name: &str) -> Option<String> {
    let headers = record.headers()?;
    let header = headers.iter().find(|header| header.key == name)?;
    Some(String::from_utf8(header.value?.to_vec()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_event_is_in_kafka_as_it_was_received() {
    let receiver = start().await;
    let before = SystemTime::now();
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let headers = [("x-request-id", "r-1"), ("traceparent", traceparent)];
    let answer = receiver.send(post("/open", &headers, DATUM)).await;

    assert_eq!((answer.status, answer.body), (200, json!({"accepted": 1})));
    assert_eq!(answer.headers["x-request-id"], "r-1");
    let [record] = receiver.records().try_into().unwrap();
    assert_eq!(record.payload(), Some([b"\0\0\0\0\x07", DATUM].concat().as_slice()));
    assert_eq!(record.key(), Some(b"e1".as_slice()));
    assert_eq!(header(&record, "source").as_deref(), Some("open"));
    assert_eq!(header(&record, "request-id").as_deref(), Some("r-1"));
    assert_eq!(header(&record, "traceparent").as_deref(), Some(traceparent));
    let since = before.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    assert!(u128::try_from(record.timestamp().to_millis().unwrap()).unwrap() >= since);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_framed_event_keeps_its_frame() {
    let receiver = start().await;
    let framed = [b"\0\0\0\0\x07", DATUM].concat();
    for content_type in ["application/vnd.confluent.avro", "application/avro"] {
        let answer = receiver.send(post("/open", &[("content-type", content_type)], framed.clone())).await;
        assert_eq!(answer.status, 200, "{content_type}: {}", answer.body);
    }
    for record in receiver.records() {
        assert_eq!(record.payload(), Some(framed.as_slice()));
        assert_eq!(record.key(), Some(b"e1".as_slice()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ambiguous_body_is_refused_unless_a_header_names_its_form() {
    let receiver = start().await;
    let framed = [("content-type", "application/vnd.confluent.avro")];
    assert_eq!(receiver.send(post("/loose", &framed, TWO_FACED)).await.status, 200);
    let answer = receiver.send(post("/loose", &[], TWO_FACED)).await;
    assert_eq!((answer.status, &answer.body["code"]), (400, &json!("ambiguous-frame")));
    assert_eq!(receiver.send(post("/loose", &[("x-schema-id", "8")], TWO_FACED)).await.status, 200);

    let values: Vec<_> = receiver.records().iter().map(|record| record.payload().unwrap().to_vec()).collect();
    assert_eq!(values, [TWO_FACED.to_vec(), [b"\0\0\0\0\x08", TWO_FACED].concat()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_framed_event_of_a_schema_without_the_key_field_is_refused() {
    let receiver = start().await;
    let framed = [("content-type", "application/vnd.confluent.avro")];
    let answer = receiver.send(post("/open", &framed, TWO_FACED)).await;
    assert_eq!((answer.status, &answer.body["code"]), (400, &json!("unusable-schema")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_without_its_key_field_is_not_ready_and_answers_503() {
    let kafka = kafka();
    let mut config = config(&kafka, &registry(Some(())).await);
    config.receiver.sources.get_mut("open").unwrap().key_field = Some("nowhere".to_owned());
    let receiver = start_with(&config, kafka);
    let reason =
        || receiver.readiness.unmet().into_iter().find(|(name, _)| *name == "schema").map(|(_, reason)| reason);
    eventually(|| reason().is_some_and(|reason| reason.contains("receiver.sources.open.key_field: nowhere"))).await;
    assert_eq!(receiver.send(post("/open", &[], DATUM)).await.status, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_without_an_id_has_no_key() {
    let receiver = start().await;
    let answer = receiver.send(post("/open", &[], b"\0\x06amy".as_slice())).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let [record] = receiver.records().try_into().unwrap();
    assert_eq!(record.key(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_bodies_are_refused_and_nothing_reaches_kafka() {
    let receiver = start().await;
    let avro = ("content-type", "application/avro");
    let confluent = ("content-type", "application/vnd.confluent.avro");
    type Case = (&'static str, (&'static str, &'static str), &'static [u8], u16, &'static str);
    let cases: [Case; 12] = [
        ("cut off", avro, &DATUM[..5], 400, "invalid-event"),
        ("bytes left over", avro, b"\x02\x04e1\x06amy!", 400, "invalid-event"),
        ("neither bare nor framed", avro, b"\0\0\0\0\x07\x02\x04e1", 400, "invalid-event"),
        ("nor known as a frame", avro, b"\0\0\0\0\x09\x02\x04e1", 400, "invalid-event"),
        ("empty", avro, b"", 400, "empty-body"),
        ("an unknown schema", confluent, b"\0\x7f\0\0\x0b\x02\x04e1\x06amy", 400, "unknown-schema"),
        ("another subject's schema", confluent, b"\0\0\0\0\x08\0\0\0\0\0\0", 400, "unknown-schema"),
        ("no frame", confluent, DATUM, 400, "invalid-frame"),
        ("no Avro", ("content-type", "application/json"), b"{}", 415, "unsupported-media-type"),
        ("compressed some way", ("content-encoding", "br"), b"\x1f\x8b", 415, "unsupported-content-encoding"),
        ("cut off where it is compressed", ("content-encoding", "gzip"), b"\x1f\x8b", 400, "invalid-content-encoding"),
        ("too long", avro, &[b'a'; 101], 413, "too-large"),
    ];
    for (what, header, body, status, code) in cases {
        let answer = receiver.send(post("/open", &[header], body.to_vec())).await;
        assert_eq!((answer.status, answer.body["code"].as_str()), (status, Some(code)), "{what}: {}", answer.body);
        assert!(answer.headers.contains_key("x-request-id"), "{what}");
        assert_eq!(receiver.common.metrics.requests.with_label_values(&["open", code]).get().min(1), 1, "{what}");
    }
    assert!(receiver.records().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_post_to_the_path_of_a_source_is_allowed() {
    let receiver = start().await;
    let answer = receiver.send(Request::get("/open").body(Body::empty()).unwrap()).await;
    assert_eq!((answer.status, answer.headers["allow"].to_str().unwrap()), (405, "POST"));
    let answer = receiver.send(post("/elsewhere", &[], DATUM)).await;
    assert_eq!((answer.status, &answer.body["code"]), (404, &json!("not-found")));
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_authentication_gets_one_answer_and_no_body_is_read() {
    let receiver = start().await;
    let mut answers = Vec::new();
    for credentials in [None, Some("Bearer wrong"), Some("Bearer token-of-the-tes"), Some("Basic token-of-the-test")] {
        let headers: Vec<_> = credentials.into_iter().map(|value| ("authorization", value)).collect();
        let body = Body::from_stream(futures::stream::poll_fn(|_| -> std::task::Poll<Option<Result<Bytes, String>>> {
            unreachable!("the body is read")
        }));
        let answer = receiver.send(post("/closed", &headers, body)).await;
        assert_eq!((answer.status, answer.headers["www-authenticate"].to_str().unwrap()), (401, "Bearer"));
        answers.push(answer.body);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
    let right = [("authorization", "Bearer token-of-the-test")];
    assert_eq!(receiver.send(post("/closed", &right, DATUM)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_body_is_refused_at_the_limit() {
    let receiver = start().await;
    let endless = futures::stream::repeat_with(|| Ok::<_, String>(Bytes::from_static(b"0123456789")));
    let answer = receiver.send(post("/open", &[], Body::from_stream(endless))).await;
    assert_eq!((answer.status, &answer.body["code"]), (413, &json!("too-large")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_stalls_is_refused_at_the_deadline() {
    let receiver = start().await;
    let first = futures::stream::once(async { Ok::<_, String>(Bytes::from_static(b"\x02")) });
    let stalled = first.chain(futures::stream::pending());
    let answer = receiver.send(post("/open", &[], Body::from_stream(stalled))).await;
    assert_eq!((answer.status, &answer.body["code"]), (408, &json!("body-timeout")));
    assert_eq!(answer.headers["connection"], "close");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_beyond_the_limit_are_told_to_retry() {
    let kafka = kafka();
    let mut config = config(&kafka, &registry(Some(())).await);
    config.receiver.max_in_flight_requests = 1;
    let receiver = start_with(&config, kafka);
    let _permit = receiver.common.admission.permits.try_acquire().unwrap();
    let answer = receiver.send(post("/open", &[], DATUM)).await;
    assert_eq!((answer.status, answer.headers["retry-after"].to_str().unwrap()), (503, "1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_registry_the_receiver_starts_and_answers_503() {
    let kafka = kafka();
    let receiver = start_with(&config(&kafka, &registry(None).await), kafka);
    let reason =
        || receiver.readiness.unmet().into_iter().find(|(name, _)| *name == "schema").map(|(_, reason)| reason);
    eventually(|| reason().is_some_and(|reason| reason.contains("events-value") && reason.contains("http://"))).await;
    let answer = receiver.send(post("/open", &[], DATUM)).await;
    assert_eq!((answer.status, &answer.body["code"]), (503, &json!("schema-unavailable")));
    assert!(answer.headers.contains_key("retry-after"));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_refused_while_kafka_is_down_and_accepted_after() {
    let receiver = start().await;
    receiver.kafka.broker_down(1).unwrap();
    let answer = receiver.send(post("/open", &[], DATUM)).await;
    assert_eq!((answer.status, &answer.body["code"]), (503, &json!("kafka-unavailable")));
    eventually(|| !receiver.readiness.is_ready()).await;
    receiver.kafka.broker_up(1).unwrap();
    eventually(|| receiver.readiness.is_ready()).await;
    assert_eq!(receiver.send(post("/open", &[], DATUM)).await.status, 200);
}
