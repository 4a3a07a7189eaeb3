//! The load, with a progress bar for each half of the way.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use super::setup::Demo;
use harness::event::Events;
use harness::eventually;
use harness::sender::{Flaw, Load, Mix, Outcome, Progress};

/// The connections of the sender.
const CONNECTIONS: usize = 64;
/// The approximate number of events with a deliberate flaw.
const FLAWED: u64 = 20;
/// Flaws for the receiver to refuse, and flaws for Elasticsearch to refuse.
const FLAWS: [Flaw; 4] = [Flaw::Truncated, Flaw::Unmappable, Flaw::NotAvro, Flaw::Unmappable];

/// The result of the load.
pub(super) struct Done {
    /// The events that were sent.
    pub(super) mix: Mix,
    /// The number of events.
    pub(super) count: u64,
    /// The receiver's answers.
    pub(super) outcome: Outcome,
    /// The end of the dead-letter topic before the load.
    pub(super) dead_letters_before: u64,
    /// The time from the first event sent until all records were settled.
    pub(super) settled_after: Duration,
}

/// Sends `count` events and waits until the indexer has settled every record.
pub(super) async fn run(demo: &mut Demo, count: u64) -> anyhow::Result<Done> {
    let mix = Mix { events: Events::unique(), flawed_every: (count / FLAWED).max(5), flaws: &FLAWS };
    let dead_letters_before = demo.kafka.count(&demo.config.kafka.dead_letter_topic).await?;
    let load = Load {
        targets: vec![demo.target()],
        path: demo.source.path.clone(),
        token: demo.token.clone(),
        connections: CONNECTIONS,
        count,
        per_second: None,
        mix,
        patience: eventually::patience() * 10,
    };
    let start = tokio::time::Instant::now();
    let outcome = tokio::select! {
        outcome = send(&load) => outcome?,
        failed = demo.watch() => return Err(failed.err().unwrap_or_else(|| anyhow::anyhow!("a service has ended"))),
    };
    settle(demo).await?;
    Ok(Done { mix, count, outcome, dead_letters_before, settled_after: start.elapsed() })
}

fn bar(what: &'static str, length: u64) -> anyhow::Result<ProgressBar> {
    let style = "{prefix:9} {wide_bar} {human_pos} of {human_len} ({rate} a second)";
    let rate = |state: &ProgressState, out: &mut dyn Write| {
        // This fails only if the formatter cannot write.
        write!(out, "{:.0}", state.per_sec()).ok();
    };
    let style = ProgressStyle::with_template(style)?.with_key("rate", rate);
    Ok(ProgressBar::new(length).with_style(style).with_prefix(what))
}

async fn send(load: &Load) -> anyhow::Result<Outcome> {
    let bar = bar("sending", load.count)?;
    let progress = Arc::new(Progress::default());
    let sending = load.send(&progress);
    tokio::pin!(sending);
    let outcome = loop {
        tokio::select! {
            outcome = &mut sending => break outcome?,
            () = tokio::time::sleep(Duration::from_millis(100)) => bar.set_position(progress.done()),
        }
    };
    bar.finish();
    Ok(outcome)
}

/// Waits until the group has committed past every record.
async fn settle(demo: &mut Demo) -> anyhow::Result<()> {
    let (group, topic) = (demo.config.indexer.group_id.clone(), demo.config.kafka.topic.clone());
    let ends = demo.kafka.end_offsets(&topic).await?;
    let before = committed(demo, &group, &topic).await?;
    let open = |committed: &BTreeMap<i32, i64>| -> u64 {
        let each = ends.iter().map(|(partition, end)| end - committed.get(partition).unwrap_or(&0));
        each.map(|open| u64::try_from(open).unwrap_or(0)).sum()
    };
    let length = open(&before);
    let bar = bar("indexing", length)?;
    eventually::eventually("every record is settled", || async {
        let open = open(&committed(demo, &group, &topic).await?);
        bar.set_position(length.saturating_sub(open));
        anyhow::ensure!(open == 0, "{open} are not");
        Ok(())
    })
    .await?;
    bar.finish();
    Ok(())
}

async fn committed(demo: &Demo, group: &str, topic: &str) -> anyhow::Result<BTreeMap<i32, i64>> {
    let committed = demo.kafka.committed(group, topic).await?;
    Ok(committed.into_iter().map(|(partition, offset)| (partition, offset.unwrap_or(0))).collect())
}
