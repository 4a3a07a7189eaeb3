//! Elasticsearch is down for long while Kafka holds a backlog. Memory stays within its bound, the indexer stays in its
//! group, and it continues when Elasticsearch is back.
//!
//! `PENSTOCK_LONG_OUTAGE_SECONDS` sets the duration and `PENSTOCK_LONG_OUTAGE_EVENTS` the number of events.

use std::time::{Duration, Instant};

use anyhow::Result;
use bytesize::ByteSize;
use harness::event::Events;
use harness::eventually::{eventually, patience};
use harness::http;
use harness::indexer_process::IndexerProcess;
use harness::pipeline::Pipeline;
use harness::process;
use harness::sender::Mix;
use harness::size;
use harness::stack::{OwnStack, Part};
use indexer::config::Strategy;

/// The most memory of the indexer in addition to `indexer.max_in_flight_bytes`: code, stacks, Kafka's prefetch.
const BESIDE: u64 = 96 << 20;
/// The number of events before the outage.
const BEFORE: u64 = 100;
const INDEXED: &str = r#"penstock_indexer_documents_total{outcome="indexed"}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_indexer_survives_a_long_outage_in_its_memory_and_group() -> Result<()> {
    let outage = size::seconds("PENSTOCK_LONG_OUTAGE_SECONDS", 20)?;
    let events = size::number("PENSTOCK_LONG_OUTAGE_EVENTS", 50_000)?;
    process::build().await?;
    let elasticsearch = OwnStack::elasticsearch("away", &[]).await?;
    let pipeline = pipeline_with_little_room(&elasticsearch, events).await?;
    let indexer = IndexerProcess::start(&pipeline, 0)?;
    indexer.ready().await?;

    let of_topic = |name: &str| format!(r#"{name}{{topic="{}"}}"#, pipeline.config.kafka.topic);
    let mix = Mix::good(Events::unique());
    know_the_schema(&pipeline, mix).await?;
    let begin = Instant::now();
    elasticsearch.stop(Part::Elasticsearch).await?;
    pipeline.feed(mix).write(BEFORE..events).await?;
    eventually("consuming pauses at the bound", || async {
        anyhow::ensure!(indexer.metric(&of_topic("penstock_indexer_paused")).await? == 1.0, "it does not");
        let unready = indexer.unready().await?;
        anyhow::ensure!(unready.lines().any(|line| line.starts_with("elasticsearch: ")), "ready, but for {unready:?}");
        Ok(())
    })
    .await?;
    if let Some(rest) = outage.checked_sub(begin.elapsed()) {
        // This is the outage itself, not a wait for a condition.
        tokio::time::sleep(rest).await;
    }
    let held = indexer.metric(&of_topic("penstock_indexer_held_bytes")).await?;
    let peak_meanwhile = indexer.usage()?.peak_bytes;
    elasticsearch.start_again(Part::Elasticsearch).await?;
    let back = back_at(&pipeline).await?;
    eventually("the drain begins", || async {
        anyhow::ensure!(indexer.metric(INDEXED).await? > BEFORE as f64, "nothing is indexed");
        Ok(())
    })
    .await?;
    let began = back.elapsed();
    pipeline.all_committed_within(patience() * 5).await?;
    let peak = indexer.usage()?.peak_bytes;
    eprintln!(
        "down for {:?} with {events} events: {} MiB held, peak {} MiB meanwhile, {} MiB in all; drain began {began:?} after the return, and was done after {:?}",
        outage,
        held as u64 >> 20,
        peak_meanwhile >> 20,
        peak >> 20,
        back.elapsed()
    );

    pipeline.delivered_exactly(&mix.indexable(&(0..events).collect::<Vec<_>>())).await?;
    let bound = pipeline.config.indexer.max_in_flight_bytes.as_u64();
    assert!(held <= bound as f64, "{held} bytes are held, {bound} may be");
    assert!(peak < bound + BESIDE, "{} MiB are more than {} MiB", peak >> 20, (bound + BESIDE) >> 20);
    assert_eq!(indexer.logged("were assigned")?, 1, "there was a rebalance");
    assert_eq!(pipeline.kafka.count(&pipeline.config.kafka.dead_letter_topic).await?, 0);
    indexer.stop().await
}

/// Creates a pipeline whose indexer must poll during the outage, and whose bound is smaller than the backlog.
async fn pipeline_with_little_room(elasticsearch: &OwnStack, events: u64) -> Result<Pipeline> {
    let mut pipeline = Pipeline::new(&elasticsearch.stack, "away").await?;
    // With backing indices, records wait for the table of these indices before they take room. Here they must take all
    // the room there is.
    pipeline.config.elasticsearch.strategy = Strategy::Single;
    // This is shorter than the outage, so a member that does not poll is removed from the group.
    pipeline.config.kafka.options.insert("max.poll.interval.ms".to_owned(), "10000".to_owned());
    pipeline.config.indexer.drain_timeout = Duration::from_secs(5);
    pipeline.config.indexer.max_in_flight_bytes = ByteSize::mib(if events < 1_000_000 { 8 } else { 64 });
    Ok(pipeline)
}

/// Indexes some events first, because records of an unknown schema would wait until the index has its fields, before
/// they take room.
async fn know_the_schema(pipeline: &Pipeline, mix: Mix) -> Result<()> {
    pipeline.feed(mix).write(0..BEFORE).await?;
    pipeline.all_committed().await
}

/// Returns when Elasticsearch answers searches in the index again.
async fn back_at(pipeline: &Pipeline) -> Result<Instant> {
    let index = &pipeline.config.elasticsearch.index_name;
    let url = format!("{}/{index}/_search?size=0", pipeline.config.elasticsearch.url);
    eventually("the index can be searched", || async {
        let answer = http::get(&url).await?;
        anyhow::ensure!(answer.status == 200, "{}: {}", answer.status, answer.text());
        Ok(Instant::now())
    })
    .await
}
