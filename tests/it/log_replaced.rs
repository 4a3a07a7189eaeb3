//! A log that was truncated or restored while no indexer ran, and has grown past the committed offset since.
//!
//! The local Kafka has one broker, so there is no unclean leader election. Instead, the topic is created again, and the
//! offsets are committed again without the topic's id. This leaves the indexer with what it has after a truncation: the
//! same topic with other records below the offset.

use anyhow::{Result, ensure};
use harness::event::Events;
use harness::eventually::eventually;
use harness::pipeline::{PARTITIONS, Pipeline, metric};
use harness::sender::Mix;
use harness::stack::Stack;

const BEFORE: u64 = 1_000;
const AFTER: u64 = 3_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_replaced_below_the_committed_offset_is_read_from_its_start() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "log-replaced").await?;
    let (group, topic) = (&pipeline.config.indexer.group_id, &pipeline.config.kafka.topic);
    let mix = Mix::good(Events::unique());
    let indexer = pipeline.indexer().await?;
    pipeline.feed(mix).write(0..BEFORE).await?;
    pipeline.delivered_exactly(&mix.indexable(&(0..BEFORE).collect::<Vec<_>>())).await?;
    indexer.stop().await?;

    // With the same log, a restart continues where it was and reads no record twice.
    let indexer = pipeline.indexer().await?;
    pipeline.feed(mix).write(BEFORE..BEFORE + 10).await?;
    pipeline.delivered_exactly(&mix.indexable(&(0..BEFORE + 10).collect::<Vec<_>>())).await?;
    assert_eq!(metric(&indexer.admin_url(), "penstock_indexer_consumed_records_total").await?, 10.0);
    indexer.stop().await?;

    let mut commits = pipeline.kafka.commits(group, topic).await?;
    for (partition, (_, metadata)) in &mut commits {
        ensure!(metadata.contains(";last="), "partition {partition}: {metadata:?}");
        *metadata = metadata.split(';').skip(1).collect();
    }
    pipeline.kafka.delete_topic(topic).await?;
    eventually("the topic is created again", || pipeline.kafka.create_topic(topic, PARTITIONS)).await?;
    let first = BEFORE + 10;
    pipeline.feed(mix).write(first..first + AFTER).await?;
    eventually("the offsets are committed", || pipeline.kafka.commit_each(group, topic, commits.clone())).await?;

    let indexer = pipeline.indexer().await?;
    pipeline.delivered_exactly(&mix.indexable(&(0..first + AFTER).collect::<Vec<_>>())).await?;
    let sample = format!("penstock_indexer_log_resets_total{{topic={topic:?},reason=\"replaced\"}}");
    assert_eq!(metric(&indexer.admin_url(), &sample).await?, f64::from(PARTITIONS));
    indexer.stop().await
}
