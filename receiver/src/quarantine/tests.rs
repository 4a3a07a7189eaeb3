use std::time::Duration;

use rdkafka::message::Headers;

use super::*;

fn quarantine(per_second: u32) -> Quarantine {
    let source = crate::config::Quarantine {
        per_second,
        max_body: "10B".parse().unwrap(),
        ..crate::config::Quarantine::default()
    };
    Quarantine::compile(&source, &config::Kafka::default()).unwrap()
}

#[tokio::test]
async fn bodies_are_kept_up_to_the_rate_and_a_tenfold_burst() {
    let (quarantine, start) = (quarantine(2), Instant::now());
    let kept = |at| (0..100).filter(|_| quarantine.admit(1, 0, at).is_some()).count();
    assert_eq!(kept(start), 20);
    assert_eq!(kept(start + Duration::from_millis(500)), 1);
    assert_eq!(kept(start + Duration::from_secs(3)), 5);
    assert_eq!(kept(start + Duration::from_secs(3_600)), 20, "a quiet time saves no more than the burst");
}

#[tokio::test]
async fn a_body_over_the_limit_is_not_kept_and_uses_no_rate() {
    let quarantine = quarantine(1);
    assert!((0..100).all(|_| quarantine.admit(11, 0, Instant::now()).is_none()));
    assert!(quarantine.admit(10, 0, Instant::now()).is_some());
}

#[tokio::test]
async fn bytes_of_bodies_that_wait_for_kafka_are_bounded() {
    let source = crate::config::Quarantine {
        per_second: 1_000,
        max_body: "4MiB".parse().unwrap(),
        ..crate::config::Quarantine::default()
    };
    let quarantine = Quarantine::compile(&source, &config::Kafka::default()).unwrap();
    let now = Instant::now();
    let waiting: Vec<_> = (0..3).map(|_| quarantine.admit(4 << 20, 0, now)).collect();
    assert_eq!(waiting.iter().flatten().count(), 2);
    drop(waiting);
    assert!(quarantine.admit(4 << 20, 0, now).is_some());
}

#[tokio::test]
async fn headers_of_bodies_that_wait_for_kafka_count_too() {
    let quarantine = quarantine(1_000);
    let now = Instant::now();
    let waiting: Vec<_> = (0..9_000).map(|_| quarantine.admit(1, 1_023, now)).collect();
    assert_eq!(waiting.iter().flatten().count(), WAITING / 1_024);
}

#[test]
fn a_disabled_quarantine_keeps_nothing() {
    let source = crate::config::Quarantine { enabled: false, ..crate::config::Quarantine::default() };
    assert!(Quarantine::compile(&source, &config::Kafka::default()).is_none());
}

#[test]
fn the_headers_hold_the_reason_and_all_that_a_repost_needs() {
    let schema = avro::Schema::parse(
        r#"{"type":"record","name":"E","fields":[{"name":"id","type":"string"},{"name":"a","type":"string"}]}"#,
    )
    .unwrap();
    let key = Some(schema.field("id").unwrap());
    let writer =
        crate::message::Writer { id: registry::wire::SchemaId(7), schema: schema.into(), key, uuids: avro::Uuids::Any };
    let limits = avro::Limits { max_depth: 8, max_items: 8, max_values: 128 };
    let invalid = crate::stages::validate::fits(b"\x04e1\x06am", &writer, limits).unwrap_err();
    let rejection = Rejection::Invalid { as_likely: Box::new(invalid), as_framed: None };
    let mut request = HeaderMap::new();
    request.insert(CONTENT_TYPE, "application/avro".parse().unwrap());
    request.insert(SCHEMA_ID, "7".parse().unwrap());
    request.insert("authorization", "Bearer secret".parse().unwrap());
    request.insert(CONTENT_ENCODING, "gzip".parse().unwrap());
    let head = RecordHead {
        timestamp: std::time::SystemTime::now(),
        source: "cxone",
        id_scope: None,
        request_id: b"r-1",
        traceparent: None,
        trace: None,
    };

    let headers = headers(&rejection, &request, &head);
    let found: Vec<(String, String)> = headers
        .iter()
        .map(|header| (header.key.to_owned(), String::from_utf8(header.value.unwrap().to_vec()).unwrap()))
        .collect();
    let expected = [
        ("q.source", "cxone"),
        ("q.request-id", "r-1"),
        ("q.reason", &*detail(&rejection)),
        ("q.error-type", "invalid-event"),
        ("q.error-code", "truncated"),
        ("q.offset", "4"),
        ("q.schema-id", "7"),
        ("q.field", "a"),
        ("q.event-id", "e1"),
        ("q.content-type", "application/avro"),
        ("q.x-schema-id", "7"),
    ];
    assert_eq!(found, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
}
