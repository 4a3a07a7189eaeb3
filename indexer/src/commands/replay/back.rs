//! `swap-back`: moves the alias back to the indices that a swap has replaced, and indexes the events received since
//! into them. If the command was stopped or killed, the next run does the remaining steps.

use std::fmt;

use kafka::position::Partition;
use tokio::task::block_in_place;
use tokio_util::sync::CancellationToken;

use super::log::Log;
use super::{CommandError, ReplayArgs};
use crate::commands::exit::Exit;
use crate::commands::output::Output;
use crate::commands::times::{Bound, When};
use crate::config::Config;
use crate::index::swap::{Alias, Returned, WayBack};

/// The arguments of `swap-back`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Example: penstock-indexer swap-back --topic cxone-events")]
pub struct SwapBackArgs {
    /// The topic, if indexer.topics has several.
    #[arg(long)]
    pub topic: Option<String>,
    /// How to print the summary.
    #[command(flatten)]
    pub output: Output,
}

/// The report that nothing is left to do.
#[derive(Debug, serde::Serialize)]
struct AlreadyBack {
    alias: String,
    outcome: &'static str,
}

impl fmt::Display for AlreadyBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "The alias {} points to the old indices, and they have all events: nothing is left to do.",
            self.alias
        )
    }
}

/// Moves the alias back, closes the index that it leaves, and indexes the events received since the swap. Continues an
/// earlier run that was stopped. Prints a summary.
///
/// # Errors
/// [`CommandError`], if nothing was swapped.
pub async fn swap_back(
    config: &Config,
    args: &SwapBackArgs,
    shutdown: &CancellationToken,
) -> Result<Exit, CommandError> {
    let topic = super::topic_of(config, args.topic.as_deref())?;
    let live = crate::commands::index(&topic)?;
    live.bootstrap.identify().await?;
    let (alias, way_back) = (Alias::of(&live), WayBack::of(&live));
    let (returned, is_resumed) = begin(&alias, &way_back).await?;
    if returned.is_done {
        let alias = alias.name().to_owned();
        args.output.print(&AlreadyBack { alias, outcome: "already_back" });
        return Ok(Exit::Done);
    }
    let from: Bound = returned.from.parse().map_err(CommandError::Note)?;
    let partitions = block_in_place(|| Log::new(&topic)?.partitions())?;
    let replay = ReplayArgs {
        from: with_new_partitions(from, &partitions),
        topic: args.topic.clone(),
        name: Some(format!("{}-swap-back", topic.kafka.topic)),
        restart: !is_resumed,
        output: args.output,
        ..ReplayArgs::default()
    };
    way_back.close_left(&returned).await?;
    let exit = match super::run(config, &replay, shutdown).await {
        // The replay of this name is that of an earlier swap, or the topic has got partitions since it began.
        Err(CommandError::Unfinished { .. }) => {
            super::run(config, &ReplayArgs { restart: true, ..replay }, shutdown).await?
        }
        ran => ran?,
    };
    if exit == Exit::Done {
        way_back.note_returned(&Returned { is_done: true, ..returned }).await?;
    }
    Ok(exit)
}

/// Adds to `from` the partitions of the topic that were added after the swap, each from its beginning.
fn with_new_partitions(from: Bound, partitions: &[Partition]) -> Bound {
    let When::Offsets(mut offsets) = from.when else { return from };
    for partition in partitions {
        offsets.entry(*partition).or_insert(0);
    }
    let pairs: Vec<String> = offsets.iter().map(|(partition, offset)| format!("{partition}:{offset}")).collect();
    Bound { text: pairs.join(","), when: When::Offsets(offsets) }
}

/// Returns the state of the earlier run that has begun to undo the swap, and true. If there was none, begins to undo
/// the swap, and returns false.
async fn begin(alias: &Alias, way_back: &WayBack) -> Result<(Returned, bool), CommandError> {
    let behind = alias.members().await?;
    let earlier = way_back.returned(&behind).await?;
    if let Some(returned) = earlier.as_ref().filter(|returned| !returned.is_done) {
        let from = &returned.from;
        tracing::info!(from, "The alias already points to the old indices; undoing the swap continues.");
        return Ok((returned.clone(), true));
    }
    match (alias.replaced().await?, earlier) {
        (Some(replaced), _) => {
            let from = &replaced.from;
            let _: Bound = from.parse().map_err(CommandError::Note)?;
            let returned = way_back.move_back(&behind, &replaced).await?;
            tracing::info!(
                from,
                "The alias points to the old indices again; they get the events received since the swap."
            );
            Ok((returned, false))
        }
        (None, Some(returned)) => Ok((returned, true)),
        (None, None) => Err(CommandError::NotSwapped(alias.name().to_owned())),
    }
}

#[cfg(test)]
mod tests;
