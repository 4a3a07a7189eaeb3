//! A rollover of a data stream that takes longer than `placement.margin`: the creation date of a backing index is
//! earlier than the first document that the server sends there. Until then, documents go to the previous index.

use std::time::Duration;

use anyhow::Result;
use harness::event::{Events, now};
use harness::http::Method;
use harness::pipeline::Pipeline;
use harness::sender::Mix;
use harness::stack::Stack;
use indexer::config::Strategy;
use rand::RngExt;
use serde_json::json;
use tokio::time::{Instant, sleep_until};

const EVENTS: u64 = 10_000;
const PER_SECOND: u32 = 1_000;
const ROLLOVER: Duration = Duration::from_millis(700);
/// This is less than a config file may set, and less than a server needs for a rollover.
const MARGIN: Duration = Duration::from_millis(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollover_longer_than_the_margin_leaves_one_document_per_event() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "slow-rollover").await?;
    pipeline.config.elasticsearch.strategy = Strategy::DataStream;
    pipeline.config.elasticsearch.placement.margin = MARGIN;
    // There are many requests, so that some are in flight during each rollover.
    pipeline.config.indexer.batch.max_age = Duration::from_millis(20);
    let indexer = pipeline.indexer().await?;
    let mix = Mix::good(Events::new(rand::rng().random(), now()));
    let mut feed = pipeline.feed(mix);
    feed.per_second = Some(PER_SECOND);
    let feeding = tokio::spawn(async move { feed.write(0..EVENTS).await });
    let begin = Instant::now();
    let path = format!("{}/_rollover", pipeline.config.elasticsearch.index_name);
    for turn in 1_u32.. {
        sleep_until(begin + ROLLOVER * turn).await;
        if feeding.is_finished() {
            eprintln!("{} rollovers", turn - 1);
            break;
        }
        pipeline.search.call(Method::POST, &path, &json!({})).await?;
    }
    feeding.await??;
    pipeline.delivered_exactly(&mix.indexable(&(0..EVENTS).collect::<Vec<_>>())).await?;
    let stream = format!("_data_stream/{}", pipeline.config.elasticsearch.index_name);
    pipeline.search.call(Method::DELETE, &stream, &serde_json::Value::Null).await?;
    indexer.stop().await
}

harness::on_opensearch! {
    a_rollover_longer_than_the_margin_leaves_one_document_per_event,
}
