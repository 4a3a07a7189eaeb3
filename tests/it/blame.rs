//! Blame follows evidence (P5). A document becomes a dead letter only while others of its index are accepted. An index
//! that refuses all documents blocks its topic, with a reason, and loses nothing.
//!
//! The local Elasticsearch lacks the ingest processors, so it cannot be made to refuse a single document for some
//! reasons. A proxy answers for it: a status 500 like that of the processor `fail`.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use harness::event::Events;
use harness::eventually::eventually;
use harness::http::Method;
use harness::indexer_process::IndexerProcess;
use harness::kafka::Raw;
use harness::pipeline::Pipeline;
use harness::process;
use harness::proxy::Proxy;
use harness::sender::Mix;
use harness::stack::Stack;
use indexer::config::{Strategy, Topic};
use registry::wire::{SchemaId, frame};
use serde_json::{Value, json};

/// A pipeline whose indexer is a process.
pub(crate) struct Scene {
    pub(crate) pipeline: Pipeline,
    mix: Mix,
}

impl Scene {
    pub(crate) async fn new(name: &str, strategy: Strategy) -> Result<Self> {
        process::build().await?;
        let mut pipeline = Pipeline::new(&Stack::running()?, name).await?;
        pipeline.config.elasticsearch.strategy = strategy;
        Ok(Self { pipeline, mix: Mix::good(Events::unique()) })
    }

    fn index(&self) -> &str {
        &self.pipeline.config.elasticsearch.index_name
    }

    pub(crate) fn ids(&self, numbers: impl IntoIterator<Item = u64>) -> HashSet<String> {
        numbers.into_iter().map(|number| self.mix.events.id(number)).collect()
    }

    /// Writes these events to partition 0, in order.
    pub(crate) async fn produce(&self, numbers: impl IntoIterator<Item = u64>) -> Result<()> {
        let record = |number| {
            let value = [frame(SchemaId(self.pipeline.schema_id)).as_slice(), &self.mix.body(number)].concat();
            Raw { key: Some(self.mix.events.id(number).into_bytes()), value: Some(value), ..Raw::default() }
        };
        let records: Vec<Raw> = numbers.into_iter().map(record).collect();
        self.pipeline.kafka.produce(&self.pipeline.config.kafka.topic, &records).await.map(drop)
    }

    /// Starts a proxy before Elasticsearch that answers 500 for these events.
    async fn refuse(&mut self, numbers: impl IntoIterator<Item = u64>) -> Result<Proxy> {
        let answers: Vec<(u64, u16)> = numbers.into_iter().map(|number| (number, 500)).collect();
        self.answer(&answers).await
    }

    /// Starts a proxy before Elasticsearch that answers for these events itself, with a status for each.
    pub(crate) async fn answer(&mut self, answers: &[(u64, u16)]) -> Result<Proxy> {
        let answers: HashMap<String, u16> =
            answers.iter().map(|(number, status)| (self.mix.events.id(*number), *status)).collect();
        let script = move |id: &str, _: u32| answers.get(id).copied();
        let proxy = Proxy::start(&self.pipeline.config.elasticsearch.url, Box::new(script)).await?;
        self.pipeline.config.elasticsearch.url = proxy.url();
        Ok(proxy)
    }

    pub(crate) async fn start(&self) -> Result<IndexerProcess> {
        let member = IndexerProcess::start(&self.pipeline, 0)?;
        member.ready().await?;
        Ok(member)
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> Result<Value> {
        self.pipeline.search.call(method, path, &body).await
    }

    /// Returns the keys of the dead letters, with error type and status.
    pub(crate) async fn dead(&self) -> Result<Vec<(String, String, String)>> {
        let letters = self.pipeline.kafka.read_all(&self.pipeline.config.kafka.dead_letter_topic).await?;
        let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
        let read = letters.iter().map(|letter| {
            let key = String::from_utf8(letter.key.clone().unwrap_or_default()).unwrap_or_default();
            (key, text(letter.header("dl.error-type")), text(letter.header("dl.http-status")))
        });
        Ok(read.collect())
    }

    /// Waits until the indexer says that it is blocked, with all of `words`.
    async fn blocked(&self, member: &IndexerProcess, words: &[&str]) -> Result<()> {
        eventually("the indexer says that the index is at fault", || async {
            let unready = member.unready().await?;
            let is_reported =
                unready.contains("elasticsearch: blocked") && words.iter().all(|word| unready.contains(word));
            anyhow::ensure!(is_reported, "{unready:?}");
            Ok(())
        })
        .await
    }
}

/// The order is `a`, `bad`, `b`, then four more bad documents, each in a request of its own, and nothing after them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_at_fault_become_dead_letters_and_hold_nothing_up() -> Result<()> {
    let mut scene = Scene::new("blame-500", Strategy::Rollover).await?;
    let _proxy = scene.refuse([1, 3, 4, 5, 6]).await?;
    scene.pipeline.config.indexer.batch.max_documents = 1;
    scene.pipeline.config.indexer.max_in_flight_requests = 1;
    let member = scene.start().await?;
    scene.produce(0..7).await?;
    scene.pipeline.delivered_exactly(&scene.ids([0, 2])).await?;
    let dead = scene.dead().await?;
    assert_eq!(dead.iter().map(|(key, ..)| key.clone()).collect::<HashSet<_>>(), scene.ids([1, 3, 4, 5, 6]));
    assert!(dead.iter().all(|(_, error_type, status)| error_type == "scripted" && status == "500"), "{dead:?}");
    member.ready().await?;
    member.stop().await
}

/// As at a failing shard, or at an ingest processor that is overloaded. With one batch in flight at a time, the first of
/// these documents would stop the topic. In the second run, it is the first document of all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_that_fail_each_time_for_now_hold_nothing_up() -> Result<()> {
    const EVENTS: u64 = 30;
    let runs =
        [("blame-transient", 10, vec![(1_u64, 429_u16), (12, 503)]), ("blame-transient-first", 1, vec![(0, 503)])];
    for (name, max_documents, stuck) in runs {
        let mut scene = Scene::new(name, Strategy::Rollover).await?;
        let released = Arc::new(AtomicBool::new(false));
        let answers: HashMap<String, u16> =
            stuck.iter().map(|(number, status)| (scene.mix.events.id(*number), *status)).collect();
        let over = Arc::clone(&released);
        let script = move |id: &str, _: u32| answers.get(id).copied().filter(|_| !over.load(Ordering::SeqCst));
        let proxy = Proxy::start(&scene.pipeline.config.elasticsearch.url, Box::new(script)).await?;
        scene.pipeline.config.elasticsearch.url = proxy.url();
        scene.pipeline.config.indexer.batch.max_documents = max_documents;
        scene.pipeline.config.indexer.max_in_flight_requests = 1;
        let member = scene.start().await?;
        scene.produce(0..EVENTS).await?;
        eventually("the others are indexed", || async {
            let indexed = scene.pipeline.search.count(scene.index()).await?;
            anyhow::ensure!(indexed == EVENTS - stuck.len() as u64, "{indexed}");
            Ok(())
        })
        .await?;
        released.store(true, Ordering::SeqCst);
        scene.pipeline.delivered_exactly(&scene.ids(0..EVENTS)).await?;
        assert_eq!(scene.dead().await?, []);
        member.ready().await?;
        member.stop().await?;
    }
    Ok(())
}

/// Each topic has one bad document, and sends one request at a time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_document_holds_up_no_topic() -> Result<()> {
    const GOOD: u64 = 50;
    let mut scenes = Vec::new();
    for number in 0..4 {
        scenes.push(Scene::new(&format!("blame-topics-{number}"), Strategy::Single).await?);
    }
    let bad: HashSet<String> = scenes.iter().flat_map(|scene| scene.ids([0])).collect();
    let script = move |id: &str, _: u32| bad.contains(id).then_some(500);
    let proxy = Proxy::start(&scenes[0].pipeline.config.elasticsearch.url, Box::new(script)).await?;
    let topics: Vec<String> = scenes.iter().map(|scene| scene.pipeline.config.kafka.topic.clone()).collect();
    let group = scenes[0].pipeline.config.indexer.group_id.clone();
    let letters = scenes[0].pipeline.config.kafka.dead_letter_topic.clone();
    for scene in &mut scenes {
        let config = &mut scene.pipeline.config;
        config.elasticsearch.url = proxy.url();
        config.indexer.group_id.clone_from(&group);
        config.kafka.dead_letter_topic.clone_from(&letters);
        config.indexer.batch.max_documents = 10;
        config.indexer.topics = topics.iter().map(|topic| (topic.clone(), Topic::default())).collect();
    }
    let member = scenes[0].start().await?;
    for scene in &scenes {
        scene.produce(0..=GOOD).await?;
    }
    for scene in &scenes {
        scene.pipeline.delivered_exactly(&scene.ids(1..=GOOD)).await?;
    }
    assert_eq!(scenes[0].dead().await?.len(), 4);
    member.stop().await
}

/// No other document has arrived since the start, so there is no comparison. The document waits and is reported until
/// there is one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_evidence_a_document_waits_and_is_reported() -> Result<()> {
    let mut scene = Scene::new("blame-alone", Strategy::Single).await?;
    let topic = scene.pipeline.config.kafka.topic.clone();
    let proxy = scene.refuse([0]).await?;
    let member = scene.start().await?;
    scene.produce([0]).await?;
    let sample = |name: &str| format!("penstock_indexer_doubtful_{name}{{topic={topic:?}}}");
    eventually("the document has been undecided for a while", || async {
        let (documents, age) =
            (member.metric(&sample("documents")).await?, member.metric(&sample("oldest_seconds")).await?);
        anyhow::ensure!(documents == 1.0 && age > 15.0, "{documents} documents for {age} s");
        Ok(())
    })
    .await?;
    assert_eq!(scene.dead().await?, []);
    assert!(proxy.seen().requests.len() > 5, "it is tried again and again");
    scene.produce([1]).await?;
    scene.pipeline.delivered_exactly(&scene.ids([1])).await?;
    assert_eq!(scene.dead().await?.len(), 1);
    eventually("nothing is in doubt any more", || async {
        anyhow::ensure!(member.metric(&sample("documents")).await? == 0.0, "it is");
        Ok(())
    })
    .await?;
    member.stop().await
}

/// During a reindex swap, the alias leads to two indices for a while and has no write index.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alias_without_a_write_index_blocks_and_loses_nothing() -> Result<()> {
    const EVENTS: u64 = 100;
    let scene = Scene::new("blame-alias", Strategy::Single).await?;
    let name = scene.index();
    let [old, new] = ["v1", "v2"].map(|version| format!("{name}-{version}"));
    let member = scene.start().await?;
    let mapping = scene.call(Method::GET, &format!("{name}/_mapping"), Value::Null).await?;
    member.stop().await?;
    let mapping = json!({"mappings": mapping[name]["mappings"]});
    scene.call(Method::DELETE, name, Value::Null).await?;
    scene.call(Method::PUT, &old, mapping.clone()).await?;
    scene.call(Method::PUT, &new, mapping).await?;
    let change = |action: &str, index: &str| json!({"actions": [{action: {"index": index, "alias": name}}]});
    scene.call(Method::POST, "_aliases", change("add", &old)).await?;
    let member = scene.start().await?;
    scene.produce([0]).await?;
    scene.pipeline.delivered_exactly(&scene.ids([0])).await?;

    scene.call(Method::POST, "_aliases", change("add", &new)).await?;
    scene.produce(1..=EVENTS).await?;
    scene.blocked(&member, &["illegal_argument_exception", name]).await?;
    let topic = &scene.pipeline.config.kafka.topic;
    let sample = format!("penstock_indexer_blocked{{reason=\"refused\",topic={topic:?}}}");
    assert_eq!(member.metric(&sample).await?, 1.0);
    scene.call(Method::POST, "_aliases", change("remove", &old)).await?;
    scene.pipeline.delivered_exactly(&scene.ids(1..=EVENTS)).await?;
    assert_eq!(scene.dead().await?, []);
    member.ready().await?;
    member.stop().await
}

/// The test runs with more documents than are taken out of their batch, and with fewer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_ingest_pipeline_blocks_and_loses_nothing() -> Result<()> {
    let scene = Scene::new("blame-pipeline", Strategy::Rollover).await?;
    let member = scene.start().await?;
    let settings = format!("{}/_settings", scene.index());
    let mut produced = 0;
    for count in [1_000, 10] {
        scene.call(Method::PUT, &settings, json!({"index.default_pipeline": "gone"})).await?;
        scene.produce(produced..produced + count).await?;
        scene.blocked(&member, &["illegal_argument_exception", "gone"]).await?;
        scene.call(Method::PUT, &settings, json!({"index.default_pipeline": null})).await?;
        produced += count;
        scene.pipeline.delivered_exactly(&scene.ids(0..produced)).await?;
        member.ready().await?;
    }
    assert_eq!(scene.dead().await?, []);
    member.stop().await
}

/// The index is re-created by hand, without the latest fields of the schema.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_with_an_older_mapping_gets_its_fields_again() -> Result<()> {
    let scene = Scene::new("blame-mapping", Strategy::Single).await?;
    let member = scene.start().await?;
    scene.produce([0]).await?;
    scene.pipeline.delivered_exactly(&scene.ids([0])).await?;
    scene.call(Method::DELETE, scene.index(), Value::Null).await?;
    // Without its template, the index looks like one that was restored.
    scene.call(Method::DELETE, &format!("_index_template/penstock-{}", scene.index()), Value::Null).await?;
    let old = json!({"mappings": {"dynamic": "strict", "properties": {"event_id": {"type": "keyword"}}}});
    scene.call(Method::PUT, scene.index(), old).await?;
    scene.produce(1..50).await?;
    scene.pipeline.delivered_exactly(&scene.ids(1..50)).await?;
    assert_eq!(scene.dead().await?, []);
    member.stop().await
}

harness::on_opensearch! {
    documents_at_fault_become_dead_letters_and_hold_nothing_up,
    documents_that_fail_each_time_for_now_hold_nothing_up,
    an_alias_without_a_write_index_blocks_and_loses_nothing,
    a_missing_ingest_pipeline_blocks_and_loses_nothing,
    an_index_with_an_older_mapping_gets_its_fields_again,
}
