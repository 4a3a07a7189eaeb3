//! Measures the time from the webhook until an event is readable by its id, while others arrive at a given rate.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::json;

use super::report::{Line, Report};
use super::sample::Sample;
use super::setup::{Flow, Setup};
use harness::event::Events;
use harness::http::{self, Method};
use harness::pipeline::{PATH, ready};
use harness::usage::Usage;

/// Each line with its events per second.
const RATES: [(Line, u32); 6] = [
    (Line::Freshness1, 1),
    (Line::Freshness20, 20),
    (Line::Freshness50, 50),
    (Line::Freshness200, 200),
    (Line::Freshness2000, 2_000),
    (Line::Freshness20000, 20_000),
];
/// The most timed events per second; the others go directly to Kafka.
const PROBES_PER_SECOND: u32 = 10;
/// How long events arrive before the first is timed.
const WARM_UP: Duration = Duration::from_secs(5);
/// How long events are timed.
const DURATION: Duration = Duration::from_secs(20);
/// The shortest time between two requests to Elasticsearch for the awaited events.
const INTERVAL: Duration = Duration::from_millis(5);
/// The divisor of the longest wait so far that gives the time between two requests. More frequent requests would be a
/// load of their own once Elasticsearch falls behind.
const PRECISION: u32 = 50;
/// The time limit for the last of the awaited events.
const PATIENCE: Duration = Duration::from_secs(60);

/// Measures each rate once.
///
/// # Errors
/// If an event is refused.
pub(super) async fn round(setup: &Setup, report: &mut Report) -> anyhow::Result<()> {
    for (line, rate) in RATES {
        report.add(line, measure(setup, rate).await?);
    }
    Ok(())
}

async fn measure(setup: &Setup, rate: u32) -> anyhow::Result<Sample> {
    let flow = setup.flow().await?;
    ready(&flow.indexer_admin).await.with_context(|| flow.indexer.last_lines())?;
    ready(&flow.receiver_admin).await.with_context(|| flow.receiver.last_lines())?;
    let probes = rate.min(PROBES_PER_SECOND);
    let mut feed = setup.feed(&flow.topic);
    feed.per_second = Some(rate - probes);
    // Longer than the measurement, including the time limit for the last answers.
    let seconds = (WARM_UP + DURATION + 2 * PATIENCE).as_secs();
    let others = u64::from(rate - probes) * seconds;
    let (before, mut waits) = (Usage::of(flow.indexer.id())?, Waits::default());
    tokio::select! {
        timed = time_probes(setup, &flow, probes, &mut waits) => timed?,
        fed = feed.write(0..others), if others > 0 => anyhow::bail!("the other events ended too early: {fed:?}"),
    }
    let events = u64::from(rate) * (WARM_UP + DURATION).as_secs();
    let sample = Sample::new(events, WARM_UP + DURATION);
    Ok(waits.add_to(sample).with_usage_between(before, Usage::of(flow.indexer.id())?))
}

/// Tracks the awaited events and their waits.
#[derive(Default)]
struct Waits {
    awaited: BTreeMap<String, Instant>,
    milliseconds: Vec<f64>,
}

impl Waits {
    fn add_to(mut self, sample: Sample) -> Sample {
        self.milliseconds.sort_by(f64::total_cmp);
        let part = |share: f64| {
            let place = (self.milliseconds.len() as f64 * share).ceil() as usize;
            self.milliseconds.get(place.saturating_sub(1)).copied()
        };
        Sample { p50_ms: part(0.5), p99_ms: part(0.99), max_ms: part(1.0), ..sample }
    }

    /// Counts the events that have not arrived as if they arrived now, so that a rate beyond this machine still has a
    /// line. Prints how many there are.
    fn give_up(&mut self, per_second: u32, log: &str) {
        println!(
            "at {per_second} timed events a second, {} did not become readable within {} s, and count as {} s and more: \
             with Kafka, Elasticsearch, the load and both services on it, this machine cannot keep up; {log}",
            self.awaited.len(),
            PATIENCE.as_secs(),
            PATIENCE.as_secs(),
        );
        let times = std::mem::take(&mut self.awaited).into_values();
        self.milliseconds.extend(times.map(|since| since.elapsed().as_secs_f64() * 1e3));
    }

    /// Waits briefly, then checks which of the awaited events are readable.
    async fn look(&mut self, setup: &Setup, index: &str) -> anyhow::Result<()> {
        let longest = self.awaited.values().map(Instant::elapsed).max();
        tokio::time::sleep((longest.unwrap_or_default() / PRECISION).max(INTERVAL)).await;
        if self.awaited.is_empty() {
            return Ok(());
        }
        let ids: Vec<&String> = self.awaited.keys().collect();
        let path = format!("{index}/_mget?_source=false");
        let answer = setup.search().call(Method::POST, &path, &json!({"ids": ids})).await?;
        let found = answer["docs"].as_array().into_iter().flatten().filter(|document| document["found"] == true);
        let ids: Vec<String> = found.filter_map(|document| Some(document["_id"].as_str()?.to_owned())).collect();
        for id in ids {
            if let Some(since) = self.awaited.remove(&id) {
                self.milliseconds.push(since.elapsed().as_secs_f64() * 1e3);
            }
        }
        Ok(())
    }
}

/// Posts events and times each, once the other events have been arriving for a while.
async fn time_probes(setup: &Setup, flow: &Flow, per_second: u32, waits: &mut Waits) -> anyhow::Result<()> {
    // Neighbouring seeds share ids, so the other events would exist before these are posted.
    let events = Events::unique();
    let begin = Instant::now();
    let mut sent = 0_u32;
    while begin.elapsed() < WARM_UP + DURATION {
        while begin.elapsed() >= Duration::from_secs(1) * sent / per_second {
            let since = Instant::now();
            post(setup, flow, events.event(u64::from(sent)).encode()).await?;
            if begin.elapsed() >= WARM_UP {
                waits.awaited.insert(events.id(u64::from(sent)), since);
            }
            sent += 1;
        }
        waits.look(setup, &flow.topic).await?;
    }
    let end = Instant::now();
    while !waits.awaited.is_empty() {
        waits.look(setup, &flow.topic).await?;
        if end.elapsed() >= PATIENCE {
            waits.give_up(per_second, &flow.indexer.last_lines());
        }
    }
    Ok(())
}

async fn post(setup: &Setup, flow: &Flow, datum: Vec<u8>) -> anyhow::Result<()> {
    let token = format!("Bearer {}", setup.token);
    let headers = [("authorization", token.as_str()), ("content-type", "application/avro")];
    let answer = http::send(Method::POST, &format!("http://{}{PATH}", flow.webhook), &headers, datum).await?;
    anyhow::ensure!(answer.status == 200, "{}: {}", answer.status, answer.text());
    Ok(())
}
