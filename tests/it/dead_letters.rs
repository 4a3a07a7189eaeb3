//! Poison between good events: each in the dead-letter topic with its headers, the good ones indexed, the offset past them.

use std::collections::HashSet;

use anyhow::Result;
use harness::event::Events;
use harness::eventually::eventually;
use harness::kafka::{Raw, Record};
use harness::pipeline::Pipeline;
use harness::sender::{Flaw, Mix};
use harness::stack::Stack;
use shared::wire::{SchemaId, frame};

/// An id that no registry of a test gives out.
const UNKNOWN_SCHEMA: u32 = 0x7fff_ffff;

fn framed(id: u32, datum: &[u8]) -> Option<Vec<u8>> {
    Some([frame(SchemaId(id)).as_slice(), datum].concat())
}

/// The poisoned records, each with its stage and, where Elasticsearch refuses it, the status.
fn poison(schema_id: u32) -> Vec<(Raw, &'static str, Option<&'static str>)> {
    let mix = Mix { events: Events::unique(), flawed_every: 1, flaws: &[Flaw::Unmappable] };
    let good = Mix::good(mix.events);
    let record = |key: &str, value| Raw { partition: 0, key: Some(key.as_bytes().to_vec()), value };
    let truncated = good.body(1)[..50].to_vec();
    vec![
        (record("no frame", Some(b"not Avro, and no frame either".to_vec())), "decode", None),
        (record("short", Some(vec![0, 0])), "decode", None),
        (record("not Avro", framed(schema_id, b"{\"event_id\": 1}")), "decode", None),
        (record("truncated", framed(schema_id, &truncated)), "decode", None),
        (record("unknown schema", framed(UNKNOWN_SCHEMA, &good.body(2))), "decode", None),
        (record("unmappable", framed(schema_id, &mix.body(3))), "index", Some("400")),
        (Raw { partition: 0, key: None, value: framed(schema_id, &[0xff; 9]) }, "decode", None),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_poisoned_record_is_a_dead_letter_and_holds_back_none_of_its_neighbours() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "dead-letters").await?;
    let (topic, dead_letter_topic) = (&pipeline.config.kafka.topic, &pipeline.config.kafka.dead_letter_topic);
    let events = Events::unique();
    let poison = poison(pipeline.schema_id);
    let mut records = Vec::new();
    let mut good = HashSet::new();
    for (number, (raw, ..)) in (0..).zip(&poison) {
        let event = events.event(number);
        let value = framed(pipeline.schema_id, &event.encode());
        records.push(Raw { partition: 0, key: Some(event.event_id.clone().into_bytes()), value });
        records.push(raw.clone());
        good.insert(event.event_id);
    }
    // A tombstone, and nothing after it: it must not hold the offset back.
    records.push(Raw { partition: 0, key: Some(b"tombstone".to_vec()), value: None });
    let offsets = pipeline.kafka.produce(topic, &records).await?;

    let indexer = pipeline.indexer().await?;
    pipeline.delivered_exactly(&good).await?;
    let committed = pipeline.kafka.committed(&pipeline.config.indexer.group_id, topic).await?;
    assert_eq!(committed[&0], offsets.last().map(|last| last + 1));

    let dead = pipeline.kafka.read_all(dead_letter_topic).await?;
    assert_eq!(dead.len(), poison.len(), "{dead:#?}");
    for ((raw, stage, status), offset) in poison.iter().zip(offsets.iter().skip(1).step_by(2)) {
        let offset = offset.to_string();
        let record = dead.iter().find(|record| record.header("dl.offset") == Some(&offset));
        let record = record.unwrap_or_else(|| panic!("no dead letter of offset {offset}: {dead:#?}"));
        assert_eq!((&record.key, &record.value), (&raw.key, &raw.value), "key and value as they were");
        assert_headers(record, topic, stage, *status);
    }
    let of_unknown = dead.iter().find(|record| record.key.as_deref() == Some(b"unknown schema"));
    assert_eq!(of_unknown.and_then(|record| record.header("dl.schema-id")), Some("2147483647"));
    indexer.stop().await
}

fn assert_headers(record: &Record, topic: &str, stage: &str, status: Option<&str>) {
    let header = |name| record.header(name).unwrap_or_default();
    assert_eq!(header("dl.stage"), stage, "{record:#?}");
    assert_eq!(header("dl.topic"), topic);
    assert_eq!(header("dl.partition"), "0");
    assert_eq!(record.header("dl.http-status"), status);
    for name in ["dl.error-type", "dl.reason"] {
        assert!(!header(name).is_empty(), "{name}: {record:#?}");
    }
    assert!(header("dl.reason").len() <= 1_024, "the reason is capped");
    for name in ["dl.timestamp", "dl.first-seen", "dl.attempts"] {
        assert!(header(name).parse::<u64>().is_ok_and(|number| number > 0), "{name}: {record:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_of_tombstones_moves_the_offset() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "tombstones").await?;
    let tombstone = Raw { partition: 2, key: Some(b"gone".to_vec()), value: None };
    pipeline.kafka.produce(&pipeline.config.kafka.topic, &vec![tombstone; 200]).await?;
    let indexer = pipeline.indexer().await?;
    pipeline.all_committed().await?;
    indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_event_many_times_is_one_document() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "repeated").await?;
    let topic = &pipeline.config.kafka.topic;
    let event = Events::unique().event(0);
    let value = framed(pipeline.schema_id, &event.encode());
    let record = Raw { partition: 0, key: Some(event.event_id.clone().into_bytes()), value };
    pipeline.kafka.produce(topic, &vec![record.clone(); 20]).await?;
    let indexer = pipeline.indexer().await?;
    pipeline.delivered_exactly(&HashSet::from([event.event_id.clone()])).await?;
    // Once more, when it has long been indexed.
    pipeline.kafka.produce(topic, &[record]).await?;
    pipeline.delivered_exactly(&HashSet::from([event.event_id])).await?;
    let dead = || pipeline.kafka.count(&pipeline.config.kafka.dead_letter_topic);
    eventually("duplicates are counted as such", || async {
        let sample = r#"penstock_indexer_documents_total{outcome="duplicate"}"#;
        let duplicates = harness::pipeline::metric(&indexer.admin_url(), sample).await?;
        anyhow::ensure!(duplicates == 20.0, "{duplicates}");
        Ok(())
    })
    .await?;
    assert_eq!(dead().await?, 0);
    indexer.stop().await
}
