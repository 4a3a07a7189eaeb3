//! Several topics in one indexer: each has its own index and strategy, and a stopped topic does not hold up the others.

use anyhow::Result;
use harness::event::Events;
use harness::eventually::eventually;
use harness::http::{self, Method};
use harness::indexer_process::IndexerProcess;
use harness::pipeline::{PARTITIONS, Pipeline, assigned_partitions, metric};
use harness::process;
use harness::sender::Mix;
use harness::stack::Stack;
use indexer::config::{Strategy, Topic};
use serde_json::json;

const EVENTS: u64 = 2_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_topic_has_its_own_index_and_waits_for_no_other() -> Result<()> {
    let mut one = Pipeline::new(&Stack::running()?, "topics").await?;
    let mut other = Pipeline::new(&Stack::running()?, "topics-other").await?;
    let single = Topic { index_name: Some(format!("{}-alone", other.config.kafka.topic)), ..Topic::default() };
    let single = Topic { strategy: Some(Strategy::Single), ..single };
    other.config.elasticsearch.index_name = single.index_name.clone().unwrap_or_default();
    other.config.indexer.group_id.clone_from(&one.config.indexer.group_id);
    let topics = &mut one.config.indexer.topics;
    topics.insert(one.config.kafka.topic.clone(), Topic::default());
    topics.insert(other.config.kafka.topic.clone(), single);
    let indexer = one.indexer().await?;

    // The other topic's index is blocked. Readiness names it, and the first topic continues.
    block(&other, true).await?;
    let (mix, blocked) = (Mix::good(Events::unique()), Mix::good(Events::unique()));
    other.feed(blocked).write(0..EVENTS).await?;
    eventually("readiness names the topic whose index is blocked", || async {
        let text = http::get(&format!("{}/readyz", indexer.admin_url())).await?.text();
        let start = format!("elasticsearch of {}: ", other.config.kafka.topic);
        anyhow::ensure!(text.lines().any(|line| line.starts_with(&start)), "{text}");
        Ok(())
    })
    .await?;
    one.feed(mix).write(0..EVENTS).await?;
    one.delivered_exactly(&mix.indexable(&(0..EVENTS).collect::<Vec<_>>())).await?;
    // The metrics of one topic say nothing about the other.
    for (pipeline, blocked) in [(&one, 0.0), (&other, 1.0)] {
        let topic = &pipeline.config.kafka.topic;
        let sample = format!("penstock_indexer_blocked{{reason=\"index_block\",topic={topic:?}}}");
        assert_eq!(metric(&indexer.admin_url(), &sample).await?, blocked, "{topic}");
    }
    block(&other, false).await?;
    other.delivered_exactly(&blocked.indexable(&(0..EVENTS).collect::<Vec<_>>())).await?;
    for pipeline in [&one, &other] {
        assert!(assigned_partitions(&indexer.admin_url(), &pipeline.config.kafka.topic).await? > 0.0);
    }
    indexer.stop().await
}

/// One topic's documents are refused permanently, because its index was created by hand with a wrong mapping.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blown_fuse_of_one_topic_leaves_the_other_alone() -> Result<()> {
    const CONSECUTIVE: u64 = 30;
    let mut one = Pipeline::new(&Stack::running()?, "topics-fuse").await?;
    let mut other = Pipeline::new(&Stack::running()?, "topics-blown").await?;
    let name = format!("{}-alone", other.config.kafka.topic);
    other.config.elasticsearch.index_name.clone_from(&name);
    other.config.elasticsearch.strategy = Strategy::Single;
    other.config.indexer.group_id.clone_from(&one.config.indexer.group_id);
    let alone = Topic { index_name: Some(name.clone()), strategy: Some(Strategy::Single), ..Topic::default() };
    one.config.indexer.fuse.max_consecutive = CONSECUTIVE;
    one.config.indexer.batch.max_documents = 10;
    one.config.indexer.topics.insert(one.config.kafka.topic.clone(), Topic::default());
    one.config.indexer.topics.insert(other.config.kafka.topic.clone(), alone);
    let indexer = one.indexer().await?;
    other.search.call(Method::DELETE, &name, &serde_json::Value::Null).await?;
    let wrong = json!({"mappings": {"properties": {"event_id": {"type": "long"}}}});
    other.search.call(Method::PUT, &name, &wrong).await?;

    let (mix, refused) = (Mix::good(Events::unique()), Mix::good(Events::unique()));
    other.feed(refused).write(0..200).await?;
    let blown = |pipeline: &Pipeline| format!("penstock_indexer_fuse_blown{{topic={:?}}}", pipeline.config.kafka.topic);
    let (of_one, of_other) = (blown(&one), blown(&other));
    eventually("the fuse of the one topic has blown", || async {
        anyhow::ensure!(metric(&indexer.admin_url(), &of_other).await? == 1.0, "it has not");
        Ok(())
    })
    .await?;
    one.feed(mix).write(0..EVENTS).await?;
    one.delivered_exactly(&mix.indexable(&(0..EVENTS).collect::<Vec<_>>())).await?;
    assert_eq!(metric(&indexer.admin_url(), &of_one).await?, 0.0);
    assert_eq!(metric(&indexer.admin_url(), &of_other).await?, 1.0);
    // The index is created again with the correct mapping.
    other.search.call(Method::DELETE, &name, &serde_json::Value::Null).await?;
    other.all_committed().await?;
    eventually("the fuse is whole again", || async {
        anyhow::ensure!(metric(&indexer.admin_url(), &of_other).await? == 0.0, "it is not");
        Ok(())
    })
    .await?;
    indexer.stop().await
}

/// With `indexer.group_per_topic`, a member that joins for one topic does not affect the group of another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_group_per_topic_a_new_member_rebalances_only_its_topic() -> Result<()> {
    process::build().await?;
    let mut one = Pipeline::new(&Stack::running()?, "groups").await?;
    let mut other = Pipeline::new(&Stack::running()?, "groups-other").await?;
    let group = one.config.indexer.group_id.clone();
    let index = Topic { index_name: Some(other.config.elasticsearch.index_name.clone()), ..Topic::default() };
    one.config.indexer.group_per_topic = true;
    one.config.indexer.topics.insert(one.config.kafka.topic.clone(), Topic::default());
    one.config.indexer.topics.insert(other.config.kafka.topic.clone(), index);
    let both = IndexerProcess::start(&one, 0)?;
    both.ready().await?;
    for pipeline in [&mut one, &mut other] {
        pipeline.config.indexer.group_id = format!("{group}-{}", pipeline.config.kafka.topic);
        let mix = Mix::good(Events::unique());
        pipeline.feed(mix).write(0..EVENTS).await?;
        pipeline.delivered_exactly(&mix.indexable(&(0..EVENTS).collect::<Vec<_>>())).await?;
    }
    let rebalances = |topic: &str| both.logged_all(&["Partitions were", &format!("{topic:?}")]);
    let (of_one, of_other) = (rebalances(&one.config.kafka.topic)?, rebalances(&other.config.kafka.topic)?);
    assert!(of_one > 0 && of_other > 0, "{of_one} and {of_other} rebalances are logged");

    let second = IndexerProcess::start_with(&one, 1, |config| {
        config.indexer.group_id.clone_from(&group);
        config.indexer.topics.remove(&one.config.kafka.topic);
    })?;
    second.ready().await?;
    let half = f64::from(PARTITIONS) / 2.0;
    eventually("the second one has half of the other topic", || async {
        let assigned = assigned_partitions(both.admin_url(), &other.config.kafka.topic).await?;
        anyhow::ensure!(assigned == half, "the first one has {assigned}");
        Ok(())
    })
    .await?;
    assert_eq!(rebalances(&one.config.kafka.topic)?, of_one, "the topic of the first one alone was rebalanced");
    assert!(rebalances(&other.config.kafka.topic)? > of_other);
    second.stop().await?;
    both.stop().await
}

async fn block(pipeline: &Pipeline, read_only: bool) -> Result<()> {
    let path = format!("{}/_settings", pipeline.config.elasticsearch.index_name);
    pipeline.search.call(Method::PUT, &path, &json!({"index.blocks.write": read_only})).await?;
    Ok(())
}
