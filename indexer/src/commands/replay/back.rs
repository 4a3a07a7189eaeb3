//! `swap-back`: moves the alias back to the indices that a swap replaced, and indexes into them what has arrived
//! since.

use tokio_util::sync::CancellationToken;

use super::{CommandError, ReplayArgs};
use crate::commands::exit::Exit;
use crate::commands::output::Output;
use crate::commands::times::Bound;
use crate::config::Config;

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

/// Moves the alias back, closes the index that it leaves, and indexes what has arrived since the swap. Prints a
/// summary.
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
    let behind = live.members().await?;
    let name = live.name().to_owned();
    let replaced = live.replaced().await?.ok_or(CommandError::NotSwapped(name))?;
    let from: Bound = replaced.from.parse().map_err(CommandError::Note)?;
    let replay = ReplayArgs {
        from,
        topic: args.topic.clone(),
        name: Some(format!("{}-swap-back", topic.kafka.topic)),
        restart: true,
        output: args.output,
        ..ReplayArgs::default()
    };
    for index in &replaced.closed {
        live.open_to_writes(index).await?;
    }
    live.move_alias(&behind, &replaced.indices).await?;
    let from = &replaced.from;
    tracing::info!(from, "The alias leads to the old indices again; indexing what has arrived since.");
    for index in live.writable(&behind).await? {
        live.close_to_writes(&index).await?;
    }
    super::run(config, &replay, shutdown).await
}
