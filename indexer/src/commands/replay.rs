//! `replay`: indexes a range of a topic again, through the same pipeline as the service and beside it.
//!
//! A replay has its own consumer group, `penstock-replay-NAME`, so the service's offsets do not move. Its committed
//! offsets are its checkpoint. The group has one member, so that no two replays of a name run at the same time.
//! Documents keep their ids, so existing documents are not duplicated.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use kafka::position::Partition;
use service::admin::Readiness;
use tokio::task::block_in_place;
use tokio_util::sync::CancellationToken;

use super::CommandError;
use super::exit::Exit;
use super::output::{Output, Progress};
use super::times::Bound;
use crate::bulk::dry_run::DryRun;
use crate::config::{Config, GroupProtocol};
use crate::consume::reading::{Bounds, Reading, Watched};
use crate::pipeline::{self, Job, Shared};
use checkpoint::{Checkpoint, total};
use plan::Plan;
use summary::{Outcome, Summary, Tally};

pub mod back;
mod checkpoint;
mod into;
mod log;
mod plan;
mod summary;

/// How often progress is shown.
const SHOW: Duration = Duration::from_millis(500);
/// The prefix of the consumer groups' names.
const GROUP: &str = "penstock-replay-";

const EXAMPLES: &str = "\
Examples:
  Index the last 24 hours again, while the service runs:
    penstock-indexer replay --from 24h --to now
  See what that would change:
    penstock-indexer replay --from 24h --to now --dry-run
  Fill a new index with the mapping of today's config, and replace the old one with it:
    penstock-indexer replay --from earliest --into cxone-events-000007 --swap
  Two partitions, from one offset to another, 500 records a second:
    penstock-indexer replay --from 0:120000,1:98000 --to 0:150000,1:99000 --rate 500

To continue a replay that was stopped or killed, give the same command again.
--dry-run exits with 2 if documents are missing or differ.";

/// The arguments of `replay`.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ReplayArgs {
    /// Where to begin: `earliest`, an RFC 3339 time, a duration ago such as `24h`, or offsets as PARTITION:OFFSET,…
    #[arg(long, value_name = "TIME|OFFSETS")]
    pub from: Bound,
    /// Where to end, in the same forms, or `now`. The record at this position is not read.
    #[arg(long, value_name = "TIME|OFFSETS", default_value = "now")]
    pub to: Bound,
    /// The topic, if indexer.topics has several.
    #[arg(long)]
    pub topic: Option<String>,
    /// Read only this partition. May be given several times.
    #[arg(long, value_name = "N")]
    pub partition: Vec<i32>,
    /// Index only the document with this id, or of a record with this key. May be given several times.
    #[arg(long, value_name = "ID")]
    pub key: Vec<String>,
    /// Fill this index instead of the service's. It must be new.
    #[arg(long, value_name = "INDEX")]
    pub into: Option<String>,
    /// Replace the old index with it when it is complete: the alias moves, and no document is lost or duplicated.
    #[arg(long, requires = "into", conflicts_with = "dry_run")]
    pub swap: bool,
    /// Swap even if the new index lacks documents of the old one, for example because Kafka no longer has them.
    #[arg(long, requires = "swap")]
    pub accept_fewer: bool,
    /// Read at most this many records per second.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: Option<u32>,
    /// Write nothing: only count what would be written, what already exists, and what would be refused.
    #[arg(long)]
    pub dry_run: bool,
    /// The name of the replay: a later command with this name continues it. The default is TOPIC, or TOPIC-into-INDEX.
    #[arg(long)]
    pub name: Option<String>,
    /// Start over, even if a replay with this name is unfinished.
    #[arg(long, conflicts_with = "dry_run")]
    pub restart: bool,
    /// How to print the summary.
    #[command(flatten)]
    pub output: Output,
}

impl ReplayArgs {
    /// Returns the name of the replay in the topic of `config`.
    fn name(&self, config: &Config) -> String {
        let topic = &config.kafka.topic;
        let own = || self.into.as_ref().map_or_else(|| topic.clone(), |into| format!("{topic}-into-{into}"));
        self.name.clone().unwrap_or_else(own)
    }
}

/// Replays what `args` ask for until everything is settled or `shutdown` is cancelled. Prints a summary.
///
/// # Errors
/// [`CommandError`].
pub async fn run(config: &Config, args: &ReplayArgs, shutdown: &CancellationToken) -> Result<Exit, CommandError> {
    let topic = topic_of(config, args.topic.as_deref())?;
    if let Some(into) = &args.into {
        return into::run(&topic, args, into, shutdown).await;
    }
    let config = of_replay(&topic, &group(&topic, args));
    let Plan { checkpoint, is_resumed } = block_in_place(|| plan::plan(&config, args, true))?;
    let name = args.name(&topic);
    if is_resumed {
        tracing::info!(name, settled = checkpoint.settled, total = checkpoint.total(), "The replay continues.");
    }
    let pass = Pass { config: &config, args, checkpoint: &checkpoint };
    let done = pass.run(shutdown).await?;
    if done.is_shared {
        return Err(CommandError::Shared(name));
    }
    let summary = Summary::new(name, &topic, &checkpoint, done);
    args.output.print(&summary);
    Ok(match summary.outcome {
        Outcome::Done => Exit::Done,
        Outcome::Interrupted => Exit::Failed,
        Outcome::DryRun => Exit::of_difference(summary.differs()),
    })
}

/// Returns the config of the topic `wanted`.
///
/// # Errors
/// If the config has several topics and none is named, or does not have the named one.
pub(super) fn topic_of(config: &Config, wanted: Option<&str>) -> Result<Config, CommandError> {
    let mut topics = config.of_topics();
    let names: Vec<String> = topics.iter().map(|topic| topic.kafka.topic.clone()).collect();
    let number = match wanted {
        None if topics.len() == 1 => Some(0),
        None => return Err(CommandError::WhichTopic(names.join(", "))),
        Some(wanted) => names.iter().position(|name| name == wanted),
    };
    match number {
        Some(number) => Ok(topics.swap_remove(number)),
        None => Err(CommandError::UnknownTopic(wanted.unwrap_or_default().to_owned(), names.join(", "))),
    }
}

/// Returns the consumer group. A dry run has a unique group, because it commits nothing.
fn group(config: &Config, args: &ReplayArgs) -> String {
    match args.dry_run {
        true => format!("{GROUP}dry-run-{:016x}", rand::random::<u64>()),
        false => format!("{GROUP}{}", args.name(config)),
    }
}

/// Returns `config` with the replay's own consumer group.
fn of_replay(config: &Config, group: &str) -> Config {
    let mut config = config.clone();
    config.indexer.group_id = group.to_owned();
    config.indexer.group_instance_id = None;
    // Every version of Kafka can list the members of a classic group.
    config.indexer.group_protocol = GroupProtocol::Classic;
    config
}

/// One pass over the ranges of a checkpoint.
struct Pass<'a> {
    config: &'a Config,
    args: &'a ReplayArgs,
    checkpoint: &'a Checkpoint,
}

/// The outcome of a pass.
#[derive(Debug, Default)]
struct Done {
    tally: Tally,
    elapsed: Duration,
    is_complete: bool,
    is_shared: bool,
    dry_run: Option<Arc<DryRun>>,
}

impl Done {
    /// Adds the outcome of a later pass.
    fn add(&mut self, later: Self) {
        let mut tally = self.tally;
        tally += later.tally;
        *self = Self { tally, elapsed: self.elapsed + later.elapsed, ..later };
    }
}

impl Pass<'_> {
    async fn run(&self, shutdown: &CancellationToken) -> Result<Done, CommandError> {
        let registry = service::metrics::Registry::new();
        let readiness = Readiness::new();
        let shared = Shared::new(self.config, &registry, shutdown)?;
        let metrics = shared.metrics().clone();
        let dry_run = self.args.dry_run.then(|| DryRun::new(self.config)).transpose()?.map(Arc::new);
        let watched = Arc::new(Watched::default());
        let job = self.job(Arc::clone(&watched), dry_run.clone());
        let begin = Instant::now();
        let mut progress = self.args.output.progress("replay", Some(self.checkpoint.total()));
        let show = watch(&mut progress, &watched, &readiness);
        tokio::select! {
            outcome = pipeline::run_topic(self.config, &shared, &readiness, job) => outcome?,
            () = show => {}
        }
        progress.finish();
        Ok(Done {
            tally: Tally::of(&metrics, &self.config.kafka.topic),
            elapsed: begin.elapsed(),
            is_complete: watched.is_complete.load(Ordering::Relaxed),
            is_shared: watched.is_shared.load(Ordering::Relaxed),
            dry_run,
        })
    }

    fn job(&self, watched: Arc<Watched>, dry_run: Option<Arc<DryRun>>) -> Job {
        let bounds = Bounds {
            ranges: self.checkpoint.ranges.clone(),
            rate: self.args.rate,
            commits: !self.args.dry_run,
            notes: self.checkpoint.notes(),
            watched,
        };
        Job { reading: Reading::within(bounds), only: self.args.key.iter().cloned().collect(), dry_run }
    }
}

/// Shows the progress of the replay, and why it is waiting, until it is dropped.
async fn watch(progress: &mut Progress, watched: &Watched, readiness: &Readiness) {
    loop {
        tokio::time::sleep(SHOW).await;
        let passed = watched.passed.load(Ordering::Relaxed);
        let unmet = readiness.unmet().into_iter().find(|(_, reason)| reason != "starting");
        let note = unmet.map_or_else(String::new, |(name, reason)| format!("waiting: {name}: {reason}"));
        progress.show(passed, &note);
    }
}

/// Returns the starts and the ends of `ranges` in the form of the command line.
fn as_offsets(ranges: &BTreeMap<Partition, Range<i64>>) -> (String, String) {
    let list = |offset: fn(&Range<i64>) -> i64| {
        let pairs = ranges.iter().map(|(partition, range)| format!("{partition}:{}", offset(range)));
        pairs.collect::<Vec<_>>().join(",")
    };
    (list(|range| range.start), list(|range| range.end))
}
