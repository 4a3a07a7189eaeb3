//! What proof costs: all events of a topic read again, each of which is a document already, by each
//! `elasticsearch.verify_duplicates`.

use anyhow::Context;
use indexer::config::{Strategy, VerifyDuplicates};

use super::indexer::{DUPLICATES, INDEXED, all_counted};
use super::report::{Line, Report};
use super::sample::Sample;
use super::setup::Setup;
use harness::pipeline::ready;
use harness::usage::Usage;

const CASES: [(Line, VerifyDuplicates); 3] = [
    (Line::ReplayNever, VerifyDuplicates::Never),
    (Line::ReplayByTimestamp, VerifyDuplicates::ByTimestamp),
    (Line::ReplayAlways, VerifyDuplicates::Always),
];

/// Indexes the events; returns their topic.
///
/// # Errors
/// When the indexer does not get to the end.
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
/// As [`fill`].
pub(super) async fn round(setup: &Setup, topic: &str, events: u64, report: &mut Report) -> anyhow::Result<()> {
    for (line, how) in CASES {
        let (mut indexer, admin) = setup.replaying_indexer(topic, how)?;
        let elapsed = all_counted(&mut indexer, &admin, DUPLICATES, events).await?;
        report.add(line, Sample::new(events, elapsed).with_usage(Usage::of(indexer.id())?));
    }
    Ok(())
}
