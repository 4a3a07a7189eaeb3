//! Strategy `rollover` with changed backing indices: deleted while documents are on their way, read-only, re-created by
//! shrinking, or behind an alias that somebody has changed by hand.

use std::time::Duration;

use anyhow::{Context, Result};
use harness::delivery::Differences;
use harness::event::{Events, now};
use harness::eventually::eventually;
use harness::http::{self, Method};
use harness::pipeline::{Pipeline, Service, metric};
use harness::sender::Mix;
use harness::stack::{OwnStack, Stack};
use indexer::config::Expired;
use serde_json::{Value, json};

/// The number of events. They happen within a time that one backing index covers.
const EVENTS: u64 = 200;

/// A pipeline whose events of `mix` belong into the first of two backing indices.
struct Scene {
    pipeline: Pipeline,
    indexer: Service,
    mix: Mix,
}

impl Scene {
    async fn new(name: &str, expired: Expired) -> Result<Self> {
        Self::on(&Stack::running()?, name, expired).await
    }

    async fn on(stack: &Stack, name: &str, expired: Expired) -> Result<Self> {
        let mut pipeline = Pipeline::new(stack, name).await?;
        pipeline.config.elasticsearch.placement.margin = Duration::from_secs(1);
        pipeline.config.elasticsearch.placement.expired = expired;
        let indexer = pipeline.indexer().await?;
        // The events happen within 200 ms, a second ago. Whatever the margin, that is before the second backing index
        // begins.
        let mix = Mix::good(Events::new(rand::random(), now() - 1_000));
        pipeline.feed(mix).write(0..EVENTS / 2).await?;
        pipeline.all_committed().await?;
        let scene = Self { pipeline, indexer, mix };
        scene.call(Method::POST, &format!("{}/_rollover", scene.name()), json!({})).await?;
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

    /// Writes these events, which belong into the first backing index, and waits until they are settled.
    async fn write(&self, numbers: std::ops::Range<u64>) -> Result<()> {
        self.pipeline.feed(self.mix).write(numbers).await?;
        self.pipeline.all_committed().await
    }

    async fn exactly(&self, numbers: std::ops::Range<u64>) -> Result<()> {
        self.pipeline.delivered_exactly(&self.mix.indexable(&numbers.collect::<Vec<_>>())).await
    }

    async fn look_ups(&self, outcome: &str) -> Result<f64> {
        let topic = &self.pipeline.config.kafka.topic;
        let sample = format!(r#"penstock_indexer_lookups_total{{outcome="{outcome}",topic="{topic}"}}"#);
        metric(&self.indexer.admin_url(), &sample).await
    }

    async fn dead_letters(&self) -> Result<u64> {
        self.pipeline.kafka.count(&self.pipeline.config.kafka.dead_letter_topic).await
    }

    /// Deletes the first backing index while documents are on their way to it, and returns its name.
    async fn deleted_on_the_way(&self) -> Result<String> {
        let mut feed = self.pipeline.feed(self.mix);
        feed.per_second = Some(50);
        let feeding = tokio::spawn(async move { feed.write(EVENTS / 2..EVENTS).await });
        let first = self.backing(1);
        eventually("documents are on their way to the first backing index", || async {
            let count = self.pipeline.search.count(&first).await?;
            anyhow::ensure!(count > EVENTS / 2, "{count} are there");
            Ok(())
        })
        .await?;
        self.call(Method::DELETE, &first, Value::Null).await?;
        feeding.await??;
        self.pipeline.all_committed().await?;
        Ok(first)
    }

    /// Waits until readiness says `word` of "placement", or that it is ready if there is no word.
    async fn reported(&self, word: Option<&str>) -> Result<()> {
        eventually("readiness tells the state of the backing indices", || async {
            let answer = http::get(&format!("{}/readyz", self.indexer.admin_url())).await?;
            let text = answer.text();
            let line = text.lines().find(|line| line.starts_with("placement: "));
            let is_so = match word {
                None => answer.status == 200,
                Some(word) => line.is_some_and(|line| line.contains(word)),
            };
            anyhow::ensure!(is_so, "{}: {text}", answer.status);
            Ok(())
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_deleted_while_documents_are_in_flight_stays_deleted() -> Result<()> {
    let scene = Scene::new("deleted", Expired::Oldest).await?;
    let first = scene.deleted_on_the_way().await?;
    let gone = scene.call(Method::GET, &first, Value::Null).await;
    assert!(gone.is_err(), "the deleted index is back: {gone:?}");
    // A replay restores the deleted documents, into the oldest index that is left.
    scene.write(0..EVENTS).await?;
    scene.exactly(0..EVENTS).await?;
    assert_eq!(scene.pipeline.search.count(&scene.backing(2)).await?, EVENTS);
    scene.indexer.stop().await
}

/// The cluster of this OpenSearch lets documents create the deleted index again. The alias must lead to it again, and
/// each event is found once, even after a replay.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_opensearch_recreates_gets_its_alias_back() -> Result<()> {
    let settings = [("OPENSEARCH_EXTRA", "-E action.auto_create_index=true"), ("OPENSEARCH_HEAP", "512m")];
    let own = OwnStack::opensearch("made-again", &settings).await?;
    let scene = Scene::on(&own.stack, "made-again", Expired::Oldest).await?;
    let first = scene.deleted_on_the_way().await?;
    eventually("the index that was made again has its alias", || async {
        let aliases = scene.call(Method::GET, &format!("{first}/_alias"), Value::Null).await?;
        let alias = &aliases[&first]["aliases"][scene.name()];
        anyhow::ensure!(alias["is_write_index"] == false, "{aliases}");
        Ok(())
    })
    .await?;
    scene.write(0..EVENTS).await?;
    scene.exactly(0..EVENTS).await?;
    scene.indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn expired_events_are_skipped_or_become_dead_letters_by_config() -> Result<()> {
    for (name, expired, dead) in [("skipped", Expired::Skip, 0), ("expired", Expired::DeadLetter, EVENTS / 2)] {
        let scene = Scene::new(name, expired).await?;
        scene.call(Method::DELETE, &scene.backing(1), Value::Null).await?;
        scene.write(EVENTS / 2..EVENTS).await?;
        assert_eq!(scene.pipeline.search.count(scene.name()).await?, 0, "{name}");
        assert_eq!(scene.dead_letters().await?, dead, "{name}");
        for letter in scene.pipeline.kafka.read_all(&scene.pipeline.config.kafka.dead_letter_topic).await? {
            assert_eq!(letter.header("dl.error-type"), Some("expired"));
        }
        scene.indexer.stop().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_missing_in_a_read_only_index_go_to_the_write_index() -> Result<()> {
    let scene = Scene::new("old-read-only", Expired::Oldest).await?;
    scene.call(Method::PUT, &format!("{}/_block/write", scene.backing(1)), Value::Null).await?;
    scene.write(0..EVENTS).await?;
    scene.exactly(0..EVENTS).await?;
    assert_eq!(scene.pipeline.search.count(&scene.backing(2)).await?, EVENTS / 2);
    let half = (EVENTS / 2) as f64;
    assert_eq!((scene.look_ups("hit").await?, scene.look_ups("miss").await?), (half, half));

    // After one more rollover, documents are still found in the previous write index.
    scene.call(Method::POST, &format!("{}/_rollover", scene.name()), json!({})).await?;
    scene.write(0..EVENTS).await?;
    scene.exactly(0..EVENTS).await?;
    assert_eq!((scene.look_ups("hit").await?, scene.look_ups("miss").await?), (half * 3.0, half));
    assert_eq!(scene.dead_letters().await?, 0);
    scene.indexer.stop().await
}

/// Elasticsearch refuses what is asked about the alias as a whole then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_index_with_blocked_metadata_stops_nothing() -> Result<()> {
    let mut scene = Scene::new("no-metadata", Expired::Oldest).await?;
    let block = |is_set: Value| json!({ "index.blocks.metadata": is_set });
    let settings = format!("{}/_settings", scene.backing(1));
    scene.call(Method::PUT, &settings, block(json!(true))).await?;
    // What it has is found there, and what it lacks goes to the write index; after a restart, too.
    scene.write(0..EVENTS).await?;
    scene.indexer.stop().await?;
    scene.indexer = scene.pipeline.indexer().await?;
    scene.write(0..EVENTS).await?;
    let new = Mix::good(Events::unique());
    scene.pipeline.feed(new).write(0..EVENTS).await?;
    scene.pipeline.all_committed().await?;
    assert_eq!(scene.dead_letters().await?, 0);

    scene.call(Method::PUT, &settings, block(Value::Null)).await?;
    let mut all = scene.mix.indexable(&(0..EVENTS).collect::<Vec<_>>());
    all.extend(new.indexable(&(0..EVENTS).collect::<Vec<_>>()));
    scene.pipeline.delivered_exactly(&all).await?;
    scene.indexer.stop().await
}

/// A late event cannot be looked up there: it waits, and says why, while all others go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_index_that_may_not_be_searched_holds_up_only_its_late_events() -> Result<()> {
    let scene = Scene::new("no-reading", Expired::Oldest).await?;
    let settings = format!("{}/_settings", scene.backing(1));
    scene.call(Method::PUT, &format!("{}/_block/write", scene.backing(1)), Value::Null).await?;
    scene.call(Method::PUT, &settings, json!({ "index.blocks.read": true })).await?;
    let begin = now();
    eventually("the margin is over", || async {
        anyhow::ensure!(now() > begin + 2_000, "it is not");
        Ok(())
    })
    .await?;
    // A late event among fresh ones.
    let new = Mix::good(Events::new(rand::random(), now() - 500));
    let fresh = scene.pipeline.feed(new);
    fresh.write(0..10).await?;
    scene.pipeline.feed(scene.mix).write(0..1).await?;
    fresh.write(10..EVENTS).await?;
    let found = new.indexable(&(0..EVENTS).collect::<Vec<_>>());
    eventually("the others are indexed", || async {
        Differences::between(&found, &scene.pipeline.search.all(&scene.backing(2)).await?).ensure_none()
    })
    .await?;
    eventually("readiness names the block", || async {
        let text = http::get(&format!("{}/readyz", scene.indexer.admin_url())).await?.text();
        anyhow::ensure!(text.contains("cluster_block_exception") && text.contains(&scene.backing(1)), "{text}");
        Ok(())
    })
    .await?;
    scene.call(Method::PUT, &settings, json!({ "index.blocks.read": Value::Null })).await?;
    scene.pipeline.all_committed().await?;
    let mut all = scene.mix.indexable(&(0..EVENTS / 2).collect::<Vec<_>>());
    all.extend(found);
    scene.pipeline.delivered_exactly(&all).await?;
    assert_eq!(scene.dead_letters().await?, 0);
    scene.indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_recreated_under_another_name_keeps_its_documents() -> Result<()> {
    let scene = Scene::new("shrunk", Expired::Oldest).await?;
    let (first, shrunk) = (scene.backing(1), format!("shrink-ab3d-{}", scene.backing(1)));
    scene.call(Method::PUT, &format!("{first}/_block/write"), Value::Null).await?;
    // A clone is created like a shrunk index, but works with one shard. ILM swaps the alias in the same way.
    scene.call(Method::POST, &format!("{first}/_clone/{shrunk}"), json!({})).await?;
    let actions = json!({"actions": [
        {"add": {"index": shrunk, "alias": scene.name()}},
        {"remove_index": {"index": first}},
    ]});
    scene.call(Method::POST, "_aliases", actions).await?;
    scene.write(0..EVENTS).await?;
    scene.exactly(0..EVENTS).await?;
    assert_eq!(scene.pipeline.search.count(&shrunk).await?, EVENTS / 2);
    scene.write(0..EVENTS).await?;
    scene.exactly(0..EVENTS).await?;
    scene.indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_write_index_documents_wait_and_readiness_reports_it() -> Result<()> {
    let scene = Scene::new("no-write-index", Expired::Oldest).await?;
    let set = |is_write: bool| {
        let add = json!({"index": scene.backing(2), "alias": scene.name(), "is_write_index": is_write});
        json!({"actions": [{"add": add}]})
    };
    scene.call(Method::POST, "_aliases", set(false)).await?;
    scene.reported(Some("no write index")).await?;
    let new = Mix::good(Events::unique());
    scene.pipeline.feed(new).write(0..EVENTS).await?;
    scene.call(Method::POST, "_aliases", set(true)).await?;
    scene.reported(None).await?;
    scene.pipeline.all_committed().await?;
    let mut all = scene.mix.indexable(&(0..EVENTS / 2).collect::<Vec<_>>());
    all.extend(new.indexable(&(0..EVENTS).collect::<Vec<_>>()));
    scene.pipeline.delivered_exactly(&all).await.context("after the alias was mended")?;
    scene.indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_indexer_waits_for_an_alias_that_was_removed() -> Result<()> {
    let scene = Scene::new("no-alias", Expired::Oldest).await?;
    let actions = |action: &str| {
        let one = |number: u32, is_write: bool| {
            let mut body = json!({"index": scene.backing(number), "alias": scene.name()});
            if action == "add" {
                body["is_write_index"] = json!(is_write);
            }
            json!({action: body})
        };
        json!({"actions": [one(1, false), one(2, true)]})
    };
    scene.call(Method::POST, "_aliases", actions("remove")).await?;
    scene.reported(Some("no alias")).await?;
    scene.pipeline.feed(scene.mix).write(0..EVENTS).await?;
    scene.call(Method::POST, "_aliases", actions("add")).await?;
    scene.reported(None).await?;
    scene.pipeline.all_committed().await?;
    scene.exactly(0..EVENTS).await?;
    scene.indexer.stop().await
}

harness::on_opensearch! {
    an_index_deleted_while_documents_are_in_flight_stays_deleted,
    expired_events_are_skipped_or_become_dead_letters_by_config,
    documents_missing_in_a_read_only_index_go_to_the_write_index,
    an_index_recreated_under_another_name_keeps_its_documents,
    without_a_write_index_documents_wait_and_readiness_reports_it,
    the_indexer_waits_for_an_alias_that_was_removed,
}
