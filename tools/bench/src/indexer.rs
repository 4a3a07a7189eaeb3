//! Measures the way from Kafka into an Elasticsearch that does nothing, compared with librdkafka consuming alone.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context;

use super::child::Child;
use super::null_elasticsearch::{Backing, COUNTS_PATH, Counts};
use super::part::Part;
use super::report::{Line, Report};
use super::sample::Sample;
use super::setup::{EVENTS, LARGE, Setup};
use harness::config::Config;
use harness::http;
use harness::pipeline::metric;
use harness::process::Process;
use harness::usage::Usage;

/// The longest time without progress.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the indexer's progress is read: rarely enough to cost it nothing.
const INTERVAL: Duration = Duration::from_millis(20);
/// The bytes of a large event.
const LARGE_BYTES: usize = 20_000;
/// The usual events for each large one: both kinds take about as long.
const LARGE_SHARE: u64 = 40;
/// The metric of indexed documents.
pub(super) const INDEXED: &str = r#"penstock_indexer_documents_total{outcome="indexed"}"#;
/// The metric of documents that existed already.
pub(super) const DUPLICATES: &str = r#"penstock_indexer_documents_total{outcome="duplicate"}"#;

/// Fills the topics with `events` usual events, and some large ones.
///
/// # Errors
/// If Kafka does not accept all of them.
pub(super) async fn fill(setup: &Setup, events: u64) -> anyhow::Result<()> {
    setup.feed(EVENTS).write(0..events).await?;
    let mut feed = setup.feed(LARGE);
    feed.mix.events = feed.mix.events.of_size(LARGE_BYTES);
    feed.write(0..large(events)).await
}

/// Returns how many large events belong to `events` usual ones.
fn large(events: u64) -> u64 {
    (events / LARGE_SHARE).max(1)
}

/// Measures the floor and the indexer once each, with usual and with large events.
///
/// # Errors
/// If one of them does not finish.
pub(super) async fn round(setup: &Setup, events: u64, report: &mut Report) -> anyhow::Result<()> {
    report.add(Line::KafkaFloor, floor(setup, EVENTS, events).await?);
    let (sample, null_usage) = into_null(setup, setup.config(), events, Backing::ONE).await?;
    report.add(Line::Indexer, sample);
    report.add(Line::NullElasticsearch, sample.with_usage(null_usage));
    let large = large(events);
    report.add(Line::KafkaFloorLarge, floor(setup, LARGE, large).await?);
    let mut config = setup.config();
    LARGE.clone_into(&mut config.kafka.topic);
    report.add(Line::IndexerLarge, into_null(setup, config, large, Backing::ONE).await?.0);
    Ok(())
}

/// Measures an indexer with `config` until it has indexed `events` events into an Elasticsearch that does nothing and
/// lists the `backing` indices. Also returns the usage of that Elasticsearch.
///
/// # Errors
/// If the indexer does not finish.
pub(super) async fn into_null(
    setup: &Setup,
    config: Config,
    events: u64,
    backing: Backing,
) -> anyhow::Result<(Sample, Usage)> {
    let (null, elasticsearch) = null(backing).await?;
    let (mut indexer, admin) = setup.indexer(config, elasticsearch)?;
    all_counted(&mut indexer, &admin, INDEXED, events).await?;
    let (usage, null_usage) = (Usage::of(indexer.id())?, Usage::of(null.id())?);
    drop(indexer);
    let counts: Counts =
        serde_json::from_slice(&http::get(&format!("http://{elasticsearch}{COUNTS_PATH}")).await?.body)?;
    Ok((Sample::new(counts.documents, counts.duration).with_usage(usage), null_usage))
}

/// Starts an Elasticsearch that does nothing and lists the `backing` indices. Also returns its address.
///
/// # Errors
/// If it does not start.
pub(super) async fn null(backing: Backing) -> anyhow::Result<(Child, SocketAddr)> {
    let Backing { count, first, interval } = backing;
    let (count, first, interval) = (count.to_string(), first.to_string(), interval.to_string());
    Child::server(&[Part::NULL_ELASTICSEARCH, &count, &first, &interval]).await
}

async fn floor(setup: &Setup, topic: &str, events: u64) -> anyhow::Result<Sample> {
    let mut child = Child::start(&[Part::KAFKA_FLOOR, &setup.brokers(), topic, &events.to_string()])?;
    let line = child.line().await.context("librdkafka consuming alone")?;
    Ok(serde_json::from_str(&line)?)
}

/// What an indexer did while its counter was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted {
    /// The time from the first reading that was not 0 to the last.
    pub(super) elapsed: Duration,
    /// The events that were counted in this time.
    pub(super) rest: u64,
}

/// Waits until the indexer's `counter` reaches `events`.
///
/// # Errors
/// If the indexer ends, or makes no progress.
pub(super) async fn all_counted(
    indexer: &mut Process,
    admin: &str,
    counter: &str,
    events: u64,
) -> anyhow::Result<Counted> {
    let (mut counted, mut progress, mut begin, mut first) = (0.0, Instant::now(), None, 0.0);
    while counted < events as f64 {
        // A slow run gets no more requests than a fast one, since each answer costs the indexer CPU time.
        let so_far = begin.map_or(Duration::ZERO, |begin: Instant| begin.elapsed());
        tokio::time::sleep(INTERVAL.max(so_far / 50)).await;
        indexer.ensure_running().context("penstock-indexer")?;
        // At first, nothing listens there.
        let now = metric(admin, counter).await.unwrap_or(0.0);
        if now > counted {
            (counted, progress) = (now, Instant::now());
            if begin.is_none() {
                (begin, first) = (Some(progress), now);
            }
        }
        if progress.elapsed() > PATIENCE {
            let seconds = PATIENCE.as_secs();
            anyhow::bail!(
                "penstock-indexer: {counted} of {events} events, none for {seconds} s; {}",
                indexer.last_lines()
            );
        }
    }
    // The metric is a number of events, so nothing is lost.
    Ok(Counted { elapsed: begin.unwrap_or(progress).elapsed(), rest: events.saturating_sub(first as u64) })
}
