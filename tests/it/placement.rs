//! Where documents are written after somebody has changed the indices behind the alias or the data stream: a write
//! index with another name, an archive behind the search alias, an oldest index that was shrunk.

use std::time::Duration;

use anyhow::{Context, Result};
use harness::event::{Events, now};
use harness::eventually::eventually;
use harness::http::Method;
use harness::pipeline::{Pipeline, Service};
use harness::search::Search;
use harness::sender::Mix;
use harness::stack::Stack;
use indexer::config::{Expired, Strategy};
use serde_json::{Value, json};

const EVENTS: u64 = 100;
const MARGIN: Duration = Duration::from_secs(1);

/// A pipeline with a backing index for each mix, which holds the events of that mix.
struct Scene {
    pipeline: Pipeline,
    indexer: Service,
    mixes: Vec<Mix>,
}

impl Scene {
    async fn new(scenario: &str, indices: u32, expired: Expired) -> Result<Self> {
        let mut pipeline = Pipeline::new(&Stack::running()?, scenario).await?;
        pipeline.config.elasticsearch.placement.margin = MARGIN;
        pipeline.config.elasticsearch.placement.expired = expired;
        let indexer = pipeline.indexer().await?;
        let mut scene = Self { pipeline, indexer, mixes: Vec::new() };
        for number in 1..=indices {
            if number > 1 {
                scene.call(Method::POST, &format!("{}/_rollover", scene.name()), json!({})).await?;
            }
            scene.live(&scene.backing(number)).await?;
        }
        Ok(scene)
    }

    fn name(&self) -> &str {
        &self.pipeline.config.elasticsearch.index_name
    }

    fn backing(&self, number: u32) -> String {
        format!("{}-{number:06}", self.name())
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> Result<Value> {
        self.pipeline.search.call(method, path, &body).await
    }

    /// Writes new events once `index` accepts them, and checks that they are there.
    async fn live(&mut self, index: &str) -> Result<()> {
        self.pass_margin(index).await?;
        let mix = Mix::good(Events::unique());
        let before = self.pipeline.search.count(index).await?;
        self.pipeline.feed(mix).write(0..EVENTS).await?;
        self.mixes.push(mix);
        self.pipeline.all_committed().await?;
        let count = self.pipeline.search.count(index).await? - before;
        anyhow::ensure!(count == EVENTS, "{count} of {EVENTS} events are in {index}");
        Ok(())
    }

    /// Waits until more than a margin has passed since the creation of `index`.
    async fn pass_margin(&self, index: &str) -> Result<()> {
        let settings = self.call(Method::GET, &format!("{index}/_settings"), Value::Null).await?;
        let created = &settings[index]["settings"]["index"]["creation_date"];
        let created: i64 = created.as_str().context("no creation date")?.parse()?;
        let begins = created + i64::try_from(MARGIN.as_millis())? + 100;
        eventually("a margin has passed", || async {
            anyhow::ensure!(now() > begins, "{begins}");
            Ok(())
        })
        .await
    }

    /// Replaces `index` with a copy named `copy`, as a reindex or a shrink does. The copy becomes the write index if
    /// `index` was it.
    async fn replace(&self, index: &str, copy: &str, is_write: bool) -> Result<()> {
        self.call(Method::PUT, &format!("{index}/_block/write"), Value::Null).await?;
        let settings = if is_write { json!({"index.blocks.write": null}) } else { json!({}) };
        self.call(Method::POST, &format!("{index}/_clone/{copy}"), json!({"settings": settings})).await?;
        let actions = json!({"actions": [
            {"add": {"index": copy, "alias": self.name(), "is_write_index": is_write}},
            {"remove_index": {"index": index}},
        ]});
        self.call(Method::POST, "_aliases", actions).await.map(drop)
    }

    /// Writes all events once more, like senders that repeat them.
    async fn repeat(&self) -> Result<()> {
        for mix in &self.mixes {
            self.pipeline.feed(*mix).write(0..EVENTS).await?;
        }
        self.pipeline.all_committed().await
    }

    /// Checks that the events of these mixes are there once, and no others.
    async fn exactly(&self, mixes: std::ops::Range<usize>) -> Result<()> {
        let numbers: Vec<u64> = (0..EVENTS).collect();
        let all = self.mixes[mixes].iter().flat_map(|mix| mix.indexable(&numbers)).collect();
        self.pipeline.delivered_exactly(&all).await
    }

    async fn dead_letters(&self) -> Result<u64> {
        self.pipeline.kafka.count(&self.pipeline.config.kafka.dead_letter_topic).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_index_with_another_name_gets_the_live_events() -> Result<()> {
    let mut scene = Scene::new("renamed", 3, Expired::Oldest).await?;
    let renamed = format!("{}-v2", scene.backing(3));
    scene.replace(&scene.backing(3), &renamed, true).await?;
    scene.live(&renamed).await?;
    scene.repeat().await?;
    scene.exactly(0..4).await?;
    // The next rollover continues from its name.
    let next = json!({});
    scene.call(Method::POST, &format!("{}/_rollover/{}", scene.name(), scene.backing(4)), next).await?;
    scene.live(&scene.backing(4)).await?;
    scene.repeat().await?;
    scene.exactly(0..5).await?;
    scene.indexer.stop().await
}

/// A rollover derives the name of the next index from the last one, whatever the alias is called.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_index_behind_the_alias_rolls_over_like_any_other() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "other-series").await?;
    pipeline.config.elasticsearch.placement.margin = MARGIN;
    let series = format!("calls-{}-raw", uuid::Uuid::new_v4().simple());
    let [first, second] = [1, 2].map(|number| format!("{series}-{number:06}"));
    let alias = json!({"aliases": {&*pipeline.config.elasticsearch.index_name: {"is_write_index": true}}});
    pipeline.search.call(Method::PUT, &first, &alias).await?;
    let indexer = pipeline.indexer().await?;
    let mut scene = Scene { pipeline, indexer, mixes: Vec::new() };
    scene.live(&first).await?;
    scene.call(Method::POST, &format!("{}/_rollover", scene.name()), json!({})).await?;
    scene.live(&second).await?;
    scene.repeat().await?;
    scene.exactly(0..2).await?;
    scene.indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archive_behind_the_search_alias_gets_no_documents() -> Result<()> {
    let archive = format!("archive-{}", uuid::Uuid::new_v4().simple());
    let search = Search::new(Stack::running()?.elasticsearch_url());
    // The archive is older than all indices, so old events would belong there.
    search.call(Method::PUT, &archive, &json!({})).await?;
    let mapping = search.call(Method::GET, &format!("{archive}/_mapping"), &Value::Null).await?;

    let mut scene = Scene::new("archived", 1, Expired::Oldest).await?;
    scene.call(Method::POST, &format!("{}/_rollover", scene.name()), json!({})).await?;
    scene.call(Method::DELETE, &scene.backing(1), Value::Null).await?;
    let add = json!({"actions": [{"add": {"index": archive, "alias": scene.name(), "is_write_index": false}}]});
    scene.call(Method::POST, "_aliases", add).await?;
    scene.live(&scene.backing(2)).await?;
    let old = Mix::good(Events::new(rand::random(), now() - 86_400_000));
    scene.pipeline.feed(old).write(0..EVENTS).await?;
    scene.pipeline.all_committed().await?;
    assert_eq!(search.count(&archive).await?, 0, "documents went to the archive");
    assert_eq!(search.count(&scene.backing(2)).await?, 2 * EVENTS);

    // An indexer that starts now and reads all indices does not change it either.
    scene.indexer.stop().await?;
    let indexer = scene.pipeline.indexer().await?;
    let after = search.call(Method::GET, &format!("{archive}/_mapping"), &Value::Null).await?;
    assert_eq!(after, mapping);
    indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleted_documents_stay_deleted_when_the_oldest_index_is_shrunk() -> Result<()> {
    for (name, expired, dead) in [("shrunk-skip", Expired::Skip, 0), ("shrunk-dead", Expired::DeadLetter, EVENTS)] {
        let scene = Scene::new(name, 3, expired).await?;
        scene.call(Method::DELETE, &scene.backing(1), Value::Null).await?;
        scene.replace(&scene.backing(2), &format!("shrink-x1y2-{}", scene.backing(2)), false).await?;
        scene.repeat().await?;
        scene.exactly(1..3).await.context(name)?;
        assert_eq!(scene.dead_letters().await?, dead, "{name}");
        for letter in scene.pipeline.kafka.read_all(&scene.pipeline.config.kafka.dead_letter_topic).await? {
            assert_eq!(letter.header("dl.error-type"), Some("expired"));
        }
        scene.indexer.stop().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_data_stream_with_a_shrunk_index_has_each_event_once() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "shrunk-stream").await?;
    let name = pipeline.config.elasticsearch.index_name.clone();
    let policy = pipeline.file("ilm.yaml");
    let text = "hot:\n  rollover_max_docs: 100\nwarm:\n  min_age: 0s\n  shrink_shards: 1\n";
    std::fs::write(&policy, format!("policy_name: {name}\n{text}"))?;
    pipeline.config.ilm_config_path = Some(policy);
    pipeline.config.elasticsearch.strategy = Strategy::DataStream;
    pipeline.config.elasticsearch.placement.margin = MARGIN;
    let search = pipeline.search.clone();
    let two_shards = json!({"template": {"settings": {"index.number_of_shards": 2, "index.number_of_replicas": 0}}});
    search.call(Method::PUT, &format!("_component_template/{name}@custom"), &two_shards).await?;
    let indexer = pipeline.indexer().await?;
    let mix = Mix::good(Events::unique());
    pipeline.feed(mix).write(0..EVENTS).await?;
    pipeline.all_committed().await?;
    eventually("the policy rolls the stream over and shrinks its first index", || async {
        search.refresh(&name).await?;
        let names = stream_indices(&pipeline).await?;
        anyhow::ensure!(names.len() >= 2 && names[0].starts_with("shrink-"), "{names:?}");
        Ok(())
    })
    .await?;
    pipeline.feed(mix).write(0..EVENTS).await?;
    pipeline.delivered_exactly(&mix.indexable(&(0..EVENTS).collect::<Vec<_>>())).await?;
    indexer.stop().await
}

/// Returns the backing indices of the data stream, in the stream's order.
async fn stream_indices(pipeline: &Pipeline) -> Result<Vec<String>> {
    let path = format!("_data_stream/{}", pipeline.config.elasticsearch.index_name);
    let answer = pipeline.search.call(Method::GET, &path, &Value::Null).await?;
    let indices = answer["data_streams"][0]["indices"].as_array().context("no indices")?;
    Ok(indices.iter().filter_map(|index| index["index_name"].as_str().map(str::to_owned)).collect())
}
