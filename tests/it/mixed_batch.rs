//! One bulk request whose documents are answered 201, 409, 400, 429 and 503. Each document is handled by its own
//! answer, and the offset moves only when the last document is settled.
//!
//! The answers 201, 409 and 400 come from the real Elasticsearch. A proxy gives 429 and 503, because the real one
//! cannot be made to give them for selected documents.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use harness::event::Events;
use harness::eventually::eventually;
use harness::kafka::Raw;
use harness::pipeline::{Pipeline, Service, metric};
use harness::proxy::Proxy;
use harness::sender::{Flaw, Mix};
use harness::stack::Stack;
use registry::wire::{SchemaId, frame};

const DOCUMENTS: u64 = 500;

/// The answers to the documents, in turn, and the result for each.
const ROWS: [(u16, Fate); 5] =
    [(201, Fate::Indexed), (409, Fate::Duplicate), (400, Fate::DeadLetter), (429, Fate::Indexed), (503, Fate::Indexed)];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Indexed,
    Duplicate,
    DeadLetter,
}

fn row(number: u64) -> (u16, Fate) {
    ROWS[usize::try_from(number).unwrap_or(0) % ROWS.len()]
}

/// The records of the batch, with the numbers of their events in the order of [`ROWS`].
struct Batch {
    good: Mix,
    records: Vec<Raw>,
}

impl Batch {
    fn new(schema_id: u32) -> Self {
        let good = Mix::good(Events::unique());
        let bad = Mix { flawed_every: 1, flaws: &[Flaw::Unmappable], ..good };
        let record = |number| {
            let mix = if row(number).1 == Fate::DeadLetter { bad } else { good };
            let value = [frame(SchemaId(schema_id)).as_slice(), &mix.body(number)].concat();
            Raw { partition: 0, key: Some(good.events.id(number).into_bytes()), value: Some(value), timestamp: None }
        };
        Self { good, records: (0..DOCUMENTS).map(record).collect() }
    }

    fn ids(&self, which: impl Fn(u64) -> bool) -> HashSet<String> {
        (0..DOCUMENTS).filter(|number| which(*number)).map(|number| self.good.events.id(number)).collect()
    }

    fn records(&self, status: u16) -> Vec<Raw> {
        let numbered = (0..).zip(&self.records);
        numbered.filter(|(number, _)| row(*number).0 == status).map(|(_, record)| record.clone()).collect()
    }

    /// Starts a proxy that answers 429 and 503 for those documents until it is released.
    async fn proxy(&self, upstream: &str, released: Arc<AtomicBool>) -> Result<Proxy> {
        let [overloaded, failing] = [429, 503].map(|status| self.ids(|number| row(number).0 == status));
        let script = move |id: &str, _: u32| {
            let status = if overloaded.contains(id) { Some(429) } else { failing.contains(id).then_some(503) };
            status.filter(|_| !released.load(Ordering::SeqCst))
        };
        Proxy::start(upstream, Box::new(script)).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mixed_batch_settles_each_document_and_commits_after_the_last() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "mixed-batch").await?;
    let batch = Batch::new(pipeline.schema_id);
    let topic = pipeline.config.kafka.topic.clone();

    // The future duplicates are indexed first.
    pipeline.kafka.produce(&topic, &batch.records(409)).await?;
    let first = pipeline.indexer().await?;
    pipeline.all_committed().await?;
    first.stop().await?;
    let before = i64::try_from(batch.records(409).len())?;

    pipeline.kafka.produce(&topic, &batch.records).await?;
    let released = Arc::new(AtomicBool::new(false));
    let proxy = batch.proxy(&pipeline.config.elasticsearch.url, Arc::clone(&released)).await?;
    pipeline.config.elasticsearch.url = proxy.url();
    pipeline.config.indexer.batch.max_documents = usize::try_from(DOCUMENTS)?;
    // The batch is full long before this age. Another test checks when the breaker opens.
    pipeline.config.indexer.batch.max_age = Duration::from_secs(30);
    pipeline.config.indexer.retry.max_retries = 1_000_000;
    let indexer = pipeline.indexer().await?;
    eventually("the held documents were sent again and again", || async {
        let requests = proxy.seen().requests;
        anyhow::ensure!(requests.len() >= 4, "{requests:?}");
        Ok(())
    })
    .await?;
    let committed = pipeline.kafka.committed(&pipeline.config.indexer.group_id, &topic).await?[&0];
    // The fourth document of the batch is the first unsettled one, and a batch commits as a whole.
    assert_eq!(committed, Some(before), "the offset is past a document that is not settled");
    let requests = proxy.seen().requests;
    assert_eq!(requests[0], batch.records.len(), "all in one request");
    assert!(requests[1..].iter().all(|documents| *documents <= 200), "only what failed is sent again: {requests:?}");

    released.store(true, Ordering::SeqCst);
    pipeline.delivered_exactly(&batch.ids(|number| row(number).1 != Fate::DeadLetter)).await?;
    let committed = pipeline.kafka.committed(&pipeline.config.indexer.group_id, &topic).await?[&0];
    assert_eq!(committed, Some(before + i64::try_from(DOCUMENTS)?));
    each_has_its_fate(&pipeline, &batch, &proxy, &indexer).await?;
    indexer.stop().await
}

async fn each_has_its_fate(pipeline: &Pipeline, batch: &Batch, proxy: &Proxy, indexer: &Service) -> Result<()> {
    let dead = pipeline.kafka.read_all(&pipeline.config.kafka.dead_letter_topic).await?;
    let keys: HashSet<String> = dead.iter().filter_map(|record| String::from_utf8(record.key.clone()?).ok()).collect();
    assert_eq!(dead.len(), 100);
    assert_eq!(keys, batch.ids(|number| row(number).1 == Fate::DeadLetter));

    let seen = proxy.seen();
    assert_eq!(seen.again, Vec::<String>::new(), "nothing that had succeeded is sent again");
    assert_eq!((seen.answers[&201], seen.answers[&409], seen.answers[&400]), (300, 100, 100), "{:?}", seen.answers);
    for (outcome, fate) in [("indexed", Fate::Indexed), ("duplicate", Fate::Duplicate), ("refused", Fate::DeadLetter)] {
        let sample = format!("penstock_indexer_documents_total{{outcome={outcome:?}}}");
        let expected = batch.ids(|number| row(number).1 == fate).len() as f64;
        assert_eq!(metric(&indexer.admin_url(), &sample).await?, expected, "{sample}");
    }
    Ok(())
}

harness::on_opensearch! {
    a_mixed_batch_settles_each_document_and_commits_after_the_last,
}
