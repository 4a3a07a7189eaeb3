//! Plans what a replay reads: decided at its start, and stored in its checkpoint.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::{Duration, Instant};

use kafka::position::{NextOffset, Partition};
use sha2::{Digest, Sha256};

use super::checkpoint::{Checkpoint, Committed};
use super::log::Log;
use super::{CommandError, ReplayArgs};
use crate::backing::now_millis;
use crate::commands::times::When;
use crate::config::Config;

/// How long a killed member stays in its group, unless `kafka.options` set it: the indexer's own session timeout.
const SESSION: Duration = Duration::from_secs(10);
/// How much longer to wait for the group.
const GRACE: Duration = Duration::from_secs(5);
/// How often to check the group.
const POLL: Duration = Duration::from_millis(500);

/// What to read, and whether an earlier run has begun it.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) checkpoint: Checkpoint,
    pub(super) is_resumed: bool,
}

/// Plans what to read: the range of an unfinished replay of this name, or else the range in `args`. Waits for Kafka.
/// A dry run commits nothing, and a new replay begins only if it `may_begin`.
///
/// # Errors
/// [`CommandError`], if the same replay is running elsewhere, or an unfinished one has other arguments.
pub(super) fn plan(config: &Config, args: &ReplayArgs, may_begin: bool) -> Result<Plan, CommandError> {
    let log = Log::new(config)?;
    let all = log.partitions()?;
    if args.dry_run {
        return Ok(Plan { checkpoint: fresh(&log, &all, args)?, is_resumed: false });
    }
    let name = args.name(config);
    wait_until_free(config, &log, &name)?;
    if !args.restart
        && let Some(checkpoint) = begun(&log.committed(&all)?, args)
    {
        return resumed(checkpoint, &log, args, name);
    }
    if !may_begin {
        return Err(CommandError::NotFresh(args.into.clone().unwrap_or_default()));
    }
    let checkpoint = fresh(&log, &all, args)?;
    log.begin(&checkpoint)?;
    Ok(Plan { checkpoint, is_resumed: false })
}

/// Returns the replay to continue: one that is unfinished, or one into another index, which continues until that
/// index has replaced the old one.
fn begun(committed: &BTreeMap<Partition, Committed>, args: &ReplayArgs) -> Option<Checkpoint> {
    let goes_on = |it: &Checkpoint| !it.is_complete() || (args.into.is_some() && it.asked == asked(args));
    Checkpoint::of(committed).filter(goes_on)
}

/// Extends `checkpoint` to the current end of the topic. Waits for Kafka.
///
/// # Errors
/// The same as those of [`plan`].
pub(super) fn extend(config: &Config, args: &ReplayArgs, checkpoint: &mut Checkpoint) -> Result<(), CommandError> {
    let log = Log::new(config)?;
    wait_until_free(config, &log, &args.name(config))?;
    let mut partitions: BTreeSet<Partition> = checkpoint.ranges.keys().copied().collect();
    if named(args).is_empty() {
        // Those that the topic has got since the replay began.
        partitions.extend(log.partitions()?);
    }
    let partitions: Vec<Partition> = partitions.into_iter().collect();
    let (starts, ends) = (log.offsets(&When::Earliest, &partitions)?, log.offsets(&When::Now, &partitions)?);
    lengthen(&mut checkpoint.ranges, &starts, &ends);
    let committed = log.committed(&partitions)?;
    let next = |(partition, range): (&Partition, &Range<i64>)| {
        (*partition, committed.get(partition).map_or(NextOffset(range.start), |it| it.next))
    };
    log.note(checkpoint, checkpoint.ranges.iter().map(next).collect())?;
    let settled = checkpoint.ranges.iter().map(|(partition, range)| {
        let next = committed.get(partition).map_or(range.start, |it| it.next.0);
        u64::try_from(next.clamp(range.start, range.end) - range.start).unwrap_or(0)
    });
    checkpoint.settled = settled.sum();
    Ok(())
}

/// Lengthens `ranges` to the `ends` of the log. Partitions that have none yet are read from their `starts`.
fn lengthen(
    ranges: &mut BTreeMap<Partition, Range<i64>>,
    starts: &BTreeMap<Partition, i64>,
    ends: &BTreeMap<Partition, i64>,
) {
    for (partition, end) in ends {
        let start = starts.get(partition).copied().unwrap_or(0);
        let range = ranges.entry(*partition).or_insert(start..start);
        range.end = range.end.max(*end);
    }
}

fn resumed(checkpoint: Checkpoint, log: &Log, args: &ReplayArgs, name: String) -> Result<Plan, CommandError> {
    if checkpoint.asked != asked(args) {
        let (settled, total) = (checkpoint.settled, checkpoint.total());
        return Err(CommandError::Unfinished { name, settled, total });
    }
    if let (Some(then), Some(now)) = (checkpoint.topic, log.topic_id())
        && then != now
    {
        return Err(CommandError::OtherTopic(name));
    }
    Ok(Plan { checkpoint, is_resumed: true })
}

/// Waits until the group has no members. A killed member stays for its session timeout.
fn wait_until_free(config: &Config, log: &Log, name: &str) -> Result<(), CommandError> {
    let session = config.kafka.options.get("session.timeout.ms").and_then(|millis| millis.parse().ok());
    let until = Instant::now() + session.map_or(SESSION, Duration::from_millis) + GRACE;
    let mut is_logged = false;
    loop {
        let members = log.members()?;
        if members.is_empty() {
            return Ok(());
        }
        if Instant::now() >= until {
            return Err(CommandError::Busy { name: name.to_owned(), members: members.join(", ") });
        }
        if !is_logged {
            tracing::info!(members = members.join(", "), "The replay is running, or was killed a moment ago: waiting.");
            is_logged = true;
        }
        std::thread::sleep(POLL);
    }
}

/// Returns the ranges in `args`, as of now.
fn fresh(log: &Log, all: &[Partition], args: &ReplayArgs) -> Result<Checkpoint, CommandError> {
    let partitions = chosen(all, args)?;
    let (begins, ends) = (log.offsets(&args.from.when, &partitions)?, log.offsets(&args.to.when, &partitions)?);
    let ranges = begins.into_iter().map(|(partition, begin)| {
        let end = ends.get(&partition).copied().unwrap_or(begin);
        (partition, begin..end.max(begin))
    });
    Ok(Checkpoint {
        run: now_millis(),
        asked: asked(args),
        topic: log.topic_id(),
        ranges: ranges.collect(),
        settled: 0,
    })
}

/// Returns the partitions that `args` name, or all.
fn chosen(all: &[Partition], args: &ReplayArgs) -> Result<Vec<Partition>, CommandError> {
    let named = named(args);
    let Some(first) = named.first() else { return Ok(all.to_vec()) };
    if named.iter().any(|other| other != first) {
        return Err(CommandError::Partitions);
    }
    match first.iter().find(|partition| !all.contains(partition)) {
        Some(missing) => Err(CommandError::NoPartition(*missing)),
        None => Ok(first.iter().copied().collect()),
    }
}

/// Returns the sets of partitions that `args` name in several ways; none if all partitions are meant.
fn named(args: &ReplayArgs) -> Vec<BTreeSet<Partition>> {
    let listed = (!args.partition.is_empty()).then(|| args.partition.iter().map(|number| Partition(*number)).collect());
    let named = [listed, args.from.when.partitions(), args.to.when.partitions()];
    named.into_iter().flatten().map(BTreeSet::from_iter).collect()
}

/// Returns a hash of the arguments as they were written, so that "24h" is the same request tomorrow.
fn asked(args: &ReplayArgs) -> String {
    let request =
        format!("{:?} {:?} {:?} {:?} {:?}", args.from.text, args.to.text, args.partition, args.key, args.into);
    hex::encode(&Sha256::digest(request)[..6])
}

#[cfg(test)]
mod tests;
