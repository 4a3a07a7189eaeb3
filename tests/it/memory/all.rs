//! All rows of the indexer's part of the table at once: 64 partitions with a backlog of large documents, doubtful
//! documents, undecodable records, ids that belong to other, larger documents, and more schemas than are kept. The
//! dead-letter topic is missing, so the indexer holds as much as it may. Then the topic is created, and nothing is
//! lost.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::{Result, anyhow, ensure};
use bytesize::ByteSize;
use harness::event::{Events, SCHEMA};
use harness::eventually::{patience, within};
use harness::indexer_process::IndexerProcess;
use harness::kafka::{Raw, Record};
use harness::pipeline::{Pipeline, register};
use harness::process::build;
use harness::proxy::Proxy;
use harness::stack::Stack;

use super::{MIB, PARTITIONS};

/// The value of `indexer.max_in_flight_bytes`.
const IN_FLIGHT: u64 = 32 * MIB;
/// The events that are indexed before, of 200 KiB each.
const STORED: Range<u64> = 0..160;
/// The good events, of 200 KiB each.
const GOOD: Range<u64> = 160..260;
/// The doubtful documents, of 32 KiB each.
const DOUBTFUL: Range<u64> = 260..560;
/// The number of undecodable records, of 100 KiB each.
const UNDECODABLE: u64 = 400;
const SCHEMAS: u64 = 40;
/// The reason that the indexer gives while the dead-letter topic is missing.
const NO_LETTERS: &str = "does not accept dead letters";

struct Scene {
    pipeline: Pipeline,
    events: Events,
    schemas: Vec<u32>,
}

/// Returns the sum of the table.
fn bound(pipeline: &Pipeline) -> u64 {
    // The stored documents of all requests in flight, a quarter for letters, and a witness for each of 16 indices.
    let (stored, letters, witnesses) = (IN_FLIGHT, IN_FLIGHT / 4, 16 * 64 * 1024);
    super::bound(pipeline) + stored + letters + witnesses
}

impl Scene {
    async fn new() -> Result<Self> {
        let mut pipeline = super::prepare("memory-all").await?;
        let config = &mut pipeline.config;
        config.indexer.max_in_flight_bytes = ByteSize::b(IN_FLIGHT);
        (config.indexer.fuse.max_consecutive, config.indexer.fuse.max_ratio) = (u64::MAX, 1.0);
        config.schema_registry.cache_capacity = SCHEMAS / 2;
        config.kafka.create_topics = None;
        config.kafka.dead_letter_topic = format!("{}-away", config.kafka.dead_letter_topic);
        let mut schemas = Vec::new();
        for number in 0..SCHEMAS {
            let text = SCHEMA.replacen('{', &format!("{{\"number\": {number},"), 1);
            let subject = format!("{}-{number}", pipeline.config.kafka.topic);
            schemas.push(register(&Stack::running()?.registry_url(), &subject, &text).await?);
        }
        Ok(Self { pipeline, events: Events::unique(), schemas })
    }

    fn large(&self, number: u64, entries: usize) -> Raw {
        let schema = self.schemas[usize::try_from(number).unwrap_or(0) % self.schemas.len()];
        super::large(&self.events, number, schema, entries)
    }

    /// Returns an event with the id of a stored one, without its large part.
    fn conflicting(&self, number: u64) -> Raw {
        super::large(&self.events, number, self.pipeline.schema_id, 0)
    }

    async fn index_the_stored(&self) -> Result<()> {
        let stored: Vec<Raw> = STORED.map(|number| self.large(number, 1_800)).collect();
        super::produce(&self.pipeline, &stored).await?;
        let indexer = self.pipeline.indexer().await?;
        self.pipeline.all_committed().await?;
        indexer.stop().await
    }

    async fn write_the_backlog(&self) -> Result<()> {
        let mut backlog = Vec::new();
        let mut good = GOOD.map(|number| self.large(number, 1_800));
        for (turn, number) in DOUBTFUL.enumerate() {
            if turn % 3 == 0 {
                backlog.extend(good.next());
            }
            backlog.push(self.large(number, 290));
        }
        backlog.extend(good);
        let mut conflicts = STORED.map(|number| self.conflicting(number));
        for number in 0..UNDECODABLE {
            backlog.push(undecodable(number));
            backlog.extend(conflicts.next());
        }
        super::produce(&self.pipeline, &backlog).await
    }

    /// Waits until each row has been full. Only the peak counts in the end, so the rows need not be full at the same
    /// moment: doubtful documents are decided while others are still being read.
    async fn is_full(&self, indexer: &IndexerProcess) -> Result<()> {
        let topic = &self.pipeline.config.kafka.topic;
        let of_topic = |name: &str| format!("penstock_indexer_{name}{{topic={topic:?}}}");
        let was_full = Mutex::new([false; 5]);
        within(patience() * 3, "all is held that may be", || async {
            let paused = indexer.metric(&of_topic("paused")).await?;
            let held = indexer.metric(&of_topic("held_bytes")).await?;
            let aside = indexer.metric(&of_topic("doubtful_documents")).await?
                + indexer.metric(&of_topic("doubts_decided_total")).await?;
            let conflicts = indexer.metric(&of_topic("id_conflicts_total")).await?;
            let unready = indexer.unready().await?;
            let seen = format!("paused {paused}, held {held}, aside {aside}, conflicts {conflicts}, {unready:?}");
            let are_held = held >= 0.75 * IN_FLIGHT as f64;
            let is_full = [paused == 1.0, are_held, aside >= 20.0, conflicts > 0.0, unready.contains(NO_LETTERS)];
            let mut was_full = was_full.lock().map_err(|_| anyhow!("a panic while waiting"))?;
            was_full.iter_mut().zip(is_full).for_each(|(was, is)| *was |= is);
            ensure!(was_full.iter().all(|was| *was), "{was_full:?}; {seen}");
            Ok(())
        })
        .await
    }

    /// Checks that each event is either indexed or a dead letter.
    async fn nothing_is_lost(&self) -> Result<()> {
        let letters = self.pipeline.kafka.read_all(&self.pipeline.config.kafka.dead_letter_topic).await?;
        let origin = |letter: &Record| ["dl.partition", "dl.offset"].map(|name| letter.header(name).map(str::to_owned));
        let origins: HashSet<_> = letters.iter().map(origin).collect();
        let keys: HashSet<Vec<u8>> = letters.iter().filter_map(|letter| letter.key.clone()).collect();
        let dead = DOUBTFUL.filter(|number| keys.contains(self.events.id(*number).as_bytes())).count() as u64;
        let expected = UNDECODABLE + count(STORED) + dead;
        ensure!(origins.len() as u64 == expected, "{} dead letters, of {expected}", origins.len());
        let documents = self.pipeline.search.count(&self.pipeline.config.elasticsearch.index_name).await?;
        let expected = count(STORED) + count(GOOD) + count(DOUBTFUL) - dead;
        ensure!(documents == expected, "{documents} documents, of {expected}");
        Ok(())
    }
}

fn count(numbers: Range<u64>) -> u64 {
    numbers.end - numbers.start
}

fn undecodable(number: u64) -> Raw {
    let value = vec![b'x'; 100 * 1024];
    let partition = i32::try_from(number).unwrap_or(0) % PARTITIONS;
    Raw { partition, key: Some(format!("undecodable-{number}").into_bytes()), value: Some(value), ..Raw::default() }
}

/// Starts a proxy before Elasticsearch that refuses the doubtful documents while `refuses` is set.
async fn refusing(scene: &Scene, refuses: &Arc<AtomicBool>) -> Result<Proxy> {
    let doubtful: HashSet<String> = DOUBTFUL.map(|number| scene.events.id(number)).collect();
    let refuses = Arc::clone(refuses);
    let script = move |id: &str, _: u32| (refuses.load(Ordering::Relaxed) && doubtful.contains(id)).then_some(500);
    Proxy::start(&scene.pipeline.config.elasticsearch.url, Box::new(script)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_memory_bounds_of_an_indexer_together_hold_the_limit() -> Result<()> {
    build().await?;
    let mut scene = Scene::new().await?;
    scene.index_the_stored().await?;
    scene.write_the_backlog().await?;
    let refuses = Arc::new(AtomicBool::new(true));
    let proxy = refusing(&scene, &refuses).await?;
    scene.pipeline.config.elasticsearch.url = proxy.url();
    let indexer = IndexerProcess::start(&scene.pipeline, 0)?;
    scene.is_full(&indexer).await?;
    let at_the_limit = indexer.usage()?.peak_bytes;
    refuses.store(false, Ordering::Relaxed);
    scene.pipeline.kafka.create_topic(&scene.pipeline.config.kafka.dead_letter_topic, 1).await?;
    scene.pipeline.all_committed_within(patience() * 3).await?;
    scene.nothing_is_lost().await?;
    let (peak, bound) = (indexer.usage()?.peak_bytes, bound(&scene.pipeline));
    println!("peak {} MiB, {} at the limit, of {} MiB", peak / MIB, at_the_limit / MIB, bound / MIB);
    ensure!(peak <= bound, "{} MiB, more than {} MiB", peak / MIB, bound / MIB);
    indexer.stop().await
}
