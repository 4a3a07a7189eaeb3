//! `replay --into`: fills a new index beside the service's, compares both, and replaces the old one.
//!
//! The swap first moves the alias in one step. It then closes the old indices to writes, which waits for writes in
//! flight. Then it reads the topic once more, up to its end at that moment. Everything that the service wrote to the
//! old indices is before that end, so nothing is lost. From the move on, documents are placed as the service places
//! them: if the new index has rolled over meanwhile, later documents are in the next index, under the same id.

use std::time::Duration;

use tokio::task::block_in_place;
use tokio_util::sync::CancellationToken;

use super::checkpoint::Checkpoint;
use super::plan::{self, Plan};
use super::summary::{Filled, Outcome, Summary};
use super::{CommandError, Done, Pass, ReplayArgs, as_offsets, of_replay};
use crate::backing::now_millis;
use crate::commands::exit::Exit;
use crate::config::{Config, Lifecycle, Strategy};
use crate::index::Requests;
use crate::index::swap::{Alias, Comparison, Member, Replaced, Successor, comparison, obstacle, writes};

/// The most passes for catching up with the end of the topic.
const MAX_ROUNDS: usize = 10;
/// A pass that takes at most this long has caught up.
const CAUGHT_UP: Duration = Duration::from_secs(10);
/// How long after its timestamp a record may be appended to the log, in milliseconds. Younger records are not
/// compared.
const LATE: i64 = 5_000;

/// Replays into another index.
struct Backfill<'a> {
    args: &'a ReplayArgs,
    into: &'a str,
    /// The config of the topic, with the service's index.
    topic: &'a Config,
    /// The same config with the new index and the replay's own consumer group.
    config: Config,
    /// Sends requests about the indices, old and new.
    requests: Requests,
    /// The alias that leads to the service's indices.
    alias: Alias,
    successor: Successor,
    shutdown: &'a CancellationToken,
}

/// Fills the index `into`, compares it, and swaps it if `args` say so. Prints a summary.
///
/// # Errors
/// [`CommandError`].
pub(super) async fn run(
    topic: &Config,
    args: &ReplayArgs,
    into: &str,
    shutdown: &CancellationToken,
) -> Result<Exit, CommandError> {
    if args.swap && (!args.key.is_empty() || !args.partition.is_empty() || args.to.text != "now") {
        return Err(CommandError::PartSwap);
    }
    if topic.elasticsearch.routes.is_some() {
        return Err(CommandError::RoutedInto(topic.kafka.topic.clone()));
    }
    crate::index::check_name(into)?;
    let live = crate::commands::index(topic)?;
    live.bootstrap.identify().await?;
    let config = of_replay(&of_index(topic, into), &super::group(topic, args));
    let (alias, successor) = (Alias::of(&live), Successor::of(&live));
    Backfill { args, into, topic, config, requests: live.requests, alias, successor, shutdown }.run().await
}

/// Returns `config` with the single index `into`, which has no lifecycle until it replaces the old index.
fn of_index(config: &Config, into: &str) -> Config {
    let mut config = config.clone();
    into.clone_into(&mut config.elasticsearch.index_name);
    config.elasticsearch.strategy = Strategy::Single;
    config.elasticsearch.lifecycle = Some(Lifecycle::None);
    config
}

impl Backfill<'_> {
    async fn run(self) -> Result<Exit, CommandError> {
        let behind = self.alias.members().await?;
        let is_swapped = behind.iter().any(|member| member.index == self.into);
        let old = if is_swapped { self.replaced().await? } else { self.replaceable(behind)? };
        let mut checkpoint = self.begin().await?;
        let settled = checkpoint.settled;
        let mut all = Done::default();
        let mut filled = Filled {
            into: self.into.to_owned(),
            compared: Comparison::default(),
            is_swapped,
            replaced: old.iter().map(|member| member.index.clone()).collect(),
            way_back: None,
        };
        let mut may_swap = self.args.swap;
        if !is_swapped {
            let cut = self.fill(&mut checkpoint, &mut all).await?;
            may_swap &= all.is_complete;
            if all.is_complete && !self.args.dry_run {
                filled.compared = comparison::compare(&self.requests, &old, self.into, cut).await?;
            }
        }
        if may_swap && !self.lacks(&filled) {
            self.swap(&old, is_swapped, &mut checkpoint, &mut all).await?;
            filled.is_swapped = true;
            filled.compared = comparison::compare(&self.requests, &old, self.into, i64::MAX).await?;
            filled.way_back = Some(self.way_back());
        }
        Ok(self.report(&checkpoint, settled, all, filled))
    }

    /// Plans what to read, and creates the new index if it is missing.
    async fn begin(&self) -> Result<Checkpoint, CommandError> {
        let is_there = self.requests.has(self.into).await?;
        let Plan { checkpoint, .. } = block_in_place(|| plan::plan(&self.config, self.args, !is_there))?;
        match (self.args.dry_run, is_there) {
            (true, _) => {}
            // A swap back has closed it.
            (false, true) => writes::open(&self.requests, self.into).await?,
            (false, false) => self.successor.make(self.into).await?,
        }
        Ok(checkpoint)
    }

    /// Returns whether the new index lacks documents that it must have.
    fn lacks(&self, filled: &Filled) -> bool {
        filled.compared.lacks() && !self.args.accept_fewer
    }

    /// Returns the indices that the alias led to before.
    async fn replaced(&self) -> Result<Vec<Member>, CommandError> {
        let replaced = self.alias.replaced().await?;
        replaced.map(|replaced| replaced.indices).ok_or_else(|| CommandError::NotFresh(self.into.to_owned()))
    }

    fn replaceable(&self, behind: Vec<Member>) -> Result<Vec<Member>, CommandError> {
        let settings = &self.topic.elasticsearch;
        let expired = settings.placement.expired;
        match obstacle(settings.strategy, expired, &settings.index_name, self.into, &behind) {
            Some(reason) if self.args.swap => Err(CommandError::NoSwap(reason)),
            Some(_) if behind.is_empty() => {
                Ok(vec![Member { index: settings.index_name.clone(), is_write_index: true }])
            }
            Some(_) | None => Ok(behind),
        }
    }

    /// Reads the range, and then up to the end of the topic again and again until little is left. Returns the time of
    /// receipt up to which the new index is complete, in milliseconds since the Unix epoch.
    async fn fill(&self, checkpoint: &mut Checkpoint, all: &mut Done) -> Result<i64, CommandError> {
        let follows = self.args.to.text == "now" && !self.args.dry_run;
        let mut cut = now_millis();
        for round in 0..MAX_ROUNDS {
            if follows && (round > 0 || checkpoint.is_complete()) {
                cut = now_millis();
                block_in_place(|| plan::extend(&self.config, self.args, checkpoint))?;
            }
            let done = self.pass(&self.config, checkpoint).await?;
            let is_last = !done.is_complete || !follows || (round > 0 && done.elapsed < CAUGHT_UP);
            all.add(done);
            if is_last {
                break;
            }
        }
        Ok(cut - LATE)
    }

    async fn pass(&self, config: &Config, checkpoint: &Checkpoint) -> Result<Done, CommandError> {
        let pass = Pass { config, args: self.args, checkpoint };
        let done = pass.run(self.shutdown).await?;
        if done.is_shared {
            return Err(CommandError::Shared(self.args.name(self.topic)));
        }
        Ok(done)
    }

    /// Replaces the `old` indices by the new one, and reads what was written to them since it was filled.
    async fn swap(
        &self,
        old: &[Member],
        is_swapped: bool,
        checkpoint: &mut Checkpoint,
        all: &mut Done,
    ) -> Result<(), CommandError> {
        if !is_swapped {
            let new = [Member { index: self.into.to_owned(), is_write_index: true }];
            let closed = writes::writable(&self.requests, old).await?;
            let from = as_offsets(&checkpoint.ranges).1;
            let replaced = Replaced { indices: old.to_vec(), closed, from };
            self.alias.note_replaced(self.into, &replaced).await?;
            self.alias.move_to(old, &new).await?;
            tracing::info!(into = self.into, alias = self.alias.name(), "The alias now points to the new index.");
        }
        for index in writes::writable(&self.requests, old).await? {
            writes::close(&self.requests, &index).await?;
        }
        // No write to the old indices is in flight any more: everything they hold is before this end.
        block_in_place(|| plan::extend(&self.config, self.args, checkpoint))?;
        let behind_alias = of_replay(self.topic, &self.config.indexer.group_id);
        all.add(self.pass(&behind_alias, checkpoint).await?);
        Ok(self.successor.adopt(self.into).await?)
    }

    fn way_back(&self) -> String {
        format!("penstock-indexer swap-back --topic {}", self.topic.kafka.topic)
    }

    fn report(&self, checkpoint: &Checkpoint, settled: u64, all: Done, filled: Filled) -> Exit {
        let is_dry = all.dry_run.is_some();
        let lacks = self.lacks(&filled);
        let mut summary = Summary::new(self.args.name(self.topic), &self.config, checkpoint, all).after(settled);
        let outcome = summary.outcome;
        summary.filled = (!is_dry).then_some(filled);
        self.args.output.print(&summary);
        match outcome {
            Outcome::Interrupted => Exit::Failed,
            Outcome::DryRun => Exit::of_difference(summary.differs()),
            Outcome::Done => Exit::of_difference(lacks),
        }
    }
}
