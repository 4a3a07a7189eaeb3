//! Each event is one document across indices: while the index rolls over every few seconds, indexers are killed or
//! stopped for longer than their session, and senders repeat events; and again when the whole topic is replayed.
//!
//! `PENSTOCK_ROLLOVER_EVENTS` sets the number of events, of which a thousand are sent per second.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use harness::event::{Events, now};
use harness::eventually::patience;
use harness::http::Method;
use harness::indexer_process::IndexerProcess;
use harness::pipeline::Pipeline;
use harness::process;
use harness::sender::Mix;
use harness::size;
use harness::stack::Stack;
use indexer::config::Strategy;
use rand::RngExt;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

/// The events' own timestamps advance at the same rate.
const PER_SECOND: u32 = 1_000;
/// The number of events per second that are repeated from the last minute: 5 %.
const REPEATED: u64 = 50;
const MARGIN: Duration = Duration::from_secs(1);
const ROLLOVER: Duration = Duration::from_secs(3);
const FLEET: usize = 3;
/// This is longer than the session time-out of [`Pipeline`].
const STANDSTILL: Duration = Duration::from_secs(8);

struct Scene {
    pipeline: Pipeline,
    mix: Mix,
    events: u64,
    fleet: Vec<IndexerProcess>,
    begin: Instant,
}

/// Aborts a task when it is dropped.
struct Background(JoinHandle<Result<()>>);

impl Drop for Background {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_event_is_one_document_with_rollover() -> Result<()> {
    one_event_is_one_document("rollover", Strategy::Rollover).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_event_is_one_document_with_time() -> Result<()> {
    one_event_is_one_document("rollover-time", Strategy::Time).await
}

async fn one_event_is_one_document(name: &str, strategy: Strategy) -> Result<()> {
    let mut scene = Scene::new(name, strategy).await?;
    scene.live().await?;
    scene.exactly_once("live").await?;
    scene.replay().await?;
    scene.exactly_once("after a replay").await?;
    scene.end().await
}

/// A rollover between reading the backing indices and writing to them is detected after the write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_event_is_one_document_in_a_data_stream() -> Result<()> {
    one_event_is_one_document("rollover-stream", Strategy::DataStream).await
}

impl Scene {
    async fn new(name: &str, strategy: Strategy) -> Result<Self> {
        let events = size::number("PENSTOCK_ROLLOVER_EVENTS", 12_000)?;
        process::build().await?;
        let mut pipeline = Pipeline::new(&Stack::running()?, name).await?;
        let settings = &mut pipeline.config.elasticsearch;
        settings.strategy = strategy;
        settings.placement.margin = MARGIN;
        // This makes several indices, but not hundreds.
        settings.placement.time_pattern =
            if events > 60_000 { "%Y.%m.%d-%H.%M" } else { "%Y.%m.%d-%H.%M.%S" }.to_owned();
        let fleet = (0..FLEET).map(|number| IndexerProcess::start(&pipeline, number)).collect::<Result<Vec<_>>>()?;
        for member in &fleet {
            member.ready().await?;
        }
        let mix = Mix::good(Events::new(rand::rng().random(), now()));
        Ok(Self { pipeline, mix, events, fleet, begin: Instant::now() })
    }

    /// Sends all events once and some twice, while the index rolls over and indexers fail. Returns when all is
    /// committed.
    async fn live(&mut self) -> Result<()> {
        let rolled = Arc::new(AtomicU64::new(0));
        let rolling = self.roll_over(Arc::clone(&rolled));
        let mut feed = self.pipeline.feed(self.mix);
        feed.per_second = Some(PER_SECOND);
        let events = self.events;
        let feeding = tokio::spawn(async move { feed.write(0..events).await });
        let repeating = self.repeat();
        let seconds = self.events / u64::from(PER_SECOND);
        for round in 0..seconds / 10 + 1 {
            self.fail(round).await?;
        }
        feeding.await??;
        repeating.await??;
        self.pipeline.all_committed_within(patience() * 3).await?;
        drop(rolling);
        eprintln!(
            "{:?}: {} events in {:?}, {} rollovers",
            self.pipeline.config.elasticsearch.strategy,
            self.events,
            self.begin.elapsed(),
            rolled.load(Ordering::Relaxed)
        );
        Ok(())
    }

    /// Causes the failures of ten seconds.
    async fn fail(&mut self, round: u64) -> Result<()> {
        let begin = self.begin + Duration::from_secs(10 * round);
        let one = usize::try_from(round)? % FLEET;
        self.fleet[one].pause()?;
        for second in [3, 6] {
            sleep_until(begin + Duration::from_secs(second)).await;
            self.fleet[(one + 1) % FLEET].kill_and_start_again()?;
        }
        sleep_until(begin + STANDSTILL).await;
        self.fleet[one].resume()?;
        sleep_until(begin + Duration::from_secs(10)).await;
        Ok(())
    }

    /// Starts senders that repeat events from the last minute.
    fn repeat(&self) -> JoinHandle<Result<()>> {
        let (feed, begin, seconds) = (self.pipeline.feed(self.mix), self.begin, self.events / u64::from(PER_SECOND));
        tokio::spawn(async move {
            for second in 2..=seconds {
                sleep_until(begin + Duration::from_secs(second)).await;
                let of = rand::rng().random_range(second.saturating_sub(60)..second - 1) * u64::from(PER_SECOND);
                feed.write(of..of + REPEATED).await?;
            }
            Ok(())
        })
    }

    fn roll_over(&self, rolled: Arc<AtomicU64>) -> Background {
        let (search, settings) = (self.pipeline.search.clone(), &self.pipeline.config.elasticsearch);
        let (strategy, name, begin) = (settings.strategy, settings.index_name.clone(), self.begin);
        Background(tokio::spawn(async move {
            if strategy == Strategy::Time {
                return Ok(());
            }
            for turn in 1_u32.. {
                sleep_until(begin + ROLLOVER * turn).await;
                match search.call(Method::POST, &format!("{name}/_rollover"), &json!({})).await {
                    Ok(_) => rolled.fetch_add(1, Ordering::Relaxed),
                    Err(error) => {
                        eprintln!("rollover {turn}: {error:#}");
                        continue;
                    }
                };
            }
            Ok(())
        }))
    }

    /// Reads everything again from the first record on, with a new fleet.
    async fn replay(&mut self) -> Result<()> {
        for member in self.fleet.drain(..) {
            member.stop().await?;
        }
        let (group, topic) = (&self.pipeline.config.indexer.group_id, &self.pipeline.config.kafka.topic);
        self.pipeline.kafka.rewind(group, topic).await?;
        for number in 0..FLEET {
            self.fleet.push(IndexerProcess::start(&self.pipeline, FLEET + number)?);
        }
        self.pipeline.all_committed_within(patience() * 3).await
    }

    async fn exactly_once(&self, when: &str) -> Result<()> {
        let all = self.mix.indexable(&(0..self.events).collect::<Vec<_>>());
        self.pipeline.delivered_exactly(&all).await.context(when.to_owned())?;
        assert_eq!(self.pipeline.kafka.count(&self.pipeline.config.kafka.dead_letter_topic).await?, 0);
        let indices = self.indices().await?;
        eprintln!("{when}: exactly once in {} indices", indices.len());
        assert!(indices.len() > 1, "{indices:?}: there is but one index, so nothing was tried");
        Ok(())
    }

    async fn indices(&self) -> Result<Vec<String>> {
        let name = &self.pipeline.config.elasticsearch.index_name;
        let answer = self
            .pipeline
            .search
            .call(Method::GET, &format!("{name}/_settings?filter_path=*.settings.index.uuid"), &Value::Null)
            .await?;
        Ok(answer.as_object().context("no indices")?.keys().cloned().collect())
    }

    /// Stops the fleet and deletes the indices, because a stack has room for a limited number.
    async fn end(self) -> Result<()> {
        let indices = self.indices().await?;
        let settings = &self.pipeline.config.elasticsearch;
        for member in self.fleet {
            member.stop().await?;
        }
        if settings.strategy == Strategy::DataStream {
            let path = format!("_data_stream/{}", settings.index_name);
            return self.pipeline.search.call(Method::DELETE, &path, &Value::Null).await.map(drop);
        }
        for some in indices.chunks(20) {
            self.pipeline.search.call(Method::DELETE, &some.join(","), &Value::Null).await?;
        }
        Ok(())
    }
}

harness::on_opensearch! {
    one_event_is_one_document_with_rollover,
    one_event_is_one_document_with_time,
    one_event_is_one_document_in_a_data_stream,
}
