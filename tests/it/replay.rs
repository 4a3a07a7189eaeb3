//! `penstock-indexer replay` with the commands of its guide: next to a running indexer, killed and resumed, as a dry
//! run, and twice at once.

use std::collections::HashSet;

use anyhow::{Context, Result};
use harness::command;
use harness::event::Events;
use harness::eventually::eventually;
use harness::http::Method;
use harness::pipeline::Pipeline;
use harness::sender::{Flaw, Mix};
use harness::stack::Stack;
use serde_json::{Value, json};

/// Creates a pipeline with `count` events of `mix` in its topic.
async fn fed(scenario: &str, mix: Mix, count: u64) -> Result<Pipeline> {
    let pipeline = Pipeline::new(&Stack::running()?, scenario).await?;
    pipeline.feed(mix).write(0..count).await?;
    Ok(pipeline)
}

fn ids(events: Events, count: u64) -> HashSet<String> {
    Mix::good(events).indexable(&(0..count).collect::<Vec<_>>())
}

fn replay_group(pipeline: &Pipeline) -> String {
    format!("penstock-replay-{}", pipeline.config.kafka.topic)
}

/// Returns how far the replay is, in offsets: the partitions of the topic begin at 0.
async fn settled(pipeline: &Pipeline) -> Result<i64> {
    let committed = pipeline.kafka.committed(&replay_group(pipeline), &pipeline.config.kafka.topic).await?;
    Ok(committed.values().map(|offset| offset.unwrap_or(0)).sum())
}

/// Deletes the documents of the first `count` events.
async fn delete(pipeline: &Pipeline, events: Events, count: u64) -> Result<()> {
    let index = &pipeline.config.elasticsearch.index_name;
    for number in 0..count {
        let path = format!("{index}/_doc/{}", events.id(number));
        pipeline.search.call(Method::DELETE, &path, &Value::Null).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_restores_missing_documents_and_duplicates_none() -> Result<()> {
    const COUNT: u64 = 3_000;
    let events = Events::unique();
    let pipeline = fed("replay-beside", Mix::good(events), COUNT).await?;
    let (index, topic, group) = (
        pipeline.config.elasticsearch.index_name.clone(),
        pipeline.config.kafka.topic.clone(),
        pipeline.config.indexer.group_id.clone(),
    );
    let indexer = pipeline.indexer().await?;
    pipeline.all_committed().await?;
    let fleet = pipeline.kafka.committed(&group, &topic).await?;

    let answer = command::run(&pipeline, &["replay", "--from", "1h", "--to", "now", "--json"]).await?;
    assert_eq!(answer.code, 0, "{answer:#?}");
    let summary = answer.json()?;
    assert_eq!(summary["outcome"], "done");
    for (what, count) in [("read", COUNT), ("duplicates", COUNT), ("indexed", 0), ("dead", 0), ("skipped", 0)] {
        assert_eq!(summary[what], json!(count), "{what}: {summary}");
    }
    assert_eq!(pipeline.search.count(&index).await?, COUNT);
    assert_eq!(pipeline.kafka.committed(&group, &topic).await?, fleet, "the fleet's offsets are its own");

    delete(&pipeline, events, 40).await?;
    let answer = command::run(&pipeline, &["replay", "--from", "earliest", "--json"]).await?;
    assert_eq!(answer.json()?["indexed"], json!(40), "{answer:#?}");
    pipeline.delivered_exactly(&ids(events, COUNT)).await?;
    indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_replay_resumes_with_its_original_range() -> Result<()> {
    const COUNT: u64 = 6_000;
    let events = Events::unique();
    let pipeline = fed("replay-killed", Mix::good(events), COUNT).await?;
    let mut first = command::start(&pipeline, &["replay", "--from", "earliest", "--rate", "1000"], "first").await?;
    eventually("a part of it is settled", || async {
        let settled = settled(&pipeline).await?;
        anyhow::ensure!(settled >= 1_500, "{settled}");
        Ok(())
    })
    .await?;
    first.kill()?;
    let settled = settled(&pipeline).await?;
    assert!(settled < i64::try_from(COUNT)?, "it was killed too late: {settled}");
    // Later events are not in its range.
    let later = Events::new(77_000_077, 1_700_000_000_000);
    pipeline.feed(Mix::good(later)).write(0..500).await?;

    let answer = command::run(&pipeline, &["replay", "--from", "earliest", "--json"]).await?;
    assert_eq!(answer.code, 0, "{answer:#?}");
    let summary = answer.json()?;
    assert_eq!(summary["outcome"], "done", "{summary}");
    assert_eq!(summary["offsets"], json!(COUNT), "{summary}");
    assert_eq!(summary["settled_before"], json!(settled), "{summary}");
    assert_eq!(summary["read"], json!(i64::try_from(COUNT)? - settled), "not from the start: {summary}");
    let index = &pipeline.config.elasticsearch.index_name;
    let hits = pipeline.search.all(index).await?;
    harness::delivery::Differences::between(&ids(events, COUNT), &hits).ensure_none()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_of_a_replay_counts_and_writes_nothing() -> Result<()> {
    const COUNT: u64 = 2_000;
    let mix = Mix { events: Events::unique(), flawed_every: 10, flaws: &[Flaw::Truncated, Flaw::NotUtf8] };
    let pipeline = fed("replay-dry", mix, COUNT).await?;
    let index = pipeline.config.elasticsearch.index_name.clone();
    let dry = ["replay", "--from", "earliest", "--dry-run", "--json"];

    let answer = command::run(&pipeline, &dry).await?;
    assert_eq!(answer.code, 1, "{answer:#?}");
    assert!(answer.errors.contains("penstock-indexer setup"), "{answer:#?}");
    assert!(pipeline.search.count(&index).await.is_err(), "the index was made");

    let answer = command::run(&pipeline, &["replay", "--from", "earliest", "--partition", "0", "--json"]).await?;
    assert_eq!(answer.code, 0, "{answer:#?}");
    let part = answer.json()?;
    let number = |value: &Value, what: &str| value[what].as_u64().with_context(|| format!("{what}: {value}"));
    let (indexed, dead) = (number(&part, "indexed")?, number(&part, "dead")?);
    let letters = pipeline.kafka.count(&pipeline.config.kafka.dead_letter_topic).await?;
    let (before, settled_before) = (pipeline.search.count(&index).await?, settled(&pipeline).await?);
    assert_eq!((before, letters), (indexed, dead));

    let answer = command::run(&pipeline, &dry).await?;
    assert_eq!(answer.code, 2, "documents are missing: {answer:#?}");
    let summary = answer.json()?;
    let found = &summary["dry_run"];
    assert_eq!(summary["read"], json!(COUNT), "{summary}");
    assert_eq!(found["undecodable"], json!(COUNT / 10), "{summary}");
    assert_eq!(found["same"], json!(indexed), "{summary}");
    assert_eq!(found["new"], json!(COUNT - COUNT / 10 - indexed), "{summary}");
    assert_eq!(pipeline.search.count(&index).await?, before, "it has written documents");
    assert_eq!(pipeline.kafka.count(&pipeline.config.kafka.dead_letter_topic).await?, letters);
    assert_eq!(settled(&pipeline).await?, settled_before);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_or_conflicting_replays_are_refused() -> Result<()> {
    let pipeline = fed("replay-twice", Mix::good(Events::unique()), 4_000).await?;
    let slow = ["replay", "--from", "earliest", "--rate", "100"];
    let mut first = command::start(&pipeline, &slow, "first").await?;
    eventually("the first one runs", || async {
        let settled = settled(&pipeline).await?;
        anyhow::ensure!(settled > 0, "{settled}");
        Ok(())
    })
    .await?;
    let second = command::run(&pipeline, &["replay", "--from", "earliest"]).await?;
    assert_eq!(second.code, 1, "{second:#?}");
    assert!(second.errors.contains("is running already"), "{second:#?}");
    first.ensure_running()?;
    first.terminate()?;
    assert_eq!(first.ended().await?.code(), Some(1), "it was stopped: {}", first.last_lines());

    let other = command::run(&pipeline, &["replay", "--from", "1h"]).await?;
    assert_eq!(other.code, 1, "{other:#?}");
    assert!(other.errors.contains("--restart"), "{other:#?}");
    let other = command::run(&pipeline, &["replay", "--from", "1h", "--name", "another", "--rate", "4000"]).await?;
    assert_eq!(other.code, 0, "{other:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offsets_and_keys_select_what_is_replayed() -> Result<()> {
    let events = Events::unique();
    let pipeline = fed("replay-chosen", Mix::good(events), 400).await?;
    let index = &pipeline.config.elasticsearch.index_name;
    let ends = pipeline.kafka.end_offsets(&pipeline.config.kafka.topic).await?;
    assert!(ends[&1] > 20, "{ends:?}");

    let range = ["replay", "--from", "1:5", "--to", "1:15", "--json"];
    let summary = command::run(&pipeline, &range).await?.json()?;
    assert_eq!((&summary["read"], &summary["indexed"]), (&json!(10), &json!(10)), "{summary}");

    let wrong = command::run(&pipeline, &["replay", "--from", "1:5", "--to", "2:15"]).await?;
    assert!(wrong.code == 1 && wrong.errors.contains("different partitions"), "{wrong:#?}");
    let wrong = command::run(&pipeline, &["replay", "--from", "yesterday"]).await?;
    assert!(wrong.code == 64 && wrong.errors.contains("2026-11-28T09:00:00Z"), "{wrong:#?}");

    let id = events.id(7);
    let before = pipeline.search.count(index).await?;
    let missing = u64::from(pipeline.search.document(index, &id).await?.is_none());
    let summary = command::run(&pipeline, &["replay", "--from", "earliest", "--key", &id, "--json"]).await?.json()?;
    assert_eq!((&summary["read"], &summary["indexed"]), (&json!(400), &json!(missing)), "{summary}");
    assert_eq!(pipeline.search.count(index).await?, before + missing);
    assert!(pipeline.search.document(index, &id).await?.is_some());
    Ok(())
}
