//! The index becomes read-only while events arrive. Indexing pauses, gives the reason, and continues by itself once an
//! operator has fixed it.
//!
//! `PENSTOCK_READ_ONLY_SECONDS` sets the duration.

use anyhow::Result;
use harness::event::Events;
use harness::eventually::eventually;
use harness::http::{self, Method};
use harness::pipeline::{Pipeline, metric};
use harness::sender::Mix;
use harness::size;
use harness::stack::Stack;
use serde_json::{Value, json};

const PER_SECOND: u32 = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_index_pauses_with_a_reason_and_loses_nothing() -> Result<()> {
    let read_only = size::seconds("PENSTOCK_READ_ONLY_SECONDS", 5)?;
    let pipeline = Pipeline::new(&Stack::running()?, "read-only").await?;
    let indexer = pipeline.indexer().await?;
    let mix = Mix::good(Events::unique());
    let events = u64::from(PER_SECOND) * (read_only.as_secs() + 10);
    let mut feed = pipeline.feed(mix);
    feed.per_second = Some(PER_SECOND);
    let feeding = tokio::spawn(async move { feed.write(0..events).await });

    let indexed = || metric_of(&indexer, r#"penstock_indexer_documents_total{outcome="indexed"}"#);
    eventually("events are being indexed", || async {
        anyhow::ensure!(indexed().await? > 0.0, "none is");
        Ok(())
    })
    .await?;
    block(&pipeline, true).await?;
    let index = &pipeline.config.elasticsearch.index_name;
    eventually("the indexer says that the index is blocked", || async {
        let answer = http::get(&format!("{}/readyz", indexer.admin_url())).await?;
        let text = answer.text();
        let reason = text.lines().find(|line| line.starts_with("elasticsearch: ")).unwrap_or_default();
        let reported =
            ["index_block", "cluster_block_exception", index.as_str()].iter().all(|word| reason.contains(word));
        anyhow::ensure!(answer.status == 503 && reported, "{}: {text}", answer.status);
        Ok(())
    })
    .await?;
    assert_eq!(metric_of(&indexer, r#"penstock_indexer_blocked{reason="index_block"}"#).await?, 1.0);
    let before = indexed().await?;
    // This is the outage itself, not a wait for a condition.
    tokio::time::sleep(read_only).await;
    assert_eq!(indexed().await?, before, "something was indexed into a read-only index");

    block(&pipeline, false).await?;
    feeding.await??;
    pipeline.delivered_exactly(&mix.indexable(&(0..events).collect::<Vec<_>>())).await?;
    assert_eq!(pipeline.kafka.count(&pipeline.config.kafka.dead_letter_topic).await?, 0);
    assert_eq!(http::get(&format!("{}/readyz", indexer.admin_url())).await?.status, 200);
    indexer.stop().await
}

async fn metric_of(indexer: &harness::pipeline::Service, sample: &str) -> Result<f64> {
    metric(&indexer.admin_url(), sample).await
}

/// Makes the index read-only, or writable again. The block is complete when no write is in flight any more
/// (Elasticsearch reference, "Add index block").
async fn block(pipeline: &Pipeline, read_only: bool) -> Result<()> {
    let index = &pipeline.config.elasticsearch.index_name;
    if read_only {
        pipeline.search.call(Method::PUT, &format!("{index}/_block/write"), &Value::Null).await?;
    } else {
        pipeline.search.call(Method::PUT, &format!("{index}/_settings"), &json!({"index.blocks.write": false})).await?;
    }
    Ok(())
}

harness::on_opensearch! {
    a_read_only_index_pauses_with_a_reason_and_loses_nothing,
}
