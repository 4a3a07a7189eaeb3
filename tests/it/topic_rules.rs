//! What a topic accepts: small batches, only records with a key, or no records because it is missing. A refusal
//! concerns only one event.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use apache_avro::Codec;
use harness::container;
use harness::event::{put_bytes, put_string};
use harness::eventually::{eventually, within};
use harness::http::{self, HttpAnswer};
use harness::pipeline::{Pipeline, Service, metric, register};
use harness::stack::Stack;
use tokio::task::JoinSet;

const AVRO: (&str, &str) = ("content-type", "application/avro");
const CONTAINER: (&str, &str) = ("content-type", "application/vnd.apache.avro+container");

/// An event of any size, with or without an id.
const PADDED: &str = r#"{"type": "record", "name": "Padded", "fields": [
    {"name": "event_id", "type": ["null", "string"]}, {"name": "pad", "type": "bytes"}]}"#;

fn padded(id: Option<&str>, bytes: usize) -> Vec<u8> {
    let mut datum = Vec::new();
    match id {
        None => datum.push(0),
        Some(id) => {
            datum.push(2);
            put_string(&mut datum, id);
        }
    }
    put_bytes(&mut datum, &vec![b'x'; bytes]);
    datum
}

/// Creates a pipeline whose source writes events of [`PADDED`] to a topic with one partition and these settings.
async fn pipeline(scenario: &str, settings: &[(&str, &str)]) -> Result<Pipeline> {
    let mut pipeline = Pipeline::new(&Stack::running()?, scenario).await?;
    let name = format!("{}-padded", pipeline.config.kafka.topic);
    pipeline.kafka.create_topic_with(&name, 1, settings).await?;
    register(&pipeline.config.schema_registry.url, &name, PADDED).await?;
    let source = pipeline.config.receiver.sources.get_mut("cxone").context("the source is there")?;
    (source.subject, source.topic) = (name.clone(), Some(name));
    pipeline.kafka.create_topic(&pipeline.config.kafka.quarantine_topic, 1).await?;
    Ok(pipeline)
}

fn topic(pipeline: &Pipeline) -> &str {
    pipeline.config.receiver.sources["cxone"].topic.as_deref().unwrap_or_default()
}

/// Posts all `bodies` at once. Returns how often each status was answered, for marked and for unmarked bodies.
async fn all_at_once(
    pipeline: &Arc<Pipeline>,
    receiver: &Arc<Service>,
    bodies: Vec<(bool, Vec<u8>)>,
) -> Result<BTreeMap<(bool, u16), usize>> {
    let mut posting = JoinSet::new();
    for (marked, body) in bodies {
        let (pipeline, receiver) = (Arc::clone(pipeline), Arc::clone(receiver));
        posting.spawn(
            async move { anyhow::Ok((marked, pipeline.post(&receiver, &[AVRO], &body).await?.status.as_u16())) },
        );
    }
    let mut statuses = BTreeMap::new();
    while let Some(answered) = posting.join_next().await {
        *statuses.entry(answered??).or_default() += 1;
    }
    Ok(statuses)
}

fn is(answer: &HttpAnswer, status: u16, code: &str) -> Result<()> {
    let found = answer.json()?["code"].as_str().unwrap_or_default().to_owned();
    anyhow::ensure!(answer.status == status && found == code, "{}: {}", answer.status, answer.text());
    Ok(())
}

async fn small_batches(mut pipeline: Pipeline) -> Result<()> {
    // Many events share a batch.
    pipeline.config.kafka.options.insert("linger.ms".to_owned(), "50".to_owned());
    let pipeline = Arc::new(pipeline);
    let receiver = Arc::new(pipeline.receiver().await?);
    let bodies = (0..500).map(|number| (false, padded(Some(&format!("e{number}")), 200))).collect();
    assert_eq!(all_at_once(&pipeline, &receiver, bodies).await?, BTreeMap::from([((false, 200), 500)]));
    assert_eq!(pipeline.kafka.count(topic(&pipeline)).await?, 500);

    assert_eq!(pipeline.post(&receiver, &[AVRO], &padded(Some("large"), 19_000)).await?.status, 200);
    is(&pipeline.post(&receiver, &[AVRO], &padded(Some("too large"), 30_000)).await?, 413, "record-too-large")?;
    eventually("what is too large is kept", || async {
        anyhow::ensure!(pipeline.kafka.count(&pipeline.config.kafka.quarantine_topic).await? == 1);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_are_as_small_as_the_topic_requires() -> Result<()> {
    small_batches(pipeline("rules-batches", &[("max.message.bytes", "20000")]).await?).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_lowered_at_run_time_refuses_no_small_event() -> Result<()> {
    let mut pipeline = pipeline("rules-changes", &[]).await?;
    let name = topic(&pipeline).to_owned();
    pipeline.config.kafka.options.insert("linger.ms".to_owned(), "50".to_owned());
    let pipeline = Arc::new(pipeline);
    let receiver = Arc::new(pipeline.receiver().await?);
    assert_eq!(pipeline.post(&receiver, &[AVRO], &padded(Some("before"), 200)).await?.status, 200);
    pipeline.kafka.alter_topic(&name, &[("max.message.bytes", "20000")]).await?;
    let bodies = (0..500).map(|number| (false, padded(Some(&format!("e{number}")), 200))).collect();
    assert_eq!(all_at_once(&pipeline, &receiver, bodies).await?, BTreeMap::from([((false, 200), 500)]));
    assert_eq!(pipeline.kafka.count(&name).await?, 501);
    is(&pipeline.post(&receiver, &[AVRO], &padded(Some("too large"), 30_000)).await?, 413, "record-too-large")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_fits_since_the_limit_was_raised_is_accepted() -> Result<()> {
    let pipeline = pipeline("rules-raised", &[("max.message.bytes", "20000")]).await?;
    let receiver = pipeline.receiver().await?;
    let event = padded(Some("large"), 30_000);
    is(&pipeline.post(&receiver, &[AVRO], &event).await?, 413, "record-too-large")?;
    pipeline.kafka.alter_topic(topic(&pipeline), &[("max.message.bytes", "100000")]).await?;
    // Kafka is asked again within seconds, and not only with the look of each minute.
    within(Duration::from_secs(40), "the event is accepted", || async {
        let answer = pipeline.post(&receiver, &[AVRO], &event).await?;
        anyhow::ensure!(answer.status == 200, "{}", answer.text());
        Ok(())
    })
    .await?;
    receiver.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_the_topic_refuses_in_part_is_not_produced_at_all() -> Result<()> {
    let pipeline = pipeline("rules-file", &[("max.message.bytes", "20000")]).await?;
    let receiver = pipeline.receiver().await?;
    let mut datums: Vec<Vec<u8>> = (0..50).map(|number| padded(Some(&format!("e{number}")), 100)).collect();
    datums.push(padded(Some("last"), 30_000));
    let file = container::file(PADDED, Codec::Null, &[&datums])?;
    is(&pipeline.post(&receiver, &[CONTAINER], &file).await?, 413, "record-too-large")?;
    assert_eq!(pipeline.kafka.count(topic(&pipeline)).await?, 0);
    receiver.stop().await?;

    // The same holds if the queue has no room for the whole file.
    let mut small = pipeline;
    small.config.kafka.options.insert("queue.buffering.max.messages".to_owned(), "40".to_owned());
    let receiver = small.receiver().await?;
    datums.pop();
    let file = container::file(PADDED, Codec::Null, &[&datums])?;
    is(&small.post(&receiver, &[CONTAINER], &file).await?, 413, "too-many-events")?;
    assert_eq!(small.kafka.count(topic(&small)).await?, 0);
    receiver.stop().await
}

/// Returns the body of an event, and whether it lacks its key.
fn one_of_ten_lacks_its_key(number: usize) -> (bool, Vec<u8>) {
    let key = (!number.is_multiple_of(10)).then(|| format!("e{number}"));
    (key.is_none(), padded(key.as_deref(), 20))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compacted_topic_refuses_only_the_events_without_a_key() -> Result<()> {
    let pipeline = Arc::new(pipeline("rules-compacted", &[("cleanup.policy", "compact")]).await?);
    let receiver = Arc::new(pipeline.receiver().await?);
    let answers = all_at_once(&pipeline, &receiver, (0..200).map(one_of_ten_lacks_its_key).collect()).await?;
    assert_eq!(answers, BTreeMap::from([((false, 200), 180), ((true, 422), 20)]));
    let file = container::file(PADDED, Codec::Null, &[&[padded(Some("a"), 1), padded(None, 1)]])?;
    is(&pipeline.post(&receiver, &[CONTAINER], &file).await?, 422, "record-refused")?;
    assert_eq!(pipeline.kafka.count(topic(&pipeline)).await?, 180);
    eventually("what was refused is kept", || async {
        anyhow::ensure!(pipeline.kafka.count(&pipeline.config.kafka.quarantine_topic).await? == 21);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_compacted_at_run_time_still_accepts_events_with_a_key() -> Result<()> {
    let mut pipeline = pipeline("rules-compacted-later", &[]).await?;
    pipeline.config.kafka.options.insert("linger.ms".to_owned(), "50".to_owned());
    let pipeline = Arc::new(pipeline);
    let receiver = Arc::new(pipeline.receiver().await?);
    pipeline.kafka.alter_topic(topic(&pipeline), &[("cleanup.policy", "compact")]).await?;
    let answers = all_at_once(&pipeline, &receiver, (0..200).map(one_of_ten_lacks_its_key).collect()).await?;
    assert_eq!(answers, BTreeMap::from([((false, 200), 180), ((true, 422), 20)]));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_topic_stops_only_its_own_source() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "rules-missing").await?;
    let missing = format!("{}-missing", pipeline.config.kafka.topic);
    let mut other = pipeline.config.receiver.sources["cxone"].clone();
    (other.path, other.topic) = ("/other".to_owned(), Some(missing.clone()));
    pipeline.config.receiver.sources.insert("other".to_owned(), other);
    let receiver = pipeline.receiver().await?;
    let event = harness::event::Events::unique().event(0).encode();
    assert_eq!(pipeline.post(&receiver, &[AVRO], &event).await?.status, 200);
    let token = format!("Bearer {}", pipeline.token);
    let headers = [AVRO, ("authorization", token.as_str())];
    let url = format!("http://{}/other", receiver.target());
    let post = || http::send(http::Method::POST, &url, &headers, event.clone());
    is(&post().await?, 503, "kafka-refuses")?;
    let readyz = http::get(&format!("{}/readyz", receiver.admin_url())).await?;
    assert!(readyz.status == 200 && readyz.text().contains(&missing), "{}: {}", readyz.status, readyz.text());
    let refusals = r#"penstock_receiver_kafka_refusals_total{error="UnknownTopicOrPartition",source="other"}"#;
    assert_eq!(metric(&receiver.admin_url(), refusals).await?, 1.0);

    pipeline.kafka.create_topic(&missing, 1).await?;
    eventually("the source is served once its topic is there", || async {
        let answer = post().await?;
        anyhow::ensure!(answer.status == 200, "{}", answer.text());
        Ok(())
    })
    .await?;
    receiver.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_without_a_limit_accepts_events() -> Result<()> {
    let mut pipeline = pipeline("rules-no-limit", &[]).await?;
    pipeline.config.kafka.options.insert("queue.buffering.max.messages".to_owned(), "0".to_owned());
    let receiver = pipeline.receiver().await?;
    assert_eq!(pipeline.post(&receiver, &[AVRO], &padded(Some("e"), 1)).await?.status, 200);
    receiver.stop().await
}
