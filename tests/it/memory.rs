//! The memory of both services at its bounds: each process stays below the sum of ARCHITECTURE.md's table ("Memory").
//!
//! In this file, 64 partitions have a backlog, and the index accepts nothing for a while, so that the indexer holds as
//! much as it may. Then all is indexed. `all.rs` fills all rows of an indexer at once, `front.rs` those of a receiver.

use anyhow::{Result, ensure};
use bytesize::ByteSize;
use harness::event::Events;
use harness::eventually::{eventually, patience, within};
use harness::http::Method;
use harness::kafka::Raw;
use harness::pipeline::{Pipeline, metric, ready};
use harness::process::{Binary, Process, build, write_config};
use harness::sender::Mix;
use harness::stack::Stack;
use harness::usage::Usage;
use harness::{ports, process};
use registry::wire::{self, SchemaId};
use serde_json::json;

mod all;
mod front;

const PARTITIONS: i32 = 64;
const MIB: u64 = 1024 * 1024;
/// The value of `indexer.max_in_flight_bytes`.
const IN_FLIGHT: u64 = 16 * MIB;
/// The memory of the program without records: code, threads, schemas, connections.
const PROGRAM: u64 = 64 * MIB;

/// Returns the sum of the table's rows that count while only good records are read.
fn bound(pipeline: &Pipeline) -> u64 {
    let indexer = &pipeline.config.indexer;
    let (batch, in_flight) = (indexer.batch.max_bytes.as_u64(), indexer.max_in_flight_bytes.as_u64());
    // Keys and values; what the client keeps for each record; a response, and the records parsed from it.
    let fetched_ahead = in_flight / 4 + in_flight / 4 + 2 * (in_flight / 16);
    let bodies = indexer.max_in_flight_requests as u64 * batch;
    in_flight + batch + fetched_ahead + bodies + PROGRAM
}

async fn prepare(scenario: &str) -> Result<Pipeline> {
    let mut pipeline = Pipeline::new(&Stack::running()?, scenario).await?;
    pipeline.config.kafka.topic = format!("{}-wide", pipeline.config.kafka.topic);
    pipeline.kafka.create_topic(&pipeline.config.kafka.topic, PARTITIONS).await?;
    pipeline.config.indexer.max_in_flight_bytes = ByteSize::b(IN_FLIGHT);
    // The index exists, with its alias, before it is blocked.
    pipeline.indexer().await?.stop().await?;
    Ok(pipeline)
}

/// Returns event `number` with this many entries of metadata, of about 110 bytes each, as a record of the schema.
fn large(events: &Events, number: u64, schema: u32, entries: usize) -> Raw {
    let mut event = events.event(number);
    event.metadata.extend((0..entries).map(|entry| (format!("entry-{entry}"), "x".repeat(100))));
    let mut value = wire::frame(SchemaId(schema)).to_vec();
    value.extend_from_slice(&event.encode());
    let partition = i32::try_from(number).unwrap_or(0) % PARTITIONS;
    Raw { partition, key: Some(event.event_id.into_bytes()), value: Some(value), ..Raw::default() }
}

/// Writes `records` a few at a time, because together they exceed the producer's queue.
async fn produce(pipeline: &Pipeline, records: &[Raw]) -> Result<()> {
    for some in records.chunks(64) {
        pipeline.kafka.produce(&pipeline.config.kafka.topic, some).await?;
    }
    Ok(())
}

async fn block(pipeline: &Pipeline, blocked: bool) -> Result<()> {
    let path = format!("{}/_settings", pipeline.config.elasticsearch.index_name);
    pipeline.search.call(Method::PUT, &path, &json!({"index.blocks.write": blocked})).await?;
    Ok(())
}

/// Consumes the backlog of `count` events while the index is blocked, then indexes it. The peak memory must stay below
/// the bound.
async fn stays_within(mut pipeline: Pipeline, count: u64) -> Result<()> {
    build().await?;
    block(&pipeline, true).await?;
    pipeline.config.indexer.admin_listen = ([127, 0, 0, 1], ports::free()?).into();
    let admin = format!("http://{}", pipeline.config.indexer.admin_listen);
    let (file, log) = (pipeline.file("indexer.yaml"), pipeline.file("indexer.log"));
    write_config(&pipeline.config, &file)?;
    let mut indexer = Process::start(Binary::Indexer, &file, &[], &log)?;
    let paused = format!("penstock_indexer_paused{{topic={:?}}}", pipeline.config.kafka.topic);
    eventually("as much is held as may be", || async {
        ensure!(metric(&admin, &paused).await? == 1.0, "it still consumes; {}", process::last_lines(&log));
        Ok(())
    })
    .await?;
    block(&pipeline, false).await?;
    within(patience() * 3, "all is indexed", || async {
        let indexed = metric(&admin, r#"penstock_indexer_documents_total{outcome="indexed"}"#).await?;
        ensure!(indexed == count as f64, "{indexed} documents");
        Ok(())
    })
    .await?;
    ready(&admin).await?;
    indexer.ensure_running()?;
    let (peak, bound) = (Usage::of(indexer.id())?.peak_bytes, bound(&pipeline));
    println!("peak {} MiB of {} MiB", peak / MIB, bound / MIB);
    ensure!(peak <= bound, "{} MiB, more than {} MiB", peak / MIB, bound / MIB);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_small_records_of_64_partitions_stay_within_the_limit() -> Result<()> {
    const EVENTS: u64 = 100_000;
    let pipeline = prepare("memory-small").await?;
    pipeline.feed(Mix::good(Events::unique())).write(0..EVENTS).await?;
    stays_within(pipeline, EVENTS).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_records_of_64_partitions_stay_within_the_limit() -> Result<()> {
    const EVENTS: u64 = 320;
    let pipeline = prepare("memory-large").await?;
    let events = Events::unique();
    let records = (0..EVENTS).map(|number| large(&events, number, pipeline.schema_id, 2_000));
    produce(&pipeline, &records.collect::<Vec<_>>()).await?;
    stays_within(pipeline, EVENTS).await
}
