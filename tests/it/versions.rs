//! Which schemas an event may have: versions of the source's subject and of the listed subjects, a few versions old,
//! and never those of another team.

use std::time::Duration;

use anyhow::Result;
use apache_avro::Codec;
use avro::Schema;
use harness::container;
use harness::event::{Events, SCHEMA, put_string};
use harness::eventually::eventually;
use harness::pipeline::{Pipeline, Service, metric, register, uses_schema};
use harness::stack::Stack;
use receiver::config::Source;
use registry::wire::{SchemaId, frame};

const AVRO: (&str, &str) = ("content-type", "application/avro");
const CONFLUENT: (&str, &str) = ("content-type", "application/vnd.confluent.avro");
const SINGLE_OBJECT: (&str, &str) = ("content-type", "application/vnd.apache.avro+single-object");
const CONTAINER: (&str, &str) = ("content-type", "application/vnd.apache.avro+container");

/// A schema of another team.
const SECRET: &str = r#"{"type": "record", "name": "Payroll", "fields": [
    {"name": "event_id", "type": "string"}, {"name": "salary", "type": "string"}]}"#;

fn framed(id: u32, datum: &[u8]) -> Vec<u8> {
    [frame(SchemaId(id)).as_slice(), datum].concat()
}

/// Returns the schema of the events with this field after the others.
#[expect(clippy::expect_used, reason = "a constant of this file")]
fn with_field(name: &str) -> String {
    let field = format!(r#", {{"name": "{name}", "type": ["null", "string"], "default": null}}]}}"#);
    let end = SCHEMA.trim_end().strip_suffix("]\n}").expect("the schema ends with its fields");
    format!("{end}{field}")
}

#[expect(clippy::expect_used, reason = "every pipeline has it")]
fn source(pipeline: &mut Pipeline) -> &mut Source {
    pipeline.config.receiver.sources.get_mut("cxone").expect("the source is there")
}

/// The headers and the body of a request.
type Naming = (Vec<(&'static str, String)>, Vec<u8>);

/// Returns a request for each way in which an event can name the schema `id` with the text [`SECRET`].
fn naming(id: u32) -> Result<Vec<Naming>> {
    let mut datum = Vec::new();
    put_string(&mut datum, "e1");
    put_string(&mut datum, "100");
    let of = |header: (&'static str, &str)| vec![(header.0, header.1.to_owned())];
    let fingerprint = Schema::parse(SECRET)?.fingerprint().to_le_bytes();
    Ok(vec![
        ([of(AVRO), of(("x-schema-id", &id.to_string()))].concat(), datum.clone()),
        (of(CONFLUENT), framed(id, &datum)),
        (of(CONFLUENT), framed(id, &datum[..datum.len() - 1])),
        (of(AVRO), framed(id, &datum)),
        (of(SINGLE_OBJECT), [b"\xc3\x01".as_slice(), &fingerprint, &datum].concat()),
        (of(CONTAINER), container::file(SECRET, Codec::Null, &[&[datum]])?),
    ])
}

#[tokio::test]
async fn a_schema_of_another_team_is_refused_without_a_hint() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "versions-foreign").await?;
    // Without patience, a body whose schema is unknown is refused immediately.
    pipeline.config.schema_registry.patience = Duration::ZERO;
    let registry = pipeline.config.schema_registry.url.clone();
    let payroll = format!("{}-payroll", pipeline.config.kafka.topic);
    let id = register(&registry, &payroll, SECRET).await?;
    let receiver = pipeline.receiver().await?;
    for (headers, body) in naming(id)? {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = pipeline.post(&receiver, &headers, &body).await?;
        assert_eq!(answer.status, 400, "{headers:?}: {}", answer.text());
        assert!(!answer.text().contains("salary") && !answer.text().contains("Payroll"), "{}", answer.text());
    }
    assert_eq!(pipeline.kafka.count(&pipeline.config.kafka.topic).await?, 0);
    receiver.stop().await?;

    // If the config lists the subject, all bodies are events except the one that is cut off.
    source(&mut pipeline).accept_subjects = vec![payroll];
    let receiver = pipeline.receiver().await?;
    for (number, (headers, body)) in naming(id)?.into_iter().enumerate() {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = pipeline.post(&receiver, &headers, &body).await?;
        assert_eq!(answer.status, if number == 2 { 400 } else { 200 }, "{headers:?}: {}", answer.text());
    }
    let records = pipeline.kafka.read_all(&pipeline.config.kafka.topic).await?;
    assert!(
        records.len() == 5
            && records.iter().all(|record| record.value.as_ref().is_some_and(|v| v[..5] == frame(SchemaId(id))))
    );
    receiver.stop().await
}

/// Waits until the receiver knows the version `id` as the latest one.
async fn knows(receiver: &Service, id: u32) -> Result<()> {
    let admin = receiver.admin_url();
    eventually("the latest version is known", || async {
        anyhow::ensure!(uses_schema(&admin, id).await?, "it is not");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn senders_one_version_behind_or_ahead_lose_nothing() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "versions-rollout").await?;
    let (registry, subject) = (&pipeline.config.schema_registry.url, &pipeline.config.kafka.topic);
    let second = register(registry, subject, &with_field("note")).await?;
    let receiver = pipeline.receiver().await?;
    knows(&receiver, second).await?;

    let events = Events::unique();
    let old: Vec<Vec<u8>> = (0..100).map(|number| events.event(number).encode()).collect();
    for datum in &old {
        let answer = pipeline.post(&receiver, &[AVRO], datum).await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let new = [events.event(100).encode(), vec![0]].concat();
    assert_eq!(pipeline.post(&receiver, &[AVRO], &new).await?.status, 200);
    // The third version is registered, and its first event arrives before the receiver has asked for it.
    let third = register(
        registry,
        subject,
        &with_field("more").replace("]}", r#", {"name": "n", "type": "int", "default": 0}]}"#),
    )
    .await?;
    let newest = [events.event(101).encode(), vec![0, 2]].concat();
    let answer = pipeline.post(&receiver, &[AVRO], &newest).await?;
    assert_eq!(answer.status, 200, "{}", answer.text());

    let records = pipeline.kafka.read_all(subject).await?;
    let framed_with =
        |id: u32| records.iter().filter(|r| r.value.as_ref().is_some_and(|v| v[..5] == frame(SchemaId(id)))).count();
    assert_eq!([pipeline.schema_id, second, third].map(framed_with), [100, 1, 1]);
    let values: Vec<&[u8]> = records.iter().filter_map(|record| record.value.as_deref()).collect();
    assert!(old.iter().all(|datum| values.contains(&framed(pipeline.schema_id, datum).as_slice())));
    let admin = receiver.admin_url();
    assert_eq!(metric(&admin, r#"penstock_receiver_older_version_events_total{source="cxone"}"#).await?, 100.0);

    // A named version is used, and an event that fits no version is refused.
    let id = second.to_string();
    for (headers, body) in [(vec![AVRO, ("x-schema-id", &id)], old[0].as_slice()), (vec![AVRO], &old[0][..60])] {
        let answer = pipeline.post(&receiver, &headers, body).await?;
        assert_eq!((answer.status.as_u16(), answer.json()?["code"].as_str()), (400, Some("invalid-event")));
    }
    receiver.stop().await
}

#[tokio::test]
async fn a_datum_ambiguous_between_older_versions_is_refused_and_kept() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "versions-ambiguous").await?;
    let (registry, subject) = (&pipeline.config.schema_registry.url, &pipeline.config.kafka.topic);
    pipeline.kafka.create_topic(&pipeline.config.kafka.quarantine_topic, 1).await?;
    register(registry, subject, &SCHEMA.replace("user_id", "agent_id")).await?;
    let latest = register(registry, subject, &with_field("note")).await?;
    let receiver = pipeline.receiver().await?;
    knows(&receiver, latest).await?;
    let datum = Events::unique().event(0).encode();
    let answer = pipeline.post(&receiver, &[AVRO], &datum).await?;
    assert_eq!((answer.status.as_u16(), answer.json()?["code"].as_str()), (400, Some("ambiguous-version")));
    eventually("it is in the quarantine", || async {
        anyhow::ensure!(pipeline.kafka.count(&pipeline.config.kafka.quarantine_topic).await? == 1);
        Ok(())
    })
    .await?;
    let id = pipeline.schema_id.to_string();
    assert_eq!(pipeline.post(&receiver, &[AVRO, ("x-schema-id", &id)], &datum).await?.status, 200);
    receiver.stop().await
}
