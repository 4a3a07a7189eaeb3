//! The rows of the table of bulk answers (`docs/refusals.md`) that the real Elasticsearch can be made to show, on both
//! major versions. They differ: version 9 answers a full write queue per item, version 8 per request.
//!
//! Each version has one Elasticsearch with a small write queue and a small body limit. Each row is a pipeline of its
//! own on it.

use anyhow::{Context, Result};
use harness::event::{Event, Events};
use harness::eventually::eventually;
use harness::http::Method;
use harness::indexer_process::IndexerProcess;
use harness::kafka::{Raw, Record};
use harness::pipeline::Pipeline;
use harness::process;
use harness::proxy::Proxy;
use harness::sender::{Flaw, Mix};
use harness::stack::{OwnStack, Part};
use indexer::config::Strategy;
use registry::wire::{SchemaId, frame};
use serde_json::{Value, json};

const LIMITS: &str = "-E thread_pool.write.size=1 -E thread_pool.write.queue_size=1 -E http.max_content_length=1mb";
const INDEXED: &str = r#"penstock_indexer_documents_total{outcome="indexed"}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_table_of_bulk_answers_holds_on_elasticsearch_8() -> Result<()> {
    rows("8.19.21").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_table_of_bulk_answers_holds_on_elasticsearch_9() -> Result<()> {
    rows("9.5.3").await
}

async fn rows(version: &str) -> Result<()> {
    process::build().await?;
    let name = format!("rows-{}", &version[..1]);
    let elasticsearch = OwnStack::elasticsearch(&name, &[("ES_VERSION", version), ("ES_EXTRA", LIMITS)]).await?;
    let row = |what: &'static str| Row::new(&elasticsearch, what);
    a_full_write_queue_is_waited_out(row("429").await?).await.context("429")?;
    a_bulk_body_that_is_too_large_is_split(row("413").await?).await.context("413")?;
    a_document_that_the_mapping_refuses_is_a_dead_letter(row("400").await?).await.context("400")?;
    a_document_that_is_there_is_a_duplicate(row("409").await?).await.context("409")?;
    blocks_pause_until_they_are_gone(row("403").await?).await.context("403")?;
    a_deleted_index_is_created_again(row("404").await?).await.context("404")?;
    the_indexer_waits_for_an_elasticsearch_that_dies(row("503").await?, &elasticsearch).await.context("connection")
}

/// A pipeline with a recording proxy before Elasticsearch.
struct Row {
    pipeline: Pipeline,
    proxy: Proxy,
    mix: Mix,
}

impl Row {
    async fn new(elasticsearch: &OwnStack, what: &str) -> Result<Self> {
        let mut pipeline = Pipeline::new(&elasticsearch.stack, &format!("row-{what}")).await?;
        let proxy = Proxy::start(&elasticsearch.stack.elasticsearch_url(), Box::new(|_, _| None)).await?;
        pipeline.config.elasticsearch.url = proxy.url();
        pipeline.config.elasticsearch.strategy = Strategy::Single;
        Ok(Self { pipeline, proxy, mix: Mix::good(Events::unique()) })
    }

    fn index(&self) -> &str {
        &self.pipeline.config.elasticsearch.index_name
    }

    async fn call(&self, method: Method, path: &str, body: &Value) -> Result<Value> {
        self.pipeline.search.call(method, path, body).await
    }

    /// Appends a record to the topic.
    async fn produce(&self, key: &str, datum: &[u8]) -> Result<()> {
        let value = [frame(SchemaId(self.pipeline.schema_id)).as_slice(), datum].concat();
        let raw = Raw { partition: 0, key: Some(key.as_bytes().to_vec()), value: Some(value), timestamp: None };
        self.pipeline.kafka.produce(&self.pipeline.config.kafka.topic, &[raw]).await.map(drop)
    }

    /// Waits until all is settled, and checks that the events below `count` are indexed exactly once.
    async fn all_there(&self, count: u64) -> Result<()> {
        self.pipeline.delivered_exactly(&self.mix.indexable(&(0..count).collect::<Vec<_>>())).await
    }

    async fn dead_letters(&self) -> Result<Vec<Record>> {
        self.pipeline.kafka.read_all(&self.pipeline.config.kafka.dead_letter_topic).await
    }

    fn answers(&self, status: u16) -> u64 {
        self.proxy.seen().answers.get(&status).copied().unwrap_or(0)
    }
}

async fn a_full_write_queue_is_waited_out(mut row: Row) -> Result<()> {
    const EVENTS: u64 = 5_000;
    let template = json!({
        "index_patterns": [format!("{}*", row.index())], "priority": 1_000,
        "template": {"settings": {"number_of_shards": 4}},
    });
    row.call(Method::PUT, &format!("_index_template/{}", row.index()), &template).await?;
    row.pipeline.feed(row.mix).write(0..EVENTS).await?;
    row.pipeline.config.indexer.max_in_flight_requests = 8;
    let indexer = IndexerProcess::start(&row.pipeline, 0)?;
    row.all_there(EVENTS).await?;
    assert!(row.answers(429) > 0, "the queue was never full: {:?}", row.proxy.seen().answers);
    assert_eq!(row.proxy.seen().again, Vec::<String>::new());
    assert_eq!(row.dead_letters().await?, []);
    indexer.stop().await
}

async fn a_bulk_body_that_is_too_large_is_split(mut row: Row) -> Result<()> {
    const EVENTS: u64 = 10_000;
    row.pipeline.feed(row.mix).write(0..EVENTS).await?;
    // Each control character takes six bytes in JSON, so what fits into Kafka is too large for Elasticsearch.
    let large = Event { metadata: vec![("large".to_owned(), "\u{1}".repeat(300_000))], ..row.mix.events.event(EVENTS) };
    row.produce(&large.event_id, &large.encode()).await?;
    row.pipeline.config.indexer.batch.max_documents = 20_000;
    let indexer = IndexerProcess::start(&row.pipeline, 0)?;
    row.all_there(EVENTS).await?;
    assert!(row.answers(413) > 1, "no body was too large: {:?}", row.proxy.seen().answers);
    let dead = row.dead_letters().await?;
    let status = dead.first().and_then(|record| record.header("dl.http-status"));
    assert_eq!((dead.len(), status), (1, Some("413")), "{:?}", dead.first().map(|record| &record.headers));
    assert_eq!(dead[0].key.as_deref(), Some(large.event_id.as_bytes()));
    indexer.stop().await
}

async fn a_document_that_the_mapping_refuses_is_a_dead_letter(row: Row) -> Result<()> {
    const EVENTS: u64 = 500;
    let mix = Mix { flawed_every: 10, flaws: &[Flaw::Unmappable], ..row.mix };
    row.pipeline.feed(mix).write(0..EVENTS).await?;
    let indexer = IndexerProcess::start(&row.pipeline, 0)?;
    row.pipeline.delivered_exactly(&mix.indexable(&(0..EVENTS).collect::<Vec<_>>())).await?;
    let dead = row.dead_letters().await?;
    assert_eq!(dead.len() as u64, EVENTS / 10);
    for record in &dead {
        assert_eq!(record.header("dl.http-status"), Some("400"));
        assert_eq!(record.header("dl.error-type"), Some("document_parsing_exception"));
        assert_eq!(record.header("dl.attempts"), Some("1"));
    }
    indexer.stop().await
}

async fn a_document_that_is_there_is_a_duplicate(mut row: Row) -> Result<()> {
    const EVENTS: u64 = 500;
    row.pipeline.feed(row.mix).write(0..EVENTS).await?;
    let indexer = IndexerProcess::start(&row.pipeline, 0)?;
    row.all_there(EVENTS).await?;
    indexer.stop().await?;
    row.pipeline.config.indexer.group_id.push_str("-again");
    let indexer = IndexerProcess::start(&row.pipeline, 1)?;
    row.all_there(EVENTS).await?;
    assert_eq!((row.answers(201), row.answers(409)), (EVENTS, EVENTS));
    assert_eq!(indexer.metric(r#"penstock_indexer_documents_total{outcome="duplicate"}"#).await?, EVENTS as f64);
    indexer.stop().await
}

/// The blocks that an operator or a full disk sets on an index, how each is removed, and the word for it.
const BLOCKS: [(&str, &str, &str); 3] = [
    (r#"{"index.blocks.write": true}"#, r#"{"index.blocks.write": null}"#, "index_block"),
    (
        r#"{"index.blocks.read_only_allow_delete": true}"#,
        r#"{"index.blocks.read_only_allow_delete": null}"#,
        "index_block",
    ),
    ("_close", "_open", "closed_index"),
];

async fn blocks_pause_until_they_are_gone(row: Row) -> Result<()> {
    const EVENTS: u64 = 100;
    let indexer = IndexerProcess::start(&row.pipeline, 0)?;
    indexer.ready().await?;
    for (number, (block, unblock, word)) in (0..).zip(BLOCKS) {
        change(&row, block).await?;
        row.pipeline.feed(row.mix).write(number * EVENTS..(number + 1) * EVENTS).await?;
        eventually("the block is reported", || async {
            let unready = indexer.unready().await?;
            anyhow::ensure!(unready.contains(word) && unready.contains(row.index()), "{block}: {unready:?}");
            Ok(())
        })
        .await?;
        change(&row, unblock).await?;
        row.all_there((number + 1) * EVENTS).await.context(block)?;
        indexer.ready().await?;
    }
    assert_eq!(row.dead_letters().await?, []);
    indexer.stop().await
}

/// Changes the settings of the index, or opens or closes it.
async fn change(row: &Row, what: &str) -> Result<()> {
    match what.starts_with('_') {
        true => row.call(Method::POST, &format!("{}/{what}", row.index()), &Value::Null).await?,
        false => row.call(Method::PUT, &format!("{}/_settings", row.index()), &serde_json::from_str(what)?).await?,
    };
    Ok(())
}

async fn a_deleted_index_is_created_again(row: Row) -> Result<()> {
    const EVENTS: u64 = 100;
    let indexer = IndexerProcess::start(&row.pipeline, 0)?;
    indexer.ready().await?;
    row.call(Method::DELETE, row.index(), &Value::Null).await?;
    row.pipeline.feed(row.mix).write(0..EVENTS).await?;
    row.all_there(EVENTS).await?;
    let mapping = row.call(Method::GET, &format!("{}/_mapping", row.index()), &Value::Null).await?;
    let metadata = &mapping[row.index()]["mappings"]["properties"]["metadata"]["type"];
    assert_eq!(metadata, "flattened", "the mapping is ours again: {mapping}");
    indexer.stop().await
}

async fn the_indexer_waits_for_an_elasticsearch_that_dies(row: Row, elasticsearch: &OwnStack) -> Result<()> {
    const EVENTS: u64 = 5_000;
    let indexer = IndexerProcess::start(&row.pipeline, 0)?;
    indexer.ready().await?;
    let mut feed = row.pipeline.feed(row.mix);
    feed.per_second = Some(1_000);
    let feeding = tokio::spawn(async move { feed.write(0..EVENTS).await });
    eventually("documents are indexed", || async {
        anyhow::ensure!(indexer.metric(INDEXED).await? > 0.0, "none is");
        Ok(())
    })
    .await?;
    elasticsearch.kill(Part::Elasticsearch).await?;
    elasticsearch.start_again(Part::Elasticsearch).await?;
    feeding.await??;
    row.all_there(EVENTS).await?;
    assert_eq!(row.dead_letters().await?, []);
    indexer.stop().await
}
