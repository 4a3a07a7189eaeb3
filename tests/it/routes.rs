//! `elasticsearch.routes`: events go to one of several index sets by the value of a field, a replay finds the same
//! ones, and an index that is blocked holds back its own documents alone.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use anyhow::{Result, ensure};
use avro::FieldRule;
use harness::command;
use harness::config::Config;
use harness::event::{Event, Events, now};
use harness::eventually::eventually;
use harness::http::{self, Method};
use harness::kafka::Raw;
use harness::pipeline::{Pipeline, Service, metric};
use harness::stack::Stack;
use indexer::config::{Routes, Strategy};
use registry::wire::{SchemaId, frame};
use serde_json::{Value, json};

const EVENTS: u64 = 600;
const MARGIN: Duration = Duration::from_secs(1);
/// The values that have an index of their own; all others go to that of the topic.
const VALUES: [(&str, &str); 2] = [("contact.routed", "routed"), ("contact.ended", "ended")];

/// A pipeline that routes by `action_type`, with a running indexer.
struct Scene {
    pipeline: Pipeline,
    indexer: Service,
    records: Vec<(Event, Raw)>,
}

impl Scene {
    async fn new(scenario: &str, strategy: Strategy) -> Result<Self> {
        Self::with(scenario, strategy, |_| {}).await
    }

    async fn with(scenario: &str, strategy: Strategy, change: impl FnOnce(&mut Config)) -> Result<Self> {
        let mut pipeline = Pipeline::new(&Stack::running()?, scenario).await?;
        let elasticsearch = &mut pipeline.config.elasticsearch;
        let name = &elasticsearch.index_name;
        let to = VALUES.map(|(value, suffix)| (value.to_owned(), format!("{name}-{suffix}"))).into();
        elasticsearch.routes = Some(Routes { field: "action_type".to_owned(), to });
        elasticsearch.strategy = strategy;
        elasticsearch.placement.margin = MARGIN;
        change(&mut pipeline.config);
        let indexer = pipeline.indexer().await?;
        let (events, id) = (Events::unique(), SchemaId(pipeline.schema_id));
        let record = |number: u64| {
            let event = events.event(number);
            let value = Some([frame(id).as_slice(), &event.encode()].concat());
            let key = Some(event.event_id.clone().into_bytes());
            Ok((event, Raw { partition: i32::try_from(number % 4)?, key, value, timestamp: Some(now()) }))
        };
        let records = (0..EVENTS).map(record).collect::<Result<_>>()?;
        Ok(Self { pipeline, indexer, records })
    }

    fn name(&self) -> &str {
        &self.pipeline.config.elasticsearch.index_name
    }

    /// The name of the index set of `event`.
    fn index(&self, event: &Event) -> String {
        let suffix = VALUES.iter().find(|(value, _)| *value == event.action_type).map(|(_, suffix)| *suffix);
        suffix.map_or_else(|| self.name().to_owned(), |suffix| format!("{}-{suffix}", self.name()))
    }

    /// The names of all index sets.
    fn names(&self) -> Vec<String> {
        let suffixed = VALUES.map(|(_, suffix)| format!("{}-{suffix}", self.name()));
        std::iter::once(self.name().to_owned()).chain(suffixed).collect()
    }

    /// Writes the records of these numbers to the topic.
    async fn write(&self, numbers: std::ops::Range<usize>) -> Result<Vec<i64>> {
        let records: Vec<Raw> = self.records[numbers].iter().map(|(_, record)| record.clone()).collect();
        self.pipeline.kafka.produce(&self.pipeline.config.kafka.topic, &records).await
    }

    /// Sees that each index set has the events of these numbers that are its own once, and no others.
    async fn each_has_its_own(&self, numbers: std::ops::Range<usize>) -> Result<()> {
        for name in self.names() {
            self.has_its_own(&name, &numbers).await?;
        }
        Ok(())
    }

    async fn has_its_own(&self, name: &str, numbers: &std::ops::Range<usize>) -> Result<()> {
        let events = self.records[numbers.clone()].iter().map(|(event, _)| event);
        let own: HashSet<String> =
            events.filter(|event| self.index(event) == name).map(|event| event.event_id.clone()).collect();
        ensure!(!own.is_empty(), "{name} has no events: choose more");
        let hits = self.pipeline.search.all(name).await?;
        harness::delivery::Differences::between(&own, &hits).ensure_none()?;
        ensure!(self.pipeline.search.count(name).await? == own.len() as u64, "{name}: count and documents differ");
        Ok(())
    }

    async fn block(&self, name: &str, is_blocked: Value) -> Result<()> {
        let path = format!("{name}/_settings");
        self.pipeline.search.call(Method::PUT, &path, &json!({"index.blocks.write": is_blocked})).await.map(drop)
    }

    /// The versions and index of each document, by id: what a second write would change.
    async fn versions(&self) -> Result<BTreeMap<String, (String, u64)>> {
        let mut versions = BTreeMap::new();
        for name in self.names() {
            self.pipeline.search.refresh(&name).await?;
            let query = json!({"size": 10_000, "version": true, "_source": false});
            let found = self.pipeline.search.call(Method::POST, &format!("{name}/_search"), &query).await?;
            for hit in found["hits"]["hits"].as_array().into_iter().flatten() {
                let text = |key: &str| hit[key].as_str().unwrap_or_default().to_owned();
                versions.insert(text("_id"), (text("_index"), hit["_version"].as_u64().unwrap_or_default()));
            }
        }
        Ok(versions)
    }

    async fn dead_letters(&self) -> Result<u64> {
        self.pipeline.kafka.count(&self.pipeline.config.kafka.dead_letter_topic).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_go_to_the_index_of_their_value_and_a_replay_changes_nothing() -> Result<()> {
    let scene = Scene::new("routes", Strategy::Rollover).await?;
    let (pipeline, all) = (&scene.pipeline, 0..scene.records.len());
    scene.write(all.clone()).await?;
    pipeline.all_committed().await?;
    scene.each_has_its_own(all.clone()).await?;
    let written = scene.versions().await?;
    assert_eq!(written.len(), scene.records.len());

    // The senders repeat everything, and then it is replayed beside the service.
    scene.write(all.clone()).await?;
    pipeline.all_committed().await?;
    let replayed = command::run(pipeline, &["replay", "--from", "earliest", "--json"]).await?;
    assert_eq!(replayed.code, 0, "{replayed:#?}");
    let summary = replayed.json()?;
    assert_eq!((&summary["indexed"], &summary["dead"]), (&json!(0), &json!(0)), "{summary}");
    assert_eq!(summary["duplicates"], json!(2 * EVENTS), "{summary}");
    assert_eq!(scene.versions().await?, written);
    let dry = command::run(pipeline, &["replay", "--from", "earliest", "--dry-run", "--json"]).await?;
    assert_eq!((dry.code, &dry.json()?["dry_run"]["same"]), (0, &json!(2 * EVENTS)), "{dry:#?}");
    assert_eq!(scene.dead_letters().await?, 0);
    let counted = |reason: &str| format!("penstock_indexer_routed_documents_total{{reason={reason:?}}}");
    let admin = scene.indexer.admin_url();
    let (value, other) = (metric(&admin, &counted("value")).await?, metric(&admin, &counted("other")).await?);
    assert!(value > 0.0 && other > 0.0 && value + other == 2.0 * EVENTS as f64, "{value} and {other}");
    scene.indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_name_the_index_that_the_route_chooses() -> Result<()> {
    let scene = Scene::with("routes-named", Strategy::Rollover, |config| {
        // The rule reads the event's own value, and shows it nowhere.
        let hidden = [("action_type".to_owned(), FieldRule::Mask)].into();
        config.elasticsearch.documents.fields = Some(hidden);
    });
    let scene = scene.await?;
    let pipeline = &scene.pipeline;
    let offsets = scene.write(0..40).await?;
    pipeline.all_committed().await?;
    let mut seen = HashSet::new();
    for ((event, record), offset) in scene.records.iter().zip(offsets) {
        let index = scene.index(event);
        if !seen.insert(index.clone()) {
            continue;
        }
        let found = command::run(pipeline, &["find", &event.event_id, "--json"]).await?;
        let report = found.json()?;
        let documents = &report["events"][0]["documents"];
        assert_eq!(documents.as_array().map(Vec::len), Some(1), "{report:#}");
        assert_eq!(documents[0]["index"], json!(format!("{index}-000001")), "{report:#}");

        let at = format!("{}:{}:{offset}", pipeline.config.kafka.topic, record.partition);
        let explained = command::run(pipeline, &["explain", &at, "--json"]).await?.json()?;
        assert_eq!(explained["index"], json!(format!("{index}-000001")), "{explained:#}");
        assert_eq!(explained["stored"], json!("same"), "{explained:#}");
        assert!(explained["route_rule"].as_str().is_some_and(|rule| rule.contains("action_type")), "{explained:#}");
        assert_eq!(explained["document"]["action_type"], json!("***"), "{explained:#}");
        assert!(!explained.to_string().contains(&event.action_type), "{explained:#}");
    }
    assert_eq!(seen.len(), 3, "{seen:?}");

    let into = command::run(pipeline, &["replay", "--from", "earliest", "--into", "another"]).await?;
    assert!(into.code == 1 && into.errors.contains("elasticsearch.routes"), "{into:#?}");
    let doctor = command::run(pipeline, &["doctor", "--json"]).await?;
    for name in scene.names() {
        assert!(doctor.output.contains(&format!("elasticsearch: index {name}\"")), "{name}: {doctor:#?}");
    }
    scene.indexer.stop().await
}

/// A value that is given another index: a replay writes its documents there too, and a dry run says so before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_after_a_changed_route_creates_second_documents() -> Result<()> {
    let mut scene = Scene::new("routes-moved", Strategy::Single).await?;
    scene.write(0..100).await?;
    scene.pipeline.all_committed().await?;
    scene.each_has_its_own(0..100).await?;
    let moved = format!("{}-moved", scene.name());
    let count = scene.pipeline.search.count(&format!("{}-ended", scene.name())).await?;
    let routes = scene.pipeline.config.elasticsearch.routes.as_mut();
    routes.map(|routes| routes.to.insert("contact.ended".to_owned(), moved.clone()));
    let setup = command::run(&scene.pipeline, &["setup"]).await?;
    assert_eq!(setup.code, 0, "{setup:#?}");
    assert!(setup.output.contains("second document") || setup.errors.contains("second document"), "{setup:#?}");
    let dry = command::run(&scene.pipeline, &["replay", "--from", "earliest", "--dry-run", "--json"]).await?;
    assert_eq!((dry.code, &dry.json()?["dry_run"]["new"]), (2, &json!(count)), "{dry:#?}");
    let replayed = command::run(&scene.pipeline, &["replay", "--from", "earliest", "--json"]).await?;
    assert_eq!(replayed.json()?["indexed"], json!(count), "{replayed:#?}");
    assert_eq!(scene.pipeline.search.count(&moved).await?, count);
    assert_eq!(scene.pipeline.search.count(&format!("{}-ended", scene.name())).await?, count);
    scene.indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocked_index_holds_back_its_own_documents_alone() -> Result<()> {
    // However the events are cut into batches, there is room for those that wait.
    let scene = Scene::with("routes-blocked", Strategy::Single, |config| config.indexer.max_in_flight_requests = 500);
    let scene = scene.await?;
    let blocked = format!("{}-ended", scene.name());
    scene.block(&blocked, json!(true)).await?;
    scene.write(0..200).await?;
    let others: Vec<String> = scene.names().into_iter().filter(|name| *name != blocked).collect();
    eventually("the other indices have their documents", || async {
        for name in &others {
            scene.has_its_own(name, &(0..200)).await?;
        }
        Ok(())
    })
    .await?;
    let admin = scene.indexer.admin_url();
    eventually("readiness names the index that is blocked", || async {
        let text = http::get(&format!("{admin}/readyz")).await?.text();
        let start = format!("elasticsearch of {blocked}: ");
        ensure!(text.lines().any(|line| line.starts_with(&start)), "{text}");
        ensure!(!text.lines().any(|line| line.starts_with("elasticsearch: ")), "{text}");
        Ok(())
    })
    .await?;
    let topic = &scene.pipeline.config.kafka.topic;
    let sample = format!("penstock_indexer_blocked{{reason=\"index_block\",topic={topic:?}}}");
    assert_eq!(metric(&admin, &sample).await?, 1.0);
    assert_eq!(scene.pipeline.search.count(&blocked).await?, 0);
    // A later batch goes past those that wait.
    scene.write(200..300).await?;
    eventually("the other indices have what came later", || async {
        for name in &others {
            scene.has_its_own(name, &(0..300)).await?;
        }
        Ok(())
    })
    .await?;

    scene.block(&blocked, Value::Null).await?;
    scene.pipeline.all_committed().await?;
    scene.each_has_its_own(0..300).await?;
    assert_eq!(scene.dead_letters().await?, 0);
    eventually("nothing is blocked any more", || async {
        ensure!(metric(&admin, &sample).await? == 0.0);
        Ok(())
    })
    .await?;
    scene.indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_index_rolls_over_and_repeats_find_their_documents() -> Result<()> {
    let mut scene = Scene::new("routes-rollover", Strategy::Rollover).await?;
    scene.write(0..100).await?;
    scene.pipeline.all_committed().await?;
    let ended = format!("{}-ended", scene.name());
    let search = &scene.pipeline.search;
    search.call(Method::POST, &format!("{ended}/_rollover"), &json!({})).await?;
    let second = format!("{ended}-000002");
    let settings = search.call(Method::GET, &format!("{second}/_settings"), &Value::Null).await?;
    let created: i64 = settings[&second]["settings"]["index"]["creation_date"].as_str().unwrap_or("0").parse()?;
    let begins = created + i64::try_from(MARGIN.as_millis())? + 100;
    eventually("a margin has passed", || async {
        ensure!(created > 0 && now() > begins, "{begins}");
        Ok(())
    })
    .await?;
    // What is received now is of the second index, and everything is repeated.
    for (event, record) in &mut scene.records[100..200] {
        event.timestamp = now();
        record.timestamp = Some(event.timestamp);
        record.value = Some([frame(SchemaId(scene.pipeline.schema_id)).as_slice(), &event.encode()].concat());
    }
    scene.write(100..200).await?;
    scene.write(0..200).await?;
    scene.pipeline.all_committed().await?;
    scene.each_has_its_own(0..200).await?;
    let of_ended = |numbers: std::ops::Range<usize>| {
        let events = scene.records[numbers].iter().filter(|(event, _)| scene.index(event) == ended);
        events.count() as u64
    };
    assert_eq!(search_count(&scene, &format!("{ended}-000001")).await?, of_ended(0..100));
    assert_eq!(search_count(&scene, &second).await?, of_ended(100..200));
    assert_eq!(scene.dead_letters().await?, 0);
    scene.indexer.stop().await
}

async fn search_count(scene: &Scene, index: &str) -> Result<u64> {
    scene.pipeline.search.count(index).await
}

harness::on_opensearch! {
    events_go_to_the_index_of_their_value_and_a_replay_changes_nothing,
    commands_name_the_index_that_the_route_chooses,
    a_blocked_index_holds_back_its_own_documents_alone,
    one_index_rolls_over_and_repeats_find_their_documents,
}
