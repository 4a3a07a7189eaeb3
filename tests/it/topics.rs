//! Several topics in one indexer: each has its own index and strategy, and one that cannot go on does not hold up the others.

use anyhow::Result;
use config::{Strategy, Topic};
use harness::event::Events;
use harness::eventually::eventually;
use harness::http::{self, Method};
use harness::pipeline::{Pipeline, assigned_partitions, metric};
use harness::sender::Mix;
use harness::stack::Stack;
use serde_json::json;

const EVENTS: u64 = 2_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_topic_has_its_own_index_and_none_waits_for_another() -> Result<()> {
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

    // The index of the other one is blocked: readiness says which, and the first goes on.
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
    // The requests of the one say nothing of the other.
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

async fn block(pipeline: &Pipeline, read_only: bool) -> Result<()> {
    let path = format!("{}/_settings", pipeline.config.elasticsearch.index_name);
    pipeline.search.call(Method::PUT, &path, &json!({"index.blocks.write": read_only})).await?;
    Ok(())
}
