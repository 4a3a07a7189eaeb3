//! Measures the cost of proving duplicates: all events of a topic, which are all indexed, are read again with each
//! `elasticsearch.verify_duplicates`, and by the command `replay`.

use std::time::{Duration, Instant};

use anyhow::Context;
use indexer::config::{Strategy, VerifyDuplicates};

use super::indexer::{DUPLICATES, INDEXED, all_counted};
use super::report::{Line, Report};
use super::sample::Sample;
use super::setup::Setup;
use harness::pipeline::ready;
use harness::usage::Usage;

/// The time limit for the command.
const PATIENCE: Duration = Duration::from_secs(600);
/// How often the command is checked.
const INTERVAL: Duration = Duration::from_millis(20);

const CASES: [(Line, VerifyDuplicates); 3] = [
    (Line::ReplayNever, VerifyDuplicates::Never),
    (Line::ReplayByTimestamp, VerifyDuplicates::ByTimestamp),
    (Line::ReplayAlways, VerifyDuplicates::Always),
];

/// Indexes the events, and returns their topic.
///
/// # Errors
/// If the indexer does not finish.
pub(super) async fn fill(setup: &Setup, events: u64) -> anyhow::Result<String> {
    let (mut indexer, admin, topic) = setup.placing_indexer(Strategy::Single).await?;
    ready(&admin).await.with_context(|| indexer.last_lines())?;
    setup.feed(&topic).write(0..events).await?;
    all_counted(&mut indexer, &admin, INDEXED, events).await?;
    Ok(topic)
}

/// Measures each line once.
///
/// # Errors
/// As for [`fill`].
pub(super) async fn round(setup: &Setup, topic: &str, events: u64, report: &mut Report) -> anyhow::Result<()> {
    for (line, how) in CASES {
        let (mut indexer, admin) = setup.replaying_indexer(topic, how)?;
        let counted = all_counted(&mut indexer, &admin, DUPLICATES, events).await?;
        report.add(line, Sample::new(events, counted.elapsed).with_usage(Usage::of(indexer.id())?));
    }
    report.add(Line::ReplayCommand, by_command(setup, topic, events).await?);
    Ok(())
}

/// Measures the command `replay` from start to end, the time that an operator waits.
async fn by_command(setup: &Setup, topic: &str, events: u64) -> anyhow::Result<Sample> {
    let (mut command, begin) = (setup.replay_command(topic)?, Instant::now());
    let mut usage = None;
    // Once the process has ended, the system no longer has its figures.
    while let Ok(so_far) = Usage::of(command.id()) {
        usage = Some(so_far);
        anyhow::ensure!(begin.elapsed() < PATIENCE, "the replay does not end; {}", command.last_lines());
        tokio::time::sleep(INTERVAL).await;
    }
    let (elapsed, status) = (begin.elapsed(), command.ended().await?);
    anyhow::ensure!(status.success(), "the replay ended with {status}; {}", command.last_lines());
    Ok(Sample::new(events, elapsed).with_usage(usage.context("the replay ended immediately")?))
}
