//! Refusals that are due to an index or the cluster are not blamed on documents: a closed old index, a cluster that
//! forbids index names in request bodies, a mapping that fits no document until it is re-created.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::Result;
use harness::event::{Events, now};
use harness::eventually::eventually;
use harness::http::Method;
use harness::indexer_process::IndexerProcess;
use harness::kafka::Raw;
use harness::pipeline::Pipeline;
use harness::process;
use harness::sender::Mix;
use harness::stack::{OwnStack, Stack};
use indexer::config::Strategy;
use registry::wire::{SchemaId, frame};
use serde_json::{Value, json};

const MARGIN: Duration = Duration::from_secs(1);

async fn pipeline(stack: &Stack, name: &str, strategy: Strategy) -> Result<Pipeline> {
    process::build().await?;
    let mut pipeline = Pipeline::new(stack, name).await?;
    pipeline.config.elasticsearch.strategy = strategy;
    pipeline.config.elasticsearch.placement.margin = MARGIN;
    Ok(pipeline)
}

/// Writes events to partition 0, each with its own time as the time of arrival.
async fn produce(pipeline: &Pipeline, events: &[(Mix, u64)]) -> Result<()> {
    let record = |(mix, number): &(Mix, u64)| {
        let value = [frame(SchemaId(pipeline.schema_id)).as_slice(), &mix.body(*number)].concat();
        let timestamp = Some(mix.events.event(*number).timestamp);
        Raw { key: Some(mix.events.id(*number).into_bytes()), value: Some(value), timestamp, ..Raw::default() }
    };
    let records: Vec<Raw> = events.iter().map(record).collect();
    pipeline.kafka.produce(&pipeline.config.kafka.topic, &records).await.map(drop)
}

async fn dead_letters(pipeline: &Pipeline) -> Result<u64> {
    pipeline.kafka.count(&pipeline.config.kafka.dead_letter_topic).await
}

/// Rolls over, and returns when new documents go to the new index.
async fn roll_over(pipeline: &Pipeline) -> Result<()> {
    let name = &pipeline.config.elasticsearch.index_name;
    pipeline.search.call(Method::POST, &format!("{name}/_rollover"), &Value::Null).await?;
    let rolled = now();
    eventually("the margin is over", || async {
        anyhow::ensure!(now() > rolled + 2_000, "it is not");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_event_for_a_closed_old_index_holds_nothing_up() -> Result<()> {
    const FRESH: u64 = 500;
    let pipeline = pipeline(&Stack::running()?, "blame-closed", Strategy::Rollover).await?;
    let name = &pipeline.config.elasticsearch.index_name;
    let member = IndexerProcess::start(&pipeline, 0)?;
    member.ready().await?;
    let old = Mix::good(Events::unique());
    produce(&pipeline, &[(old, 0)]).await?;
    pipeline.all_committed().await?;
    roll_over(&pipeline).await?;
    roll_over(&pipeline).await?;
    pipeline.search.call(Method::POST, &format!("{name}-000001/_close"), &Value::Null).await?;
    let fresh = Mix::good(Events::unique());
    let mut events: Vec<(Mix, u64)> = (0..FRESH).map(|number| (fresh, number)).collect();
    events.insert(10, (old, 1));
    produce(&pipeline, &events).await?;
    pipeline.all_committed().await?;
    assert_eq!(pipeline.search.count(&format!("{name}-000003")).await?, FRESH + 1, "the late one is there too");
    assert_eq!(dead_letters(&pipeline).await?, 0);
    assert_eq!(member.logged("closed_index")?, 0, "the breaker never opened");

    // A closed write index is different: it blocks.
    pipeline.search.call(Method::POST, &format!("{name}-000003/_close"), &Value::Null).await?;
    produce(&pipeline, &[(Mix::good(Events::unique()), 0)]).await?;
    eventually("the indexer says that the write index is closed", || async {
        let unready = member.unready().await?;
        anyhow::ensure!(unready.contains("closed_index"), "{unready:?}");
        Ok(())
    })
    .await?;
    pipeline.search.call(Method::POST, &format!("{name}-000003/_open"), &Value::Null).await?;
    pipeline.all_committed().await?;
    assert_eq!(dead_letters(&pipeline).await?, 0);
    member.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn if_bodies_may_not_name_an_index_each_index_gets_its_own_request() -> Result<()> {
    const EVENTS: u64 = 20;
    let extra = "-E rest.action.multi.allow_explicit_index=false";
    let elasticsearch = OwnStack::elasticsearch("explicit-index", &[("ES_EXTRA", extra)]).await?;
    let mut pipeline = pipeline(&elasticsearch.stack, "blame-explicit", Strategy::Rollover).await?;
    pipeline.config.indexer.batch.max_age = Duration::from_secs(2);
    let name = &pipeline.config.elasticsearch.index_name;
    let member = IndexerProcess::start(&pipeline, 0)?;
    member.ready().await?;
    let old = Mix::good(Events::unique());
    produce(&pipeline, &[(old, 0)]).await?;
    pipeline.all_committed().await?;
    roll_over(&pipeline).await?;
    let fresh = Mix::good(Events::unique());
    for round in 0..3 {
        let numbers = round * EVENTS + 1..(round + 1) * EVENTS + 1;
        let events: Vec<(Mix, u64)> = numbers.flat_map(|number| [(old, number), (fresh, number)]).collect();
        produce(&pipeline, &events).await?;
        pipeline.all_committed().await?;
    }
    assert_eq!(dead_letters(&pipeline).await?, 0);
    let ids = |mix: Mix, first: u64| (first..3 * EVENTS + 1).map(move |number| mix.events.id(number));
    let ids: HashSet<String> = ids(old, 0).chain(ids(fresh, 1)).collect();
    pipeline.delivered_exactly(&ids).await?;
    assert_eq!(pipeline.search.count(&format!("{name}-000001")).await?, 3 * EVENTS + 1);
    member.stop().await
}

/// The mapping is wrong, so all documents are refused for their contents. The fuse blows, and recovers once the mapping
/// is fixed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_fuse_recovers_once_the_cause_is_fixed() -> Result<()> {
    const EVENTS: u64 = 200;
    const CONSECUTIVE: u64 = 30;
    let mut pipeline = pipeline(&Stack::running()?, "blame-fuse", Strategy::Single).await?;
    pipeline.config.indexer.fuse.max_consecutive = CONSECUTIVE;
    pipeline.config.indexer.batch.max_documents = 10;
    let name = pipeline.config.elasticsearch.index_name.clone();
    let member = IndexerProcess::start(&pipeline, 0)?;
    member.ready().await?;
    let mix = Mix::good(Events::unique());
    pipeline.search.call(Method::DELETE, &name, &Value::Null).await?;
    let wrong = json!({"mappings": {"properties": {"event_id": {"type": "long"}}}});
    pipeline.search.call(Method::PUT, &name, &wrong).await?;
    let events: Vec<(Mix, u64)> = (0..EVENTS).map(|number| (mix, number)).collect();
    produce(&pipeline, &events).await?;
    let sample = format!("penstock_indexer_fuse_blown{{topic={:?}}}", pipeline.config.kafka.topic);
    eventually("the fuse has blown", || async {
        let unready = member.unready().await?;
        anyhow::ensure!(member.metric(&sample).await? == 1.0 && unready.contains("the fuse has blown"), "{unready:?}");
        Ok(())
    })
    .await?;
    // The index is created again with the correct mapping.
    pipeline.search.call(Method::DELETE, &name, &Value::Null).await?;
    pipeline.all_committed().await?;
    let dead = dead_letters(&pipeline).await?;
    assert!(dead < CONSECUTIVE, "{dead} dead letters: some after it had blown");
    assert_eq!(pipeline.search.count(&name).await?, EVENTS - dead);
    member.ready().await?;
    assert_eq!(member.metric(&sample).await?, 0.0);
    member.stop().await
}

harness::on_opensearch! {
    a_late_event_for_a_closed_old_index_holds_nothing_up,
    the_fuse_recovers_once_the_cause_is_fixed,
}
