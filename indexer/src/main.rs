//! `penstock-indexer`: consumes events from Kafka and bulk-indexes them into Elasticsearch.

use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use clap::{Parser, Subcommand};
use shared::cli::{self, Common, ConfigCommand};
use shared::config::{Config, Part};
use shared::{shutdown, telemetry};

/// Consumes events from Kafka and bulk-indexes them into Elasticsearch.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Checks or shows the config.
    #[command(subcommand)]
    Config(ConfigCommand),
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    if let Some(Command::Config(command)) = args.command {
        return Ok(cli::run_config_command(Part::Indexer, &args.common, command));
    }
    match cli::load(Part::Indexer, &args.common) {
        Ok(config) => run(config).map(|()| ExitCode::SUCCESS),
        Err(code) => Ok(code),
    }
}

#[tokio::main]
async fn run(config: Config) -> Result<()> {
    telemetry::init(&config.log).map_err(|error| anyhow!(error))?;
    let shutdown = shutdown::on_signals().context("cannot listen for signals")?;
    let admin = indexer::bind(&config).await?;
    indexer::run(config, admin, shutdown).await?;
    Ok(())
}
