//! The main job during a series of failures: indexers are killed, Elasticsearch is down for 30 s, Kafka for 15 s.
//!
//! `make chaos` runs the same for longer: `PENSTOCK_CHAOS_EVENTS` sets the number of events, and
//! `PENSTOCK_CHAOS_ROUNDS` how often the whole sequence of faults happens while they are sent.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use harness::event::Events;
use harness::eventually::{eventually, patience, within};
use harness::http;
use harness::indexer_process::IndexerProcess;
use harness::pipeline::{Pipeline, Service};
use harness::process;
use harness::sender::{Flaw, Mix, Progress};
use harness::size;
use harness::stack::{OwnStack, Part};

const CONNECTIONS: usize = 64;
/// This is slow enough for faults to happen under load, and fast enough for a test.
const PER_SECOND: u64 = 1_500;
const ELASTICSEARCH_OUTAGE: Duration = Duration::from_secs(30);
const KAFKA_OUTAGE: Duration = Duration::from_secs(15);

/// Everything that the faults affect.
struct Scene {
    stack: OwnStack,
    receivers: Vec<Service>,
    indexers: Vec<IndexerProcess>,
    progress: Arc<Progress>,
    events: u64,
    rounds: u64,
}

impl Scene {
    /// Waits until `percent` of the events of `round` are sent.
    async fn reached(&self, round: u64, percent: u64) -> Result<()> {
        let due = self.events * (round * 100 + percent) / (self.rounds * 100);
        let long = patience() * u32::try_from(self.rounds)?;
        within(long, &format!("{due} events are through"), || async {
            let done = self.progress.done();
            anyhow::ensure!(done >= due, "{done} are");
            Ok(())
        })
        .await
    }

    async fn round(&mut self, round: u64) -> Result<()> {
        self.reached(round, 8).await?;
        self.indexers[0].kill_and_start_again()?;
        self.reached(round, 16).await?;
        self.indexers[1].kill_and_start_again()?;
        self.reached(round, 24).await?;
        self.elasticsearch_outage().await?;
        self.reached(round, 70).await?;
        for indexer in &mut self.indexers {
            indexer.kill_and_start_again()?;
        }
        self.reached(round, 78).await?;
        self.kafka_outage().await?;
        self.reached(round, 88).await?;
        self.indexers[0].kill_and_start_again()?;
        self.reached(round, 96).await?;
        self.indexers[1].kill_and_start_again()
    }

    /// Stops Elasticsearch. Meanwhile, kills an indexer whose batches cannot be written.
    async fn elasticsearch_outage(&mut self) -> Result<()> {
        // Its restart was longer ago. An indexer that has not sent anything yet would not know that Elasticsearch is
        // down.
        let longest = &self.indexers[0];
        eventually("it has indexed something since its restart", || async {
            let indexed = longest.metric(r#"penstock_indexer_documents_total{outcome="indexed"}"#).await?;
            anyhow::ensure!(indexed > 0.0, "nothing yet");
            Ok(())
        })
        .await?;
        let began = tokio::time::Instant::now();
        self.stack.stop(Part::Elasticsearch).await?;
        not_ready(longest.admin_url(), "elasticsearch").await?;
        self.indexers[1].kill_and_start_again()?;
        not_ready(self.indexers[1].admin_url(), "index").await?;
        tokio::time::sleep_until(began + ELASTICSEARCH_OUTAGE).await;
        self.stack.start_again(Part::Elasticsearch).await
    }

    async fn kafka_outage(&mut self) -> Result<()> {
        let began = tokio::time::Instant::now();
        self.stack.stop(Part::Kafka).await?;
        for receiver in &self.receivers {
            not_ready(&receiver.admin_url(), "kafka").await?;
            let livez = http::get(&format!("{}/livez", receiver.admin_url())).await?;
            assert_eq!(livez.status, 200, "a receiver without Kafka is alive");
        }
        tokio::time::sleep_until(began + KAFKA_OUTAGE).await;
        self.stack.start_again(Part::Kafka).await
    }
}

async fn not_ready(admin_url: &str, condition: &str) -> Result<()> {
    eventually(&format!("{admin_url} is not ready because of {condition}"), || async {
        let answer = http::get(&format!("{admin_url}/readyz")).await?;
        let named = answer.text().lines().any(|line| line.starts_with(&format!("{condition}: ")));
        anyhow::ensure!(answer.status == 503 && named, "{}: {}", answer.status, answer.text());
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_and_outages_lose_and_repeat_no_acknowledged_event() -> Result<()> {
    let events = size::number("PENSTOCK_CHAOS_EVENTS", 100_000)?;
    let rounds = size::number("PENSTOCK_CHAOS_ROUNDS", 1)?;
    process::build().await?;
    let stack = OwnStack::start("outages").await?;
    let pipeline = Pipeline::new(&stack.stack, "outages").await?;
    let receivers = vec![pipeline.receiver().await?, pipeline.receiver().await?];
    let indexers = vec![IndexerProcess::start(&pipeline, 0)?, IndexerProcess::start(&pipeline, 1)?];

    let mix = Mix { events: Events::unique(), flawed_every: 1_000, flaws: &Flaw::REFUSED };
    let mut load = pipeline.load(receivers.iter().map(Service::target).collect(), CONNECTIONS, events, mix);
    load.per_second = Some(PER_SECOND);
    load.patience *= u32::try_from(rounds)?;
    let progress = Arc::new(Progress::held());
    let sending = tokio::spawn({
        let progress = Arc::clone(&progress);
        async move { load.send(&progress).await }
    });
    let mut scene = Scene { stack, receivers, indexers, progress, events, rounds };
    for round in 0..rounds {
        scene.round(round).await?;
    }
    scene.progress.release();

    let outcome = sending.await??;
    eprintln!("{:?}; answers: {:?}; broken: {}", outcome.elapsed, outcome.answers, outcome.broken);
    assert!(outcome.answers.get(&503).is_some_and(|count| *count > 0), "no 503 while Kafka was down");
    let bad = (0..events).filter(|number| mix.flaw(*number).is_some());
    assert_eq!(outcome.refused.range(..events).map(|(number, _)| *number).collect::<Vec<_>>(), bad.collect::<Vec<_>>());
    assert!(outcome.refused.keys().all(|number| mix.flaw(*number).is_some()), "a good event was refused");
    assert!(outcome.acknowledged.iter().all(|number| mix.flaw(*number).is_none()), "a bad event was accepted");
    pipeline.delivered_exactly(&mix.indexable(&outcome.acknowledged)).await?;
    assert_eq!(pipeline.kafka.count(&pipeline.config.kafka.dead_letter_topic).await?, 0);
    Ok(())
}
