//! The quarantine topic and the drift of a schema. Bodies that are no events are kept with the reason, up to a limit,
//! and the answer never changes.

use std::time::Duration;

use anyhow::Result;
use harness::container;
use harness::event::{Events, SCHEMA};
use harness::eventually::eventually;
use harness::http::{self, Method};
use harness::kafka::Record;
use harness::pipeline::{Pipeline, metric, register, uses_schema};
use harness::process::{self, Binary};
use harness::stack::Stack;

const AVRO: (&str, &str) = ("content-type", "application/avro");
const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const CONTAINER: (&str, &str) = ("content-type", "application/vnd.apache.avro+container");

async fn pipeline(scenario: &str) -> Result<Pipeline> {
    let pipeline = Pipeline::new(&Stack::running()?, scenario).await?;
    pipeline.kafka.create_topic(&pipeline.config.kafka.quarantine_topic, 1).await?;
    Ok(pipeline)
}

/// Waits until this many bodies are in the quarantine, and returns them.
async fn quarantined(pipeline: &Pipeline, count: u64) -> Result<Vec<Record>> {
    let topic = &pipeline.config.kafka.quarantine_topic;
    eventually("the bodies are in the quarantine", || async {
        let found = pipeline.kafka.count(topic).await?;
        anyhow::ensure!(found >= count, "{found} of {count}");
        Ok(())
    })
    .await?;
    pipeline.kafka.read_all(topic).await
}

#[tokio::test]
async fn an_invalid_body_is_kept_with_the_reason_and_what_a_repost_needs() -> Result<()> {
    let pipeline = pipeline("quarantine").await?;
    let receiver = pipeline.receiver().await?;
    let event = Events::unique().event(0);
    let good = event.encode();
    let cut = &good[..60];
    let id = pipeline.schema_id.to_string();
    let headers = [AVRO, ("x-request-id", "r-1"), ("x-schema-id", &id), ("traceparent", TRACE)];
    let answer = pipeline.post(&receiver, &headers, cut).await?;
    assert_eq!(answer.status, 400);
    let problem = answer.json()?;

    let records = quarantined(&pipeline, 1).await?;
    let record = &records[0];
    assert_eq!((record.value.as_deref(), record.key.as_deref()), (Some(cut), None));
    assert!(record.timestamp.is_some());
    for (header, value) in [
        ("q.source", "cxone"),
        ("q.request-id", "r-1"),
        ("q.traceparent", TRACE),
        ("q.reason", problem["detail"].as_str().expect("a text")),
        ("q.error-type", "invalid-event"),
        ("q.error-code", "truncated"),
        ("q.field", problem["field"].as_str().expect("a text")),
        ("q.offset", &problem["offset"].to_string()),
        ("q.schema-id", &id),
        ("q.event-id", &event.event_id),
        ("q.content-type", "application/avro"),
        ("q.x-schema-id", &id),
    ] {
        assert_eq!(record.header(header), Some(value), "{header} of {:?}", record.headers);
    }
    assert_eq!(pipeline.kafka.count(&pipeline.config.kafka.topic).await?, 0);

    // A single object is kept as it was sent, even though a frame covered its own. A file is kept with the number of
    // the invalid datum.
    let fingerprint = avro::Schema::parse(SCHEMA)?.fingerprint().to_le_bytes();
    let single = [b"\xc3\x01".as_slice(), &fingerprint, cut].concat();
    assert_eq!(pipeline.post(&receiver, &[AVRO], &single).await?.status, 400);
    assert_eq!(quarantined(&pipeline, 2).await?[1].value, Some(single));
    let file = container::file(SCHEMA, apache_avro::Codec::Null, &[&[good.clone(), cut.to_vec()]])?;
    assert_eq!(pipeline.post(&receiver, &[CONTAINER], &file).await?.status, 400);
    let records = quarantined(&pipeline, 3).await?;
    assert_eq!((records[2].value.as_ref(), records[2].header("q.index")), (Some(&file), Some("1")));

    // A body is kept without its content encoding, unless the encoding is at fault.
    let zipped = zstd::stream::encode_all(cut, 3)?;
    let zstd = ("content-encoding", "zstd");
    assert_eq!(pipeline.post(&receiver, &[AVRO, zstd], &zipped).await?.status, 400);
    assert_eq!(pipeline.post(&receiver, &[AVRO, zstd], &zipped[..9]).await?.status, 400);
    let records = quarantined(&pipeline, 5).await?;
    assert_eq!((records[3].value.as_deref(), records[3].header("q.content-encoding")), (Some(cut), None));
    assert_eq!(
        (records[4].value.as_deref(), records[4].header("q.content-encoding")),
        (Some(&zipped[..9]), Some("zstd"))
    );
    Ok(())
}

#[tokio::test]
async fn the_quarantine_is_capped_and_closed_to_strangers() -> Result<()> {
    let mut pipeline = pipeline("quarantine-capped").await?;
    let source = pipeline.config.receiver.sources.get_mut("cxone").expect("the source is there");
    source.quarantine.per_second = 1;
    source.quarantine.max_body = "100B".parse().expect("a size");
    let receiver = pipeline.receiver().await?;
    for authorization in ["Bearer nobody", "nothing"] {
        let headers = [AVRO, ("authorization", authorization)];
        assert_eq!(http::send(Method::POST, &receiver.url(), &headers, "no event").await?.status, 401);
    }
    assert_eq!(pipeline.post(&receiver, &[AVRO], &[0xff; 101]).await?.status, 400);
    for _ in 0..30 {
        assert_eq!(pipeline.post(&receiver, &[AVRO], b"no event").await?.status, 400);
    }
    let sample = |outcome: &str| format!(r#"penstock_receiver_quarantine_total{{outcome="{outcome}",source="cxone"}}"#);
    let admin = receiver.admin_url();
    eventually("each body is written or capped", || async {
        let (written, capped) = (metric(&admin, &sample("written")).await?, metric(&admin, &sample("capped")).await?);
        anyhow::ensure!(written + capped == 31.0, "{written} written, {capped} capped");
        anyhow::ensure!(written >= 10.0 && capped >= 1.0, "{written} written, {capped} capped");
        Ok(())
    })
    .await?;
    let records = quarantined(&pipeline, 10).await?;
    assert!(records.iter().all(|record| record.value.as_deref() == Some(b"no event")));
    assert!(records.len() < 30, "{} are there", records.len());
    Ok(())
}

#[tokio::test]
async fn without_a_quarantine_topic_the_answer_is_the_same() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "quarantine-none").await?;
    // No cluster accepts this name.
    pipeline.config.kafka.quarantine_topic = "no/topic".to_owned();
    let receiver = pipeline.receiver().await?;
    let answer = pipeline.post(&receiver, &[AVRO], b"no event").await?;
    assert_eq!((answer.status.as_u16(), answer.json()?["code"].as_str()), (400, Some("invalid-event")));
    let failed = r#"penstock_receiver_quarantine_total{outcome="failed",source="cxone"}"#;
    let admin = receiver.admin_url();
    eventually("the failure is counted", || async {
        anyhow::ensure!(metric(&admin, failed).await? == 1.0);
        Ok(())
    })
    .await?;
    let good = pipeline.post(&receiver, &[AVRO], &Events::unique().event(0).encode()).await?;
    assert_eq!(good.status, 200, "{}", good.text());
    Ok(())
}

#[tokio::test]
async fn a_rise_in_failures_is_reported_but_a_new_schema_is_not() -> Result<()> {
    let mut pipeline = pipeline("quarantine-drift").await?;
    pipeline.config.schema_registry.refresh = Duration::from_secs(3_600);
    let receiver = pipeline.receiver().await?;
    let newer = SCHEMA.replace(r#""fields": ["#, r#""fields": [{"name": "shift", "type": "int", "default": 0},"#);
    let id = register(&pipeline.config.schema_registry.url, &pipeline.config.kafka.topic, &newer).await?;
    let new = [vec![14], Events::unique().event(1).encode()].concat();
    // The first event makes the receiver fetch the latest schema, which it fits.
    let answer = pipeline.post(&receiver, &[AVRO], &new).await?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let admin = receiver.admin_url();
    assert_eq!(metric(&admin, r#"penstock_receiver_schema_drifts_total{source="cxone"}"#).await?, 0.0);
    assert!(uses_schema(&admin, id).await?);
    for _ in 0..5 {
        assert_eq!(pipeline.post(&receiver, &[AVRO], &new[..60]).await?.status, 400);
    }
    assert_eq!(metric(&admin, r#"penstock_receiver_schema_drifts_total{source="cxone"}"#).await?, 1.0);
    let text = http::get(&format!("{admin}/metrics")).await?.text();
    assert!(text.contains("penstock_receiver_invalid_events_total{field="), "{text}");
    quarantined(&pipeline, 5).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quarantined_body_can_be_redriven_once_it_is_readable() -> Result<()> {
    let mut pipeline = pipeline("quarantine-post").await?;
    pipeline.config.schema_registry.refresh = Duration::from_millis(500);
    let receiver = pipeline.receiver().await?;
    // One body has a schema that is not registered yet, the other can never be read.
    let newer = SCHEMA.replace(r#""fields": ["#, r#""fields": [{"name": "shift", "type": "string"},"#);
    let event = Events::unique().event(0);
    let new = [b"\x02a".to_vec(), event.encode()].concat();
    for (request, body) in [("r-new", new.as_slice()), ("r-never", b"no event")] {
        let answer = pipeline.post(&receiver, &[AVRO, ("x-request-id", request)], body).await?;
        assert_eq!(answer.status, 400, "{}", answer.text());
    }
    quarantined(&pipeline, 2).await?;
    let config = pipeline.file("penstock.yaml");
    process::build().await?;
    process::write_config(&pipeline.config, &config)?;
    let credentials = pipeline.file("credentials");
    std::fs::write(&credentials, format!("Authorization: Bearer {}\n", pipeline.token))?;
    let (url, credentials) = (receiver.url(), credentials.display().to_string());
    let redrive =
        ["dead-letters", "redrive", "--quarantine", "--json", "--post-to", &url, "--headers-from", &credentials];
    // The first redrive comes too early. Then the schema is registered.
    let said = process::command(Binary::Indexer, &config, &redrive).await?;
    assert_eq!((said.code, &said.json()?["outcome"]["settled"]), (Some(2), &0.into()), "{said:?}");
    assert_eq!(said.json()?["outcome"]["failed_again"]["invalid-event"], 2, "{said:?}");
    let id = register(&pipeline.config.schema_registry.url, &pipeline.config.kafka.topic, &newer).await?;
    let admin = receiver.admin_url();
    eventually("the new schema is the current one", || async {
        anyhow::ensure!(uses_schema(&admin, id).await?, "it is not");
        Ok(())
    })
    .await?;
    let said = process::command(Binary::Indexer, &config, &redrive).await?;
    assert_eq!((said.code, &said.json()?["outcome"]["settled"]), (Some(2), &1.into()), "{said:?}");
    let list = process::command(Binary::Indexer, &config, &["dead-letters", "list", "--quarantine", "--json"]).await?;
    let topic = list.json()?["topics"][0].take();
    assert_eq!((&topic["open"], &topic["redriven"]), (&1.into(), &4.into()), "one body is one open letter: {topic:#}");
    let records = pipeline.kafka.read_all(&pipeline.config.kafka.topic).await?;
    let posted: Vec<_> = records.iter().filter_map(|record| record.header("request-id")).collect();
    assert!(posted.contains(&"r-new") && !posted.contains(&"r-never"), "{posted:?}");
    receiver.stop().await
}
