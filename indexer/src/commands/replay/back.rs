//! `swap-back`: moves the alias back to the indices that a swap has replaced, and indexes the events received since into
//! them. If the command was stopped or killed, the next run does the remaining steps.

use std::fmt;

use tokio_util::sync::CancellationToken;

use super::{CommandError, ReplayArgs};
use crate::commands::exit::Exit;
use crate::commands::output::Output;
use crate::commands::times::Bound;
use crate::config::Config;
use crate::index::Index;
use crate::index::swap::Returned;

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
    let live = crate::commands::index(&topic, false)?;
    live.identify().await?;
    let returned = begin(&live).await?;
    if returned.is_done {
        let alias = live.name().to_owned();
        args.output.print(&AlreadyBack { alias, outcome: "already_back" });
        return Ok(Exit::Done);
    }
    let from: Bound = returned.from.parse().map_err(CommandError::Note)?;
    let replay = ReplayArgs {
        from,
        topic: args.topic.clone(),
        name: Some(format!("{}-swap-back", topic.kafka.topic)),
        restart: true,
        output: args.output,
        ..ReplayArgs::default()
    };
    live.close_left(&returned).await?;
    let exit = super::run(config, &replay, shutdown).await?;
    if exit == Exit::Done {
        live.note_returned(&Returned { is_done: true, ..returned }).await?;
    }
    Ok(exit)
}

/// Returns the state of the earlier run that has begun to undo the swap. If there was none, begins to undo the swap.
async fn begin(live: &Index) -> Result<Returned, CommandError> {
    let behind = live.members().await?;
    let earlier = live.returned(&behind).await?;
    if let Some(returned) = earlier.as_ref().filter(|returned| !returned.is_done) {
        let from = &returned.from;
        tracing::info!(from, "The alias already points to the old indices; undoing the swap continues.");
        return Ok(returned.clone());
    }
    match (live.replaced().await?, earlier) {
        (Some(replaced), _) => {
            let from = &replaced.from;
            let _: Bound = from.parse().map_err(CommandError::Note)?;
            let returned = live.move_back(&behind, &replaced).await?;
            tracing::info!(
                from,
                "The alias points to the old indices again; they get the events received since the swap."
            );
            Ok(returned)
        }
        (None, Some(returned)) => Ok(returned),
        (None, None) => Err(CommandError::NotSwapped(live.name().to_owned())),
    }
}
