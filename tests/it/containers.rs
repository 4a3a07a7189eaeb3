//! Object container files: many events in one request, each with its own record, all or none.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Result;
use apache_avro::Codec;
use avro::{Limits, Schema};
use harness::container::{self, codecs};
use harness::event::{Events, SCHEMA};
use harness::paths;
use harness::pipeline::{Pipeline, register};
use harness::stack::Stack;
use registry::wire::{SchemaId, frame};

const CONTAINER: (&str, &str) = ("content-type", "application/vnd.apache.avro+container");

/// A schema that the subject does not have.
const LONGER: &str = r#"{"type": "record", "name": "Longer", "fields": [
    {"name": "event_id", "type": "string"}, {"name": "more", "type": "long"}]}"#;

fn framed(id: u32, datum: &[u8]) -> Vec<u8> {
    [frame(SchemaId(id)).as_slice(), datum].concat()
}

async fn assert_nothing_produced(pipeline: &Pipeline) -> Result<()> {
    assert_eq!(pipeline.kafka.count(&pipeline.config.kafka.topic).await?, 0, "a refused event is in Kafka");
    Ok(())
}

#[tokio::test]
async fn each_datum_of_a_file_becomes_a_record_for_every_codec() -> Result<()> {
    const EACH: u64 = 1_000;
    let pipeline = Pipeline::new(&Stack::running()?, "containers").await?;
    let receiver = pipeline.receiver().await?;
    let events = Events::unique();
    let mut expected = HashMap::new();
    for (round, codec) in (0..).zip(codecs()) {
        let numbers = round * EACH..(round + 1) * EACH;
        let datums: Vec<Vec<u8>> = numbers.clone().map(|number| events.event(number).encode()).collect();
        expected.extend(numbers.zip(&datums).map(|(number, datum)| (events.id(number), datum.clone())));
        let (first, second) = datums.split_at(400);
        let file = container::file(SCHEMA, codec, &[first, &[], second])?;
        let answer = pipeline.post(&receiver, &[CONTAINER, ("x-request-id", "file")], &file).await?;
        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, r#"{"accepted":1000}"#), "{codec:?}");
    }
    let records = pipeline.kafka.read_all(&pipeline.config.kafka.topic).await?;
    assert_eq!(records.len(), expected.len());
    for record in records {
        let key = String::from_utf8(record.key.clone().expect("a key"))?;
        let datum = expected.remove(&key).expect("each event once");
        assert_eq!(record.value, Some(framed(pipeline.schema_id, &datum)));
        assert_eq!((record.header("source"), record.header("request-id")), (Some("cxone"), Some("file")));
    }
    assert!(expected.is_empty());
    Ok(())
}

#[tokio::test]
async fn one_invalid_datum_in_a_file_is_named_and_nothing_is_produced() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "containers-bad").await?;
    let receiver = pipeline.receiver().await?;
    let events = Events::unique();
    for codec in codecs() {
        let mut datums: Vec<Vec<u8>> = (0..1_000).map(|number| events.event(number).encode()).collect();
        // This makes the length of the string event_id negative.
        datums[500][0] = 1;
        let (first, second) = datums.split_at(300);
        let answer = pipeline.post(&receiver, &[CONTAINER], &container::file(SCHEMA, codec, &[first, second])?).await?;
        assert_eq!(answer.status, 400, "{codec:?}: {}", answer.text());
        let problem = answer.json()?;
        assert_eq!(problem["code"], "invalid-event", "{problem}");
        assert_eq!(problem["reason"], "negative_length", "{problem}");
        assert_eq!(
            (&problem["index"], &problem["field"], &problem["offset"]),
            (&500.into(), &"event_id".into(), &0.into())
        );
    }
    assert_nothing_produced(&pipeline).await
}

#[tokio::test]
async fn a_damaged_or_too_large_file_is_refused_as_a_whole() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "containers-damaged").await?;
    // Without patience, a body whose schema is unknown is refused immediately.
    pipeline.config.schema_registry.patience = Duration::ZERO;
    let source = pipeline.config.receiver.sources.get_mut("cxone").expect("the source is there");
    source.limits.max_events = 50;
    source.limits.max_decompressed = "64KiB".parse().expect("a size");
    let receiver = pipeline.receiver().await?;
    let events = Events::unique();
    let datums: Vec<Vec<u8>> = (0..51).map(|number| events.event(number).encode()).collect();
    let ten = &datums[..10];
    let good = container::file(SCHEMA, Codec::Null, &[ten, ten])?;
    let mut wrong_sync = good.clone();
    *wrong_sync.last_mut().expect("not empty") ^= 1;
    let trailing = vec![[ten[0].clone(), b"!".to_vec()].concat()];
    let lzo = container::file(SCHEMA, Codec::Null, &[ten])?;
    // The length before it distinguishes it from the type in the schema.
    let at = lzo.windows(5).position(|window| window == b"\x08null").expect("the codec is there") + 1;
    let lzo = [&lzo[..at], b"lzo4", &lzo[at + 4..]].concat();
    let zeros = vec![vec![0; 64 * 1024 + 1]];
    let rows = [
        ("cut off in a block", 400, "invalid-container", good[..good.len() - 20].to_vec()),
        ("a wrong sync marker", 400, "invalid-container", wrong_sync),
        (
            "a block longer than its datums",
            400,
            "invalid-container",
            container::file(SCHEMA, Codec::Null, &[&trailing])?,
        ),
        ("an unknown codec", 400, "invalid-container", lzo),
        ("no file", 400, "invalid-frame", ten[0].clone()),
        ("a schema that is none", 400, "unusable-schema", container::file("{}", Codec::Null, &[ten])?),
        ("a schema that the subject has not", 400, "unknown-schema", container::file(LONGER, Codec::Null, &[])?),
        ("too many events", 413, "too-many-events", container::file(SCHEMA, Codec::Null, &[&datums])?),
        ("too many bytes", 413, "too-large", container::file(SCHEMA, codecs()[1], &[&zeros])?),
    ];
    for (what, status, code, file) in rows {
        let answer = pipeline.post(&receiver, &[CONTAINER], &file).await?;
        assert_eq!(answer.status, status, "{what}: {}", answer.text());
        assert_eq!(answer.json()?["code"], code, "{what}");
    }
    assert_nothing_produced(&pipeline).await?;
    let empty = pipeline.post(&receiver, &[CONTAINER], &container::file(SCHEMA, Codec::Null, &[])?).await?;
    assert_eq!((empty.status.as_u16(), empty.text().as_str()), (200, r#"{"accepted":0}"#));
    Ok(())
}

#[tokio::test]
async fn the_schema_of_a_file_is_registered_only_if_the_source_allows() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "containers-register").await?;
    // Without patience, a body whose schema is unknown is refused immediately.
    pipeline.config.schema_registry.patience = Duration::ZERO;
    let datum = [b"\x06e-1".as_slice(), b"\x0e"].concat();
    let file = container::file(LONGER, Codec::Null, &[std::slice::from_ref(&datum)])?;
    let keyless = container::file(r#"{"type":"record","name":"K","fields":[]}"#, Codec::Null, &[&[Vec::new()]])?;

    let receiver = pipeline.receiver().await?;
    let answer = pipeline.post(&receiver, &[CONTAINER], &file).await?;
    assert_eq!((answer.status.as_u16(), answer.json()?["code"].as_str()), (400, Some("unknown-schema")));
    assert_nothing_produced(&pipeline).await?;

    pipeline.config.receiver.sources.get_mut("cxone").expect("the source is there").register_schemas = true;
    let receiver = pipeline.receiver().await?;
    let answer = pipeline.post(&receiver, &[CONTAINER], &keyless).await?;
    assert_eq!((answer.status.as_u16(), answer.json()?["code"].as_str()), (400, Some("unusable-schema")));
    for _ in 0..2 {
        let answer = pipeline.post(&receiver, &[CONTAINER], &file).await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    // Registering the same schema again returns its id.
    let id = register(&pipeline.config.schema_registry.url, &pipeline.config.kafka.topic, LONGER).await?;
    let records = pipeline.kafka.read_all(&pipeline.config.kafka.topic).await?;
    assert_eq!(records.len(), 2);
    assert!(records.iter().all(|record| record.value == Some(framed(id, &datum))));
    assert!(records.iter().all(|record| record.key.as_deref() == Some(b"e-1")));
    Ok(())
}

#[tokio::test]
async fn the_sample_file_of_the_avro_project_is_accepted() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "containers-foreign").await?;
    let data = paths::in_repository("tests/data/avro");
    let schema = std::fs::read_to_string(data.join("weather.avsc"))?;
    let subject = format!("{}-weather", pipeline.config.kafka.topic);
    let id = register(&pipeline.config.schema_registry.url, &subject, &schema).await?;
    let source = pipeline.config.receiver.sources.get_mut("cxone").expect("the source is there");
    (source.subject, source.key_field) = (subject, None);
    let receiver = pipeline.receiver().await?;

    let file = std::fs::read(data.join("weather.avro"))?;
    for content_type in [CONTAINER, ("content-type", "avro/binary")] {
        let answer = pipeline.post(&receiver, &[content_type], &file).await?;
        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, r#"{"accepted":5}"#));
    }
    let compiled = Schema::parse(&schema)?;
    let mut found = Vec::new();
    for record in pipeline.kafka.read_all(&pipeline.config.kafka.topic).await? {
        let value = record.value.expect("a value");
        let datum = value.strip_prefix(&frame(SchemaId(id))).expect("the frame of their schema");
        let mut members = Vec::new();
        avro::write_members(&compiled, datum, Limits { max_depth: 8, max_items: 8, max_values: 128 }, &mut members)?;
        found.push(format!("{{{}}}", String::from_utf8(members)?));
    }
    // The Avro project publishes the expected records.
    let json = std::fs::read_to_string(data.join("weather.json"))?;
    let mut expected: Vec<&str> = json.lines().chain(json.lines()).collect();
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
    Ok(())
}
