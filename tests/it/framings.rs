//! The forms of an event and `Content-Encoding`. Each form results in the same record as a bare datum. A body in no
//! known form leaves no record.

use std::io::Write;
use std::time::Duration;

use anyhow::Result;
use avro::Schema;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use harness::config::Config;
use harness::event::{Events, SCHEMA};
use harness::pipeline::{Pipeline, register};
use harness::process::{self, Binary, Process, write_config};
use harness::stack::Stack;
use harness::{container, http, paths};
use registry::wire::{SchemaId, frame};

const AVRO: (&str, &str) = ("content-type", "application/avro");
const SINGLE_OBJECT: (&str, &str) = ("content-type", "application/vnd.apache.avro+single-object");
const CONFLUENT: (&str, &str) = ("content-type", "application/vnd.confluent.avro");
const CONTAINER: (&str, &str) = ("content-type", "application/vnd.apache.avro+container");

fn framed(id: u32, datum: &[u8]) -> Vec<u8> {
    [frame(SchemaId(id)).as_slice(), datum].concat()
}

fn single_object(schema: &str, datum: &[u8]) -> Result<Vec<u8>> {
    let fingerprint = Schema::parse(schema)?.fingerprint();
    Ok([b"\xc3\x01".as_slice(), &fingerprint.to_le_bytes(), datum].concat())
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// Returns the body in every `Content-Encoding`.
fn encoded(body: &[u8]) -> Result<Vec<(&'static str, Vec<u8>)>> {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    zlib.write_all(body)?;
    let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
    raw.write_all(body)?;
    Ok(vec![
        ("identity", body.to_vec()),
        ("gzip", gzip(body)?),
        ("GZIP", gzip(body)?),
        ("deflate", zlib.finish()?),
        ("deflate", raw.finish()?),
        ("zstd", zstd::stream::encode_all(body, 3)?),
    ])
}

async fn assert_nothing_produced(pipeline: &Pipeline) -> Result<()> {
    assert_eq!(pipeline.kafka.count(&pipeline.config.kafka.topic).await?, 0, "a refused event is in Kafka");
    Ok(())
}

#[tokio::test]
async fn every_form_in_every_encoding_results_in_the_same_record() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "framings").await?;
    let receiver = pipeline.receiver().await?;
    let datum = Events::unique().event(0).encode();
    let value = framed(pipeline.schema_id, &datum);
    let version = ("x-schema-version", "1");
    let single = single_object(SCHEMA, &datum)?;
    let file = container::file(SCHEMA, apache_avro::Codec::Null, &[std::slice::from_ref(&datum)])?;
    type Way<'a> = (&'a [(&'a str, &'a str)], &'a [u8]);
    let ways: [Way<'_>; 8] = [
        (&[AVRO], &datum),
        (&[AVRO, version], &datum),
        (&[AVRO], &value),
        (&[CONFLUENT], &value),
        (&[AVRO], &single),
        (&[SINGLE_OBJECT], &single),
        (&[AVRO], &file),
        (&[CONTAINER], &file),
    ];
    let mut sent = 0;
    for (headers, body) in ways {
        for (coding, body) in encoded(body)? {
            let headers = [headers, &[("content-encoding", coding)]].concat();
            let answer = pipeline.post(&receiver, &headers, &body).await?;
            assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, r#"{"accepted":1}"#), "{headers:?}");
            sent += 1;
        }
    }
    let records = pipeline.kafka.read_all(&pipeline.config.kafka.topic).await?;
    assert_eq!(records.len(), sent);
    assert!(records.iter().all(|record| record.value.as_ref() == Some(&value)));
    assert!(records.iter().all(|record| record.key == records[0].key && record.key.is_some()));
    Ok(())
}

#[tokio::test]
async fn an_older_schema_is_found_by_its_version_and_by_its_fingerprint() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "framings-older").await?;
    let subject = &pipeline.config.kafka.topic;
    let newer = SCHEMA.replace(r#""fields": ["#, r#""fields": [{"name": "shift", "type": "int", "default": 0},"#);
    assert_ne!(newer, SCHEMA);
    let newer_id = register(&pipeline.config.schema_registry.url, subject, &newer).await?;
    assert_ne!(newer_id, pipeline.schema_id);
    let receiver = pipeline.receiver().await?;

    let old = Events::unique().event(0).encode();
    let new = [vec![14], Events::unique().event(1).encode()].concat();
    let old_file = container::file(SCHEMA, apache_avro::Codec::Null, &[std::slice::from_ref(&old)])?;
    let single = single_object(SCHEMA, &old)?;
    type Way<'a> = (&'a [(&'a str, &'a str)], &'a [u8]);
    let old_ways: [Way<'_>; 4] = [
        (&[AVRO, ("x-schema-version", "1")], &old),
        (&[SINGLE_OBJECT], &single),
        (&[AVRO], &single),
        (&[CONTAINER], &old_file),
    ];
    for (headers, body) in old_ways {
        let answer = pipeline.post(&receiver, headers, body).await?;
        assert_eq!(answer.status, 200, "{headers:?}: {}", answer.text());
    }
    let answer = pipeline.post(&receiver, &[AVRO], &new).await?;
    assert_eq!(answer.status, 200, "{}", answer.text());

    let records = pipeline.kafka.read_all(subject).await?;
    let count = |value: &[u8]| records.iter().filter(|record| record.value.as_deref() == Some(value)).count();
    assert_eq!(count(&framed(pipeline.schema_id, &old)), 4);
    assert_eq!(count(&framed(newer_id, &new)), 1);
    Ok(())
}

#[tokio::test]
async fn bodies_of_unknown_form_or_encoding_are_refused_without_a_record() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "framings-refused").await?;
    // Without patience, a body whose schema is unknown is refused immediately.
    pipeline.config.schema_registry.patience = Duration::ZERO;
    let source = pipeline.config.receiver.sources.get_mut("cxone").expect("the source is there");
    source.limits.max_decompressed = "10KiB".parse().expect("a size");
    let receiver = pipeline.receiver().await?;
    let datum = Events::unique().event(0).encode();
    let single = single_object(SCHEMA, &datum)?;
    let unknown = single_object("\"int\"", &datum)?;
    let zipped = gzip(&datum)?;
    let large = gzip(&[b'a'; 10 * 1024 + 1])?;
    let gzip = ("content-encoding", "gzip");
    type Row<'a> = (&'a str, u16, &'a str, &'a [(&'a str, &'a str)], &'a [u8]);
    let rows: [Row<'_>; 16] = [
        ("an unknown fingerprint", 400, "unknown-schema", &[SINGLE_OBJECT], &unknown),
        ("an unknown fingerprint, by its magic", 400, "unknown-schema", &[AVRO], &unknown),
        ("cut off", 400, "invalid-event", &[SINGLE_OBJECT], &single[..single.len() - 1]),
        ("no datum after the fingerprint", 400, "invalid-event", &[SINGLE_OBJECT], &single[..10]),
        ("half a fingerprint", 400, "invalid-frame", &[SINGLE_OBJECT], &single[..9]),
        ("bare, said to be a single object", 400, "invalid-frame", &[SINGLE_OBJECT], &datum),
        ("an unknown version", 400, "unknown-schema", &[AVRO, ("x-schema-version", "2")], &datum),
        ("no version", 400, "invalid-frame", &[AVRO, ("x-schema-version", "latest")], &datum),
        ("id and version", 400, "invalid-frame", &[AVRO, ("x-schema-version", "1"), ("x-schema-id", "1")], &datum),
        ("an unknown coding", 415, "unsupported-content-encoding", &[AVRO, ("content-encoding", "br")], &datum),
        ("two codings", 415, "unsupported-content-encoding", &[AVRO, ("content-encoding", "gzip, gzip")], &zipped),
        ("not compressed", 400, "invalid-content-encoding", &[AVRO, gzip], &datum),
        ("cut off where compressed", 400, "invalid-content-encoding", &[AVRO, gzip], &zipped[..zipped.len() - 1]),
        ("another coding than said", 400, "invalid-content-encoding", &[AVRO, ("content-encoding", "zstd")], &zipped),
        ("too large decompressed", 413, "too-large", &[AVRO, gzip], &large),
        ("compressed, but not said", 400, "invalid-event", &[AVRO], &zipped),
    ];
    for (what, status, code, headers, body) in rows {
        let answer = pipeline.post(&receiver, headers, body).await?;
        assert_eq!(answer.status, status, "{what}: {}", answer.text());
        assert_eq!(answer.json()?["code"], code, "{what}");
        let offered = (status == 415).then_some("gzip, zstd, deflate");
        assert_eq!(answer.header("accept-encoding"), offered, "{what}");
    }
    assert_nothing_produced(&pipeline).await
}

#[tokio::test]
async fn the_sample_message_of_the_avro_project_is_accepted() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "framings-foreign").await?;
    let data = paths::in_repository("tests/data/avro");
    let subject = format!("{}-message", pipeline.config.kafka.topic);
    let schema = std::fs::read_to_string(data.join("message-v1.avsc"))?;
    let id = register(&pipeline.config.schema_registry.url, &subject, &schema).await?;
    let source = pipeline.config.receiver.sources.get_mut("cxone").expect("the source is there");
    (source.subject, source.key_field) = (subject, Some("id".to_owned()));
    let receiver = pipeline.receiver().await?;

    let message = std::fs::read(data.join("message-v1.bin"))?;
    for content_type in [SINGLE_OBJECT, AVRO] {
        let answer = pipeline.post(&receiver, &[content_type], &message).await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let records = pipeline.kafka.read_all(&pipeline.config.kafka.topic).await?;
    assert_eq!(records.len(), 2);
    for record in records {
        let value = record.value.expect("a value");
        assert_eq!(value, framed(id, &message[10..]));
        assert_eq!(record.key.as_deref(), Some(b"42".as_slice()));
        let mut members = Vec::new();
        let limits = avro::Limits { max_depth: 8, max_items: 8, max_values: 128 };
        avro::write_members(&Schema::parse(&schema)?, &value[5..], limits, &mut members)?;
        // The README of the Avro project documents the message.
        assert_eq!(String::from_utf8(members)?, r#""id":42,"name":"Bill","tags":["dog_lover","cat_hater"]"#);
    }
    Ok(())
}

/// Returns the peak memory of the process `id`, in bytes.
fn peak(id: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

/// Returns 10 GiB of zeros, compressed to 10 MiB: many members of 64 MiB each, as the format allows.
fn bomb() -> Result<Vec<u8>> {
    let member = gzip(&vec![0; 64 << 20])?;
    Ok(member.repeat(161))
}

#[tokio::test]
async fn a_decompression_bomb_gets_413_and_costs_little_memory() -> Result<()> {
    process::build().await?;
    let mut pipeline = Pipeline::new(&Stack::running()?, "framings-bomb").await?;
    let (listen, admin) = (harness::ports::free()?, harness::ports::free()?);
    pipeline.config.receiver.listen.set_port(listen);
    pipeline.config.receiver.admin_listen.set_port(admin);
    let source = pipeline.config.receiver.sources.get_mut("cxone").expect("the source is there");
    source.limits.max_body = "16MiB".parse().expect("a size");
    let config: &Config = &pipeline.config;
    let file = pipeline.file("penstock.yaml");
    write_config(config, &file)?;
    let log = pipeline.file("receiver.log");
    let mut process = Process::start(Binary::Receiver, &file, &[], &log)?;
    harness::pipeline::ready(&format!("http://127.0.0.1:{admin}")).await?;
    let url = format!("http://127.0.0.1:{listen}{}", harness::pipeline::PATH);
    let token = format!("Bearer {}", pipeline.token);
    let authorization = ("authorization", token.as_str());
    let good = Events::unique().event(0).encode();
    let warm = http::send(http::Method::POST, &url, &[AVRO, authorization], good.clone()).await?;
    assert_eq!(warm.status, 200, "{}", warm.text());

    let bomb = bomb()?;
    assert!((10 << 20..11 << 20).contains(&bomb.len()), "{}", bomb.len());
    let before = peak(process.id())?;
    let gzip = ("content-encoding", "gzip");
    let answer = http::send(http::Method::POST, &url, &[AVRO, authorization, gzip], bomb.clone()).await?;
    assert_eq!((answer.status.as_u16(), answer.json()?["code"].as_str()), (413, Some("too-large")));
    let more = peak(process.id())? - before;
    println!("the bomb of {} bytes took {} KiB more than before", bomb.len(), more / 1024);
    assert!(more < 64 << 20, "{more} bytes more than before");

    process.ensure_running()?;
    let after = http::send(http::Method::POST, &url, &[AVRO, authorization], good).await?;
    assert_eq!(after.status, 200, "{}", after.text());
    assert_eq!(pipeline.kafka.count(&pipeline.config.kafka.topic).await?, 2);
    Ok(())
}
