//! An Elasticsearch with a far too small write queue answers about half of the documents with 429. All are indexed in
//! the end, no successful one is sent again, and the indexer finds out how much may be in flight.
//!
//! `PENSTOCK_FULL_QUEUE_EVENTS` sets the number of events; a million shows that memory does not grow with it.

use anyhow::Result;
use harness::event::Events;
use harness::eventually::patience;
use harness::http::{self, Method};
use harness::indexer_process::IndexerProcess;
use harness::pipeline::Pipeline;
use harness::process;
use harness::proxy::{Proxy, Seen};
use harness::sender::Mix;
use harness::size;
use harness::stack::OwnStack;
use serde_json::json;
use tokio_util::sync::CancellationToken;

/// One thread writes, and one request may wait for it. Further requests are refused.
const SMALL_QUEUE: &str = "-E thread_pool.write.size=1 -E thread_pool.write.queue_size=1";
/// A bulk request is split over these shards, so that a part of it is refused.
const SHARDS: u32 = 4;
/// The most memory of the indexer in addition to `indexer.max_in_flight_bytes`: code, stacks, Kafka's prefetch.
const BESIDE: u64 = 96 << 20;

/// The concurrency limits that were observed over time.
#[derive(Debug, Default)]
struct Limits(Vec<u64>);

impl Limits {
    /// Observes the limit until `stop`, and remembers each change.
    async fn watch(indexer: &IndexerProcess, stop: CancellationToken) -> Self {
        let mut limits = Self::default();
        while !stop.is_cancelled() {
            // If the indexer is busy, the next request will succeed.
            if let Ok(limit) = indexer.metric("penstock_indexer_concurrency_limit").await {
                limits.note(limit as u64);
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        limits
    }

    fn note(&mut self, limit: u64) {
        if self.0.last() != Some(&limit) {
            self.0.push(limit);
        }
    }

    fn went(&self, which: fn(u64, u64) -> bool) -> bool {
        self.0.windows(2).any(|pair| which(pair[0], pair[1]))
    }
}

fn share_of_refusals(seen: &Seen) -> f64 {
    let all: u64 = seen.answers.values().sum();
    seen.answers.get(&429).copied().unwrap_or(0) as f64 / all.max(1) as f64
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_documents_that_elasticsearch_refused_are_sent_again() -> Result<()> {
    let events = size::number("PENSTOCK_FULL_QUEUE_EVENTS", 30_000)?;
    process::build().await?;
    let elasticsearch = OwnStack::elasticsearch("full-queue", &[("ES_EXTRA", SMALL_QUEUE)]).await?;
    let mut pipeline = Pipeline::new(&elasticsearch.stack, "full-queue").await?;
    let name = pipeline.config.elasticsearch.index_name.clone();
    let template = json!({
        "index_patterns": [format!("{name}*")], "priority": 1_000,
        "template": {"settings": {"number_of_shards": SHARDS}},
    });
    let url = format!("{}/_index_template/{name}", elasticsearch.stack.elasticsearch_url());
    http::json(Method::PUT, &url, &template).await?;
    let proxy = Proxy::start(&elasticsearch.stack.elasticsearch_url(), Box::new(|_, _| None)).await?;
    pipeline.config.elasticsearch.url = proxy.url();
    pipeline.config.indexer.max_in_flight_requests = 8;
    pipeline.config.indexer.batch.max_documents = 5_000;

    let mix = Mix::good(Events::unique());
    pipeline.feed(mix).write(0..events).await?;
    let indexer = IndexerProcess::start(&pipeline, 0)?;
    let stop = CancellationToken::new();
    let (limits, committed) = tokio::join!(Limits::watch(&indexer, stop.clone()), async {
        let committed = pipeline.all_committed_within(patience() * 10).await;
        stop.cancel();
        committed
    });
    committed?;

    let (seen, peak) = (proxy.seen(), indexer.usage()?.peak_bytes);
    eprintln!(
        "{events} events: {:.0} % of the answers were 429 ({:?}); limits {:?}; peak {} MiB",
        share_of_refusals(&seen) * 100.0,
        seen.answers,
        limits.0,
        peak >> 20
    );
    pipeline.delivered_exactly(&mix.indexable(&(0..events).collect::<Vec<_>>())).await?;
    assert_eq!(seen.again, Vec::<String>::new(), "a document that had succeeded was sent again");
    assert!(share_of_refusals(&seen) > 0.05, "the queue was not too small: {:?}", seen.answers);
    assert!(limits.went(|before, after| after < before), "the limit never went down: {limits:?}");
    assert!(limits.went(|before, after| after > before), "the limit never went up: {limits:?}");
    let bound = pipeline.config.indexer.max_in_flight_bytes.as_u64() + BESIDE;
    assert!(peak < bound, "{} MiB are more than {} MiB", peak >> 20, bound >> 20);
    assert_eq!(pipeline.kafka.count(&pipeline.config.kafka.dead_letter_topic).await?, 0);
    indexer.stop().await
}
