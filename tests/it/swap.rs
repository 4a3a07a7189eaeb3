//! `penstock-indexer replay --into INDEX --swap` and `swap-back` while a receiver and an indexer work: exactly one
//! document per event before the swap, after it, and after the way back.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result};
use harness::command;
use harness::delivery::Differences;
use harness::event::{Event, Events, now};
use harness::eventually::eventually;
use harness::http::Method;
use harness::kafka::Raw;
use harness::pipeline::Pipeline;
use harness::sender::{Mix, Progress};
use harness::stack::Stack;
use indexer::config::Strategy;
use registry::wire::{SchemaId, frame};
use serde_json::{Value, json};

/// Returns the indices behind the alias, and whether each is the write index.
async fn behind(pipeline: &Pipeline) -> Result<BTreeMap<String, bool>> {
    let alias = &pipeline.config.elasticsearch.index_name;
    let answer = pipeline.search.call(Method::GET, &format!("_alias/{alias}"), &Value::Null).await?;
    let indices = answer.as_object().context("no alias")?;
    let writes = |index: &Value| index["aliases"][alias]["is_write_index"].as_bool().unwrap_or(true);
    Ok(indices.iter().map(|(name, index)| (name.clone(), writes(index))).collect())
}

async fn type_of(pipeline: &Pipeline, index: &str, field: &str) -> Result<Value> {
    let answer = pipeline.search.call(Method::GET, &format!("{index}/_mapping"), &Value::Null).await?;
    Ok(answer[index]["mappings"]["properties"][field]["type"].clone())
}

/// Returns `event` in a record of `partition` that arrived a minute ago.
fn raw(pipeline: &Pipeline, event: &Event, partition: i32) -> Raw {
    let value = [frame(SchemaId(pipeline.schema_id)).as_slice(), &event.encode()].concat();
    let key = Some(event.event_id.clone().into_bytes());
    Raw { partition, key, value: Some(value), timestamp: Some(now() - 60_000) }
}

/// Waits until `progress` has advanced by `more` events.
async fn further(progress: &Progress, more: u64) -> Result<()> {
    let begin = progress.done();
    eventually("the load goes on", || async {
        let done = progress.done() - begin;
        anyhow::ensure!(done >= more, "{done}");
        Ok(())
    })
    .await
}

/// Waits until the alias leads to exactly these events, once each.
async fn exactly(pipeline: &Pipeline, ids: &HashSet<String>) -> Result<()> {
    let alias = &pipeline.config.elasticsearch.index_name;
    pipeline.all_committed().await?;
    eventually("each event is there once", || async {
        Differences::between(ids, &pipeline.search.all(alias).await?).ensure_none()
    })
    .await
}

/// Fills `new` with a changed mapping and swaps it under load, then swaps back, and checks both results.
async fn swap_and_back(mut pipeline: Pipeline, old: &str, new: &str) -> Result<()> {
    let receiver = pipeline.receiver().await?;
    let indexer = pipeline.indexer().await?;
    let events = Events::unique();
    let mut load = pipeline.load(vec![receiver.target()], 4, 1_000, Mix::good(events));
    load.per_second = Some(200);
    let progress = Arc::new(Progress::held());
    let sending = tokio::spawn({
        let progress = Arc::clone(&progress);
        async move { load.send(&progress).await }
    });
    further(&progress, 1_500).await?;

    // The config has changed since the indexer was started.
    let text = serde_json::from_value(json!({ "type": "text" }))?;
    pipeline.config.elasticsearch.mapping.fields.insert("action_type".to_owned(), text);
    let replay = ["replay", "--from", "earliest", "--into", new, "--swap", "--json"];
    let answer = command::run(&pipeline, &replay).await?;
    assert_eq!(answer.code, 0, "{answer:#?}");
    let summary = answer.json()?;
    let filled = &summary["filled"];
    assert_eq!((&filled["is_swapped"], &filled["replaced"]), (&json!(true), &json!([old])), "{summary}");
    let compared = &filled["compared"];
    assert!(
        compared["old"].as_u64() >= Some(1_000) && compared["new"].as_u64() >= compared["old"].as_u64(),
        "{summary}"
    );
    assert!(compared["sample"].as_u64() > Some(50) && compared["missing"] == 0, "{summary}");
    assert_eq!(behind(&pipeline).await?, BTreeMap::from([(new.to_owned(), true)]));
    assert_eq!(type_of(&pipeline, new, "action_type").await?, "text", "the mapping is today's");
    assert_eq!(type_of(&pipeline, old, "action_type").await?, "keyword");

    // The indexer finds the new index by itself.
    further(&progress, 1_000).await?;
    let way_back = filled["way_back"].as_str().context("no way back")?;
    let arguments: Vec<&str> = way_back.split(' ').skip(1).collect();
    progress.release();
    let sent = sending.await??;
    let ids = Mix::good(events).indexable(&sent.acknowledged);
    exactly(&pipeline, &ids).await?;

    let back = command::run(&pipeline, &arguments).await?;
    assert_eq!(back.code, 0, "{back:#?}");
    assert_eq!(behind(&pipeline).await?, BTreeMap::from([(old.to_owned(), true)]));
    exactly(&pipeline, &ids).await?;
    pipeline.feed(Mix::good(Events::new(99_000_099, 1_700_000_000_000))).write(0..100).await?;
    let more = Mix::good(Events::new(99_000_099, 1_700_000_000_000)).indexable(&(0..100).collect::<Vec<_>>());
    exactly(&pipeline, &ids.union(&more).cloned().collect()).await?;
    indexer.stop().await?;
    receiver.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alias_of_one_index_is_swapped_under_load_and_back() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "swap-single").await?;
    pipeline.config.elasticsearch.strategy = Strategy::Single;
    let name = pipeline.config.elasticsearch.index_name.clone();
    let (old, new) = (format!("{name}-v1"), format!("{name}-v2"));
    let aliases = json!({ "aliases": { name.as_str(): { "is_write_index": true } } });
    pipeline.search.call(Method::PUT, &old, &aliases).await?;
    swap_and_back(pipeline, &old, &new).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alias_that_rolls_over_is_swapped_under_load_and_back() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "swap-rollover").await?;
    let name = pipeline.config.elasticsearch.index_name.clone();
    swap_and_back(pipeline, &format!("{name}-000001"), &format!("{name}-000002")).await
}

/// Adds a partition to the topic, writes ten events to it, and returns their ids. Only the new index gets them.
async fn events_of_a_new_partition(pipeline: &Pipeline) -> Result<Vec<String>> {
    let topic = &pipeline.config.kafka.topic;
    let count = i32::try_from(pipeline.kafka.end_offsets(topic).await?.len())?;
    eventually("the topic has one more partition", || async {
        pipeline.kafka.add_partitions(topic, usize::try_from(count + 1)?).await
    })
    .await?;
    let late = Events::new(rand::random(), now() - 60_000);
    let records: Vec<Raw> = (0..10).map(|number| raw(pipeline, &late.event(number), count)).collect();
    eventually("its events are written", || async { pipeline.kafka.produce(topic, &records).await.map(drop) }).await?;
    Ok((0..10).map(|number| late.event(number).event_id).collect())
}

/// Each command is given again: after the new index has rolled over, after it was killed when the alias had moved, and
/// after it was done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_swap_or_swap_back_does_only_the_remaining_steps() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "swap-again").await?;
    pipeline.config.elasticsearch.placement.margin = Duration::from_secs(1);
    let refresh = ("topic.metadata.refresh.interval.ms".to_owned(), "1000".to_owned());
    pipeline.config.kafka.options.extend([refresh]);
    let name = pipeline.config.elasticsearch.index_name.clone();
    let (old, new, next) = (format!("{name}-000001"), format!("{name}-000002"), format!("{name}-000003"));
    let indexer = pipeline.indexer().await?;
    let first = Mix::good(Events::new(rand::random(), now() - 60_000));
    pipeline.feed(first).write(0..200).await?;
    pipeline.all_committed().await?;
    let swap = ["replay", "--from", "earliest", "--into", &new, "--swap", "--accept-fewer"];
    let answer = command::run(&pipeline, &swap).await?;
    assert_eq!(answer.code, 0, "{answer:#?}");

    pipeline.search.call(Method::POST, &format!("{name}/_rollover"), &json!({})).await?;
    let mut ids = first.indexable(&(0..200).collect::<Vec<_>>());
    let more = Mutex::new(Vec::new());
    eventually("events land in the next index", || async {
        let mix = Mix::good(Events::unique());
        pipeline.feed(mix).write(0..10).await?;
        more.lock().map_err(|_| anyhow::anyhow!("poisoned"))?.push(mix);
        pipeline.all_committed().await?;
        anyhow::ensure!(pipeline.search.count(&next).await? > 0, "none is there");
        Ok(())
    })
    .await?;
    for mix in more.into_inner()? {
        ids.extend(mix.indexable(&(0..10).collect::<Vec<_>>()));
    }
    let again = command::run(&pipeline, &swap).await?;
    assert_eq!(again.code, 0, "{again:#?}");
    exactly(&pipeline, &ids).await?;

    ids.extend(events_of_a_new_partition(&pipeline).await?);
    exactly(&pipeline, &ids).await?;

    let mut killed = command::start(&pipeline, &["swap-back"], "swap-back.log").await?;
    let is_back = BTreeMap::from([(old.clone(), true)]);
    eventually("the alias leads to the old index", || async {
        let behind = behind(&pipeline).await?;
        anyhow::ensure!(behind == is_back, "{behind:?}");
        Ok(())
    })
    .await?;
    killed.kill()?;
    let finished = command::run(&pipeline, &["swap-back"]).await?;
    assert_eq!(finished.code, 0, "{finished:#?}");
    assert_eq!(behind(&pipeline).await?, is_back);
    exactly(&pipeline, &ids).await?;
    let done = command::run(&pipeline, &["swap-back"]).await?;
    assert!(done.code == 0 && done.output.contains("nothing is left to do"), "{done:#?}");
    indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_impossible_or_incomplete_swap_is_refused_with_the_reason() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "swap-refused").await?;
    let name = pipeline.config.elasticsearch.index_name.clone();
    let events = Events::unique();
    // Only events that are at least a few seconds old are compared.
    let records = (0..300).map(|number| raw(&pipeline, &events.event(number), i32::try_from(number % 4).unwrap_or(0)));
    pipeline.kafka.produce(&pipeline.config.kafka.topic, &records.collect::<Vec<_>>()).await?;
    let indexer = pipeline.indexer().await?;
    pipeline.all_committed().await?;
    let new = format!("{name}-000002");

    let wrong =
        command::run(&pipeline, &["replay", "--from", "earliest", "--into", &format!("{name}-v2"), "--swap"]).await?;
    assert!(wrong.code == 1 && wrong.errors.contains(&format!("--into {new}")), "{wrong:#?}");
    let wrong =
        command::run(&pipeline, &["replay", "--from", "earliest", "--to", "1h", "--into", &new, "--swap"]).await?;
    assert!(wrong.code == 1 && wrong.errors.contains("--to"), "{wrong:#?}");
    let wrong = command::run(&pipeline, &["swap-back"]).await?;
    assert!(wrong.code == 1 && wrong.errors.contains("nothing to swap back"), "{wrong:#?}");

    // Records that Kafka has lost cannot be copied. Here, the records of one partition are skipped.
    let ends = pipeline.kafka.end_offsets(&pipeline.config.kafka.topic).await?;
    let from = format!("0:{},1:0,2:0,3:0", ends[&0]);
    let partial = ["replay", "--from", &from, "--into", &new, "--swap", "--json"];
    let answer = command::run(&pipeline, &partial).await?;
    assert_eq!(answer.code, 2, "{answer:#?}");
    let summary = answer.json()?;
    assert_eq!(summary["filled"]["is_swapped"], false, "{summary}");
    assert_eq!(summary["filled"]["compared"]["old"], 300, "{summary}");
    assert_eq!(behind(&pipeline).await?.keys().collect::<Vec<_>>(), [&format!("{name}-000001")]);
    assert!(!pipeline.search.call(Method::GET, &format!("{name}/_count"), &Value::Null).await?.is_null());

    let again = command::run(&pipeline, &["replay", "--from", "earliest", "--into", &new]).await?;
    assert!(again.code == 1 && again.errors.contains("already exists"), "{again:#?}");
    pipeline.config.elasticsearch.strategy = Strategy::DataStream;
    let stream = command::run(&pipeline, &["replay", "--from", "earliest", "--into", "x", "--swap"]).await?;
    assert!(stream.code == 1 && stream.errors.contains("data_stream"), "{stream:#?}");
    indexer.stop().await
}
