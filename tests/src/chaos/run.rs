//! One run: starts everything, injects the faults of the schedule under load, waits for recovery, and audits.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::{Duration, Instant, sleep, sleep_until};

use super::cluster::Cluster;
use super::faults;
use super::observe::{Held, observe};
use super::program::Program;
use super::scene::Scene;
use super::schedule::{Lane, SERVICES, Step};
use crate::audit::plan::Plan;
use crate::audit::sender::{Aim, Fared, Sender};
use crate::audit::world::{audit, ensure_none};
use crate::audit::{Findings, Oracle};
use crate::event::SCHEMA;
use crate::eventually::patience;
use crate::kafka::Kafka;
use crate::link::Link;
use crate::pipeline::{PATH, Pipeline};
use crate::process::{self, Binary};

/// The fewest connections of senders.
const CONNECTIONS: u64 = 48;
/// The events per second of a connection, above the fewest connections.
const PER_CONNECTION: u64 = 10;

/// Describes a run.
#[derive(Clone, Debug)]
pub struct Run {
    /// The seed of the events, and of the schedule.
    pub seed: u64,
    /// The faults.
    pub steps: Vec<Step>,
    /// How long new faults begin.
    pub duration: Duration,
    /// Events per second.
    pub per_second: u64,
}

impl Run {
    /// Makes the run. Returns what the services held in the course of it.
    ///
    /// # Errors
    /// If something does not recover, or the audit has findings. The message begins with the seed.
    pub async fn make(&self, name: &str) -> Result<Vec<Held>> {
        eprintln!("chaos, seed {}: {} faults in {:?}", self.seed, self.steps.len(), self.duration);
        for step in &self.steps {
            eprintln!("  {:<8} {step}", format!("{:?}", step.lane));
        }
        let again = format!("seed {}; SEED={} repeats it", self.seed, self.seed);
        process::build().await?;
        let scene = Arc::new(self.set(name).await.with_context(|| again.clone())?);
        let outcome = self.play(&scene).await;
        // Tasks of a failed run may still hold it.
        let Some(mut scene) = Arc::into_inner(scene) else { return outcome.context(again) };
        if outcome.is_err() {
            scene.pipeline.folder.disable_cleanup(true);
            eprintln!("journal, configs and logs are in {}", scene.pipeline.folder.path().display());
        }
        outcome.context(again)
    }

    /// Starts everything.
    async fn set(&self, name: &str) -> Result<Scene> {
        let cluster = Cluster::start(name).await?;
        let mut pipeline = Pipeline::new(&cluster.stack.stack, name).await?;
        pipeline.kafka = Kafka::new(cluster.broker_addresses());
        pipeline.kafka.create_topic(&pipeline.config.kafka.quarantine_topic, 1).await?;
        configure(&mut pipeline, &cluster);
        let mut receivers = start(&pipeline, Binary::Receiver)?;
        let mut indexers = start(&pipeline, Binary::Indexer)?;
        let mut receiver_links = Vec::new();
        for program in &receivers {
            receiver_links.push(Link::open(program.port()).await?);
        }
        for program in receivers.iter_mut().chain(&mut indexers) {
            program.ready().await?;
        }
        let mut oracle = Oracle::default();
        oracle.add(pipeline.schema_id, SCHEMA)?;
        let aim = Aim {
            targets: receiver_links.iter().map(Link::address).collect(),
            path: PATH.to_owned(),
            connections: usize::try_from(CONNECTIONS.max(self.per_second / PER_CONNECTION))?,
            per_second: self.per_second,
            patience: patience(),
        };
        let plan = Plan::new(self.seed, pipeline.schema_id);
        let sender = Sender::start(aim, plan, &pipeline.token, &journal(&pipeline))?;
        Ok(Scene {
            token: Mutex::new(pipeline.token.clone()),
            cluster,
            pipeline,
            receivers: receivers.into_iter().map(Mutex::new).collect(),
            indexers: indexers.into_iter().map(Mutex::new).collect(),
            receiver_links,
            sender,
            oracle: Mutex::new(oracle),
            exceptions: Mutex::default(),
            gone: Mutex::default(),
            fields: Mutex::default(),
        })
    }

    /// Injects the faults, waits until everything has recovered, and audits. Returns what the services held meanwhile.
    async fn play(&self, scene: &Arc<Scene>) -> Result<Vec<Held>> {
        let begin = Instant::now();
        let faults = self.faults(scene, begin);
        let (done, held) = tokio::try_join!(faults, async { Ok(observe(scene, begin, begin + self.duration).await) })?;
        let fared = scene.sender.stop().await?;
        let well = Instant::now();
        for program in scene.receivers.iter().chain(&scene.indexers) {
            program.lock().await.ready().await.context("a service does not recover")?;
        }
        scene.pipeline.all_committed_within(patience() * 3).await.context("the indexers do not recover")?;
        eprintln!("all is settled {:?} after the last event", well.elapsed());
        let exceptions = scene.exceptions.lock().await.clone();
        let oracle = std::mem::take(&mut *scene.oracle.lock().await);
        let gone = std::mem::take(&mut *scene.gone.lock().await).into_values().collect();
        let findings = audit(&scene.pipeline, &journal(&scene.pipeline), oracle, exceptions, gone).await?;
        report(scene, &fared, &findings, &done).await;
        for program in scene.receivers.iter().chain(&scene.indexers) {
            program.lock().await.ready().await.context("a service has ended by itself")?;
        }
        ensure_none(&scene.pipeline, &findings).await?;
        Ok(held)
    }

    /// Injects the faults of all lanes. Returns the number of faults of each.
    async fn faults(&self, scene: &Arc<Scene>, begin: Instant) -> Result<BTreeMap<Lane, usize>> {
        let mut lanes = JoinSet::new();
        for lane in Lane::ALL {
            let (scene, end) = (Arc::clone(scene), begin + self.duration);
            let steps: Vec<Step> = self.steps.iter().filter(|step| step.lane == lane).copied().collect();
            lanes.spawn(async move { anyhow::Ok((lane, do_lane(scene, begin, end, steps).await?)) });
        }
        let mut done = BTreeMap::new();
        let mut outcome: Result<()> = Ok(());
        while outcome.is_ok()
            && let Some(lane) = lanes.join_next().await
        {
            outcome = lane.map_err(Into::into).flatten().map(|(lane, count)| {
                done.insert(lane, count);
            });
        }
        lanes.shutdown().await;
        outcome.map(|()| done)
    }
}

/// Injects the faults of one lane, one after another. Returns their number. On a slow machine a fault may take longer
/// than planned, so none begins after `end`.
async fn do_lane(scene: Arc<Scene>, begin: Instant, end: Instant, steps: Vec<Step>) -> Result<usize> {
    let mut done = 0;
    for step in steps {
        sleep_until(begin + step.at).await;
        if Instant::now() >= end {
            break;
        }
        let mut fault = faults::of(step.kind);
        let at = || format!("{:6.1} s", begin.elapsed().as_secs_f64());
        eprintln!("{} {}", at(), step.kind);
        fault.inject(&scene).await.with_context(|| format!("{} is not done", step.kind))?;
        sleep(step.lasts).await;
        fault.undo(&scene).await.with_context(|| format!("{} does not end", step.kind))?;
        eprintln!("{} {} is over, {} events so far", at(), step.kind, scene.sender.fared().events);
        done += 1;
    }
    Ok(done)
}

fn journal(pipeline: &Pipeline) -> PathBuf {
    pipeline.file("journal")
}

/// Sets small margins and short waits, so that much happens in little time, and addresses behind the links.
fn configure(pipeline: &mut Pipeline, cluster: &Cluster) {
    let config = &mut pipeline.config;
    config.kafka.brokers = cluster.broker_addresses();
    config.schema_registry.url = cluster.registry_urls();
    config.schema_registry.refresh = Duration::from_secs(5);
    config.elasticsearch.url = cluster.node_urls();
    config.elasticsearch.request_timeout = Duration::from_secs(10);
    config.elasticsearch.placement.margin = Duration::from_secs(4);
    config.receiver.shutdown_delay = Duration::from_millis(500);
    config.receiver.request_timeout = Duration::from_secs(8);
}

fn start(pipeline: &Pipeline, binary: Binary) -> Result<Vec<Program>> {
    (0..SERVICES).map(|number| Program::start(pipeline, binary, number)).collect()
}

async fn report(scene: &Scene, fared: &Fared, findings: &Findings, done: &BTreeMap<Lane, usize>) {
    let mut peaks = Vec::new();
    for program in scene.receivers.iter().chain(&scene.indexers) {
        peaks.push(program.lock().await.peak_bytes() >> 20);
    }
    let exceptions = scene.exceptions.lock().await;
    eprintln!("{} events sent; answers: {:?}; faults: {done:?}", fared.events, fared.answers);
    eprintln!("peak memory in MiB, receivers then indexers: {peaks:?}");
    let (deleted, overtaken) = (exceptions.deleted.len(), exceptions.overtaken.len());
    eprintln!("exceptions: {deleted} documents deleted, {overtaken} overtaken, indices {:?} blind", exceptions.blind);
    eprintln!("audit: {findings}");
}
