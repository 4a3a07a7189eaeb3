//! Measures the cost of placement: the same live events into a real Elasticsearch with each strategy, both with a
//! stable index and with a rollover every few seconds.

use std::time::Duration;

use anyhow::Context;
use indexer::config::Strategy;
use serde_json::json;

use super::indexer::{INDEXED, all_counted};
use super::report::{Line, Report};
use super::sample::Sample;
use super::setup::Setup;
use harness::http::Method;
use harness::pipeline::ready;
use harness::usage::Usage;

const ROLLOVER: Duration = Duration::from_secs(3);
/// Each line with its strategy, and whether the index rolls over during the measurement.
const CASES: [(Line, Strategy, bool); 5] = [
    (Line::Single, Strategy::Single, false),
    (Line::Rollover, Strategy::Rollover, false),
    (Line::RolloverRolling, Strategy::Rollover, true),
    (Line::DataStream, Strategy::DataStream, false),
    (Line::DataStreamRolling, Strategy::DataStream, true),
];

/// Measures each line once.
///
/// # Errors
/// If an indexer does not finish.
pub(super) async fn round(setup: &Setup, events: u64, report: &mut Report) -> anyhow::Result<()> {
    for (line, strategy, is_rolling) in CASES {
        report.add(line, measure(setup, events, strategy, is_rolling).await?);
    }
    Ok(())
}

/// Writes the events as fast as Kafka accepts them while the indexer runs. Measures from the first document to the
/// last.
async fn measure(setup: &Setup, events: u64, strategy: Strategy, is_rolling: bool) -> anyhow::Result<Sample> {
    let (mut indexer, admin, topic) = setup.placing_indexer(strategy).await?;
    ready(&admin).await.with_context(|| indexer.last_lines())?;
    let rolling = roll_over(setup, &topic);
    let feed = setup.feed(&topic);
    let (_, counted) = tokio::select! {
        both = async { tokio::try_join!(feed.write(0..events), all_counted(&mut indexer, &admin, INDEXED, events)) } => both?,
        rolled = rolling, if is_rolling => return Err(rolled.context("the index does not roll over")),
    };
    Ok(Sample::new(events, counted.elapsed).with_usage(Usage::of(indexer.id())?))
}

/// Rolls the index over repeatedly. Returns the first error.
async fn roll_over(setup: &Setup, topic: &str) -> anyhow::Error {
    let search = setup.search();
    loop {
        tokio::time::sleep(ROLLOVER).await;
        if let Err(error) = search.call(Method::POST, &format!("{topic}/_rollover"), &json!({})).await {
            return error;
        }
    }
}
