//! The strategy `time`: events older than the lifecycle keeps, an old read-only index, and a cluster in which documents
//! create no index.

use anyhow::{Context, Result};
use harness::event::{Events, now};
use harness::eventually::eventually;
use harness::http::Method;
use harness::pipeline::Pipeline;
use harness::sender::Mix;
use harness::stack::{OwnStack, Stack};
use indexer::config::{Expired, Strategy};
use serde_json::{Value, json};

const EVENTS: u64 = 20;
const DAY: i64 = 86_400_000;

async fn pipeline(stack: &Stack, scenario: &str) -> Result<Pipeline> {
    let mut pipeline = Pipeline::new(stack, scenario).await?;
    pipeline.config.elasticsearch.strategy = Strategy::Time;
    Ok(pipeline)
}

/// Returns events that happened this many days ago.
fn days_ago(days: i64) -> Mix {
    Mix::good(Events::new(rand::random(), now() - days * DAY))
}

fn all(mixes: &[Mix]) -> std::collections::HashSet<String> {
    mixes.iter().flat_map(|mix| mix.indexable(&(0..EVENTS).collect::<Vec<_>>())).collect()
}

/// Returns the indices by name, with the number of documents in each.
async fn indices(pipeline: &Pipeline) -> Result<Vec<(String, u64)>> {
    let name = &pipeline.config.elasticsearch.index_name;
    let aliases = pipeline.search.call(Method::GET, &format!("_alias/{name}"), &Value::Null).await?;
    let mut indices = Vec::new();
    for index in aliases.as_object().context("no indices")?.keys() {
        indices.push((index.clone(), pipeline.search.count(index).await?));
    }
    Ok(indices)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_older_than_the_lifecycle_keeps_are_not_indexed() -> Result<()> {
    for (scenario, expired) in
        [("late-oldest", Expired::Oldest), ("late-dead", Expired::DeadLetter), ("late-skip", Expired::Skip)]
    {
        let mut pipeline = pipeline(&Stack::running()?, scenario).await?;
        let name = pipeline.config.elasticsearch.index_name.clone();
        let policy = pipeline.file("ilm.yaml");
        std::fs::write(&policy, format!("policy_name: {name}\ndelete:\n  min_age: 7d\n"))?;
        pipeline.config.ilm_config_path = Some(policy);
        pipeline.config.elasticsearch.placement.expired = expired;
        let indexer = pipeline.indexer().await?;
        // These events are ten days late, from the year 1970, or in seconds instead of milliseconds. Close seeds would
        // share ids.
        let late = [days_ago(10), Mix::good(Events::new(1, 0)), Mix::good(Events::new(1_000, now() / 1_000))];
        let honest = [days_ago(2), days_ago(0)];
        for mix in late.iter().chain(&honest) {
            pipeline.feed(*mix).write(0..EVENTS).await?;
        }
        pipeline.all_committed().await?;
        lifecycle_passes(&pipeline).await?;

        let dead = pipeline.kafka.count(&pipeline.config.kafka.dead_letter_topic).await?;
        let (expected, letters) = match expired {
            Expired::Oldest => (all(&[late.as_slice(), &honest].concat()), 0),
            Expired::DeadLetter => (all(&honest), 3 * EVENTS),
            Expired::Skip => (all(&honest), 0),
        };
        assert_eq!(dead, letters, "{scenario}");
        pipeline.delivered_exactly(&expected).await.context(scenario)?;
        indexer.stop().await?;
    }
    Ok(())
}

/// Creates an index that is due for deletion, and waits until the lifecycle has deleted it.
async fn lifecycle_passes(pipeline: &Pipeline) -> Result<()> {
    let old = format!("{}-2020.01.01", pipeline.config.elasticsearch.index_name);
    pipeline.search.call(Method::PUT, &old, &json!({})).await?;
    eventually("the lifecycle deletes an index whose time has come", || async {
        let there = pipeline.search.call(Method::GET, &old, &Value::Null).await;
        anyhow::ensure!(there.is_err(), "it is there");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_missing_in_a_read_only_index_go_to_todays_index() -> Result<()> {
    let pipeline = pipeline(&Stack::running()?, "late-read-only").await?;
    let indexer = pipeline.indexer().await?;
    let (old, live) = (days_ago(3), days_ago(0));
    pipeline.feed(old).write(0..EVENTS / 2).await?;
    pipeline.all_committed().await?;
    let before = indices(&pipeline).await?;
    pipeline.search.call(Method::PUT, &format!("{}/_block/write", before[0].0), &Value::Null).await?;
    for _ in 0..2 {
        pipeline.feed(old).write(0..EVENTS).await?;
        pipeline.feed(live).write(0..EVENTS).await?;
        pipeline.delivered_exactly(&all(&[old, live])).await?;
    }
    let after = indices(&pipeline).await?;
    assert_eq!(after.iter().map(|(_, count)| *count).collect::<Vec<_>>(), [EVENTS / 2, EVENTS / 2 + EVENTS]);
    assert_eq!(pipeline.kafka.count(&pipeline.config.kafka.dead_letter_topic).await?, 0);
    indexer.stop().await
}

/// The index was restored, cloned or reindexed by hand, so nothing leads from the old name to the new one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_in_an_index_with_another_name_are_not_repeated() -> Result<()> {
    let pipeline = pipeline(&Stack::running()?, "late-renamed").await?;
    let indexer = pipeline.indexer().await?;
    let (old, live) = (days_ago(3), days_ago(0));
    pipeline.feed(old).write(0..EVENTS / 2).await?;
    pipeline.all_committed().await?;
    let first = indices(&pipeline).await?[0].0.clone();
    indexer.stop().await?;
    let copy = format!("{first}-v2");
    pipeline.search.call(Method::PUT, &format!("{first}/_block/write"), &Value::Null).await?;
    pipeline.search.call(Method::POST, &format!("{first}/_clone/{copy}"), &json!({})).await?;
    let name = &pipeline.config.elasticsearch.index_name;
    let actions = json!({"actions": [
        {"add": {"index": copy, "alias": name}},
        {"remove_index": {"index": first}},
    ]});
    pipeline.search.call(Method::POST, "_aliases", &actions).await?;
    pipeline.search.call(Method::PUT, &format!("{copy}/_settings"), &json!({"index.blocks.write": null})).await?;

    let indexer = pipeline.indexer().await?;
    for _ in 0..2 {
        pipeline.feed(old).write(0..EVENTS).await?;
        pipeline.feed(live).write(0..EVENTS).await?;
        pipeline.delivered_exactly(&all(&[old, live])).await?;
    }
    let after = indices(&pipeline).await?;
    assert!(after.iter().all(|(index, _)| *index != first), "{after:?}");
    indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_documents_may_not_create_is_created_anyway() -> Result<()> {
    let settings = [("ES_EXTRA", "-E action.auto_create_index=false")];
    let own = OwnStack::elasticsearch("no-auto-create", &settings).await?;
    let pipeline = pipeline(&own.stack, "no-auto-create").await?;
    let indexer = pipeline.indexer().await?;
    let live = days_ago(0);
    pipeline.feed(live).write(0..EVENTS).await?;
    pipeline.delivered_exactly(&all(&[live])).await?;

    // Somebody's template in the place of ours does not allow documents to create an index.
    let name = &pipeline.config.elasticsearch.index_name;
    let theirs = json!({"index_patterns": [format!("{name}-*")], "priority": 9_999});
    pipeline.search.call(Method::PUT, "_index_template/theirs", &theirs).await?;
    let old = days_ago(3);
    pipeline.feed(old).write(0..EVENTS).await?;
    pipeline.delivered_exactly(&all(&[live, old])).await?;
    indexer.stop().await
}
