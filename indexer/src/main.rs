//! `penstock-indexer`: consumes events from Kafka and bulk-indexes them into Elasticsearch.

use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};
use clap::Parser;
use shared::{config, shutdown, telemetry};

/// Consumes events from Kafka and bulk-indexes them into Elasticsearch.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// The config file.
    #[arg(long, value_name = "FILE", default_value = "penstock.yaml")]
    config: PathBuf,
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    let config = config::load(&args.config)?;
    telemetry::init(&config.log).map_err(|error| anyhow!(error))?;
    let shutdown = shutdown::on_signals().context("cannot listen for signals")?;
    let admin = indexer::bind(&config).await?;
    indexer::run(config, admin, shutdown).await?;
    Ok(())
}
