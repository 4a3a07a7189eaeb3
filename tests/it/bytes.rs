//! The contents of records in Kafka: the posted bytes behind the frame, the key, the timestamp and the headers.

use anyhow::Result;
use harness::event::{Events, now};
use harness::http::{self, Method};
use harness::pipeline::{Pipeline, Service};
use harness::stack::Stack;
use registry::wire::{SchemaId, frame};

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

async fn post(
    pipeline: &Pipeline,
    receiver: &Service,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<http::HttpAnswer> {
    let token = format!("Bearer {}", pipeline.token);
    let mut all = vec![("authorization", token.as_str())];
    all.extend(headers);
    http::send(Method::POST, &receiver.url(), &all, body.to_vec()).await
}

/// The headers by name.
type Headers<'a> = &'a [(&'a str, &'a str)];

fn framed(id: u32, datum: &[u8]) -> Vec<u8> {
    [frame(SchemaId(id)).as_slice(), datum].concat()
}

#[tokio::test]
async fn kafka_has_the_posted_bytes_behind_the_frame() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "bytes").await?;
    let receiver = pipeline.receiver().await?;
    let events = Events::unique();
    for number in 0..100 {
        let datum = events.event(number).encode();
        let answer = post(&pipeline, &receiver, &[("content-type", "application/avro")], &datum).await?;
        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, r#"{"accepted":1}"#));
    }
    let records = pipeline.kafka.read_all(&pipeline.config.kafka.topic).await?;
    assert_eq!(records.len(), 100);
    for number in 0..100 {
        let event = events.event(number);
        let key = event.event_id.as_bytes();
        let record = records.iter().find(|record| record.key.as_deref() == Some(key)).expect("there is a record");
        assert_eq!(record.value, Some(framed(pipeline.schema_id, &event.encode())));
    }
    Ok(())
}

/// The map is in blocks with sizes, as other writers write it. It is valid Avro, but our own encoder would write the
/// same event in another way.
#[tokio::test]
async fn an_unusual_but_valid_encoding_is_not_rewritten() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "bytes-unusual").await?;
    let receiver = pipeline.receiver().await?;
    let event = harness::event::Event { metadata: Vec::new(), ..Events::unique().event(0) };
    let mut datum = event.encode();
    datum.pop();
    // A block of -1 items, which means one item in 4 bytes; a block whose length takes more bytes than needed; the end.
    datum.extend_from_slice(&[0x01, 0x08, 0x02, b'a', 0x02, b'b', 0x82, 0x00, 0x02, b'c', 0x02, b'd', 0x00]);
    let answer = post(&pipeline, &receiver, &[("content-type", "application/avro")], &datum).await?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let records = pipeline.kafka.read_all(&pipeline.config.kafka.topic).await?;
    assert_eq!(records[0].value, Some(framed(pipeline.schema_id, &datum)));
    Ok(())
}

#[tokio::test]
async fn each_framing_results_in_the_same_record() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "bytes-framings").await?;
    let receiver = pipeline.receiver().await?;
    let datum = Events::unique().event(0).encode();
    let id = pipeline.schema_id.to_string();
    let wire = framed(pipeline.schema_id, &datum);
    let ways: [(Headers<'_>, &[u8]); 6] = [
        (&[("content-type", "application/avro")], &datum),
        (&[("content-type", "avro/binary; charset=binary")], &datum),
        (&[("content-type", "application/vnd.apache.avro+binary")], &datum),
        (&[("content-type", "application/avro"), ("x-schema-id", &id)], &datum),
        (&[("content-type", "application/avro")], &wire),
        (&[("content-type", "application/vnd.confluent.avro")], &wire),
    ];
    for (headers, body) in ways {
        let answer = post(&pipeline, &receiver, headers, body).await?;
        assert_eq!(answer.status, 200, "{headers:?}: {}", answer.text());
    }
    let records = pipeline.kafka.read_all(&pipeline.config.kafka.topic).await?;
    assert_eq!(records.len(), ways.len());
    assert!(records.iter().all(|record| record.value.as_ref() == Some(&wire)));
    Ok(())
}

#[tokio::test]
async fn a_record_has_key_timestamp_and_headers() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "bytes-headers").await?;
    let receiver = pipeline.receiver().await?;
    let event = Events::unique().event(0);
    let headers = [("content-type", "application/avro"), ("x-request-id", "request-7"), ("traceparent", TRACEPARENT)];
    let before = now();
    let answer = post(&pipeline, &receiver, &headers, &event.encode()).await?;
    let after = now();
    assert_eq!(answer.status, 200);
    let plain = post(&pipeline, &receiver, &headers[..1], &Events::unique().event(0).encode()).await?;

    let records = pipeline.kafka.read_all(&pipeline.config.kafka.topic).await?;
    let key = Some(event.event_id.into_bytes());
    let (traced, untraced): (Vec<_>, Vec<_>) = records.into_iter().partition(|record| record.key == key);
    let record = &traced[0];
    assert!(record.timestamp.is_some_and(|time| (before..=after).contains(&time)), "{:?}", record.timestamp);
    assert_eq!(record.header("source"), Some("cxone"));
    assert_eq!(record.header("request-id"), Some("request-7"));
    assert_eq!(record.header("traceparent"), Some(TRACEPARENT));

    // Without a trace context, there is no such header. The request still has an id, the one in the answer.
    let record = &untraced[0];
    assert_eq!(record.header("source"), Some("cxone"));
    assert_eq!(record.header("traceparent"), None);
    assert!(record.header("request-id").is_some_and(|id| !id.is_empty()));
    assert_eq!(record.header("request-id"), plain.header("x-request-id"));
    Ok(())
}
