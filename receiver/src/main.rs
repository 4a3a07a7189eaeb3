//! `penstock-receiver`: receives webhook events over HTTP and writes them to Kafka.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use clap::{Parser, Subcommand};
use config::cli::{self, Common, ConfigCommand, GenerateCommand};
use receiver::Listeners;
use receiver::config::Config;
use receiver::schema_command::{self, SchemaCommand};
use service::{shutdown, telemetry};

/// Receives webhook events over HTTP and writes them to Kafka.
///
/// Without a command, it runs as a service until it is stopped.
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
    #[command(flatten)]
    Generate(GenerateCommand),
    /// Fetches schemas from CXone, and shows and checks schemas.
    #[command(subcommand)]
    Schema(SchemaCommand),
}

fn main() -> Result<ExitCode> {
    let args = match cli::parse::<Args>() {
        Ok(args) => args,
        Err(code) => return Ok(code),
    };
    match args.command {
        Some(Command::Config(command)) => return Ok(cli::run_config_command::<Config>(&args.common, command)),
        Some(Command::Generate(command)) => return Ok(cli::run_generate_command::<Args>(&command)),
        _ => {}
    }
    let config = match cli::load::<Config>(&args.common) {
        Ok(config) => config,
        Err(code) => return Ok(code),
    };
    match args.command {
        Some(Command::Schema(command)) => schema(&config, command),
        Some(Command::Config(_) | Command::Generate(_)) | None => run(config).map(|()| ExitCode::SUCCESS),
    }
}

/// Runs a `schema` command. Prints its result to standard output, or its error to standard error.
#[tokio::main]
async fn schema(config: &Config, command: SchemaCommand) -> Result<ExitCode> {
    let outcome = schema_command::run(config, command).await;
    let (code, said) = match &outcome {
        Ok(said) => (ExitCode::SUCCESS, writeln!(std::io::stdout(), "{said}")),
        Err(error) => (ExitCode::FAILURE, writeln!(std::io::stderr(), "{error}")),
    };
    match said {
        // The reader may be gone (`| head`), which is not an error.
        Ok(()) | Err(_) => Ok(code),
    }
}

fn run(config: Config) -> Result<()> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(config.receiver.worker_threads()).enable_all().build();
    runtime.context("cannot start the threads that serve requests")?.block_on(serve(config))
}

async fn serve(config: Config) -> Result<()> {
    telemetry::init(&config.log, "penstock-receiver").map_err(|error| anyhow!(error))?;
    let shutdown = shutdown::on_signals().context("cannot listen for signals")?;
    open_files(config.receiver.max_connections);
    let listeners = Listeners::bind(&config)?;
    receiver::run(config, listeners, shutdown).await?;
    Ok(())
}

/// Raises the limit of open files, as far as the system allows, to `connections` and some more.
fn open_files(connections: usize) {
    const OTHERS: u64 = 256;
    let needed = OTHERS.saturating_add(connections as u64);
    match rlimit::increase_nofile_limit(needed) {
        Ok(limit) if limit < needed => {
            tracing::warn!(
                limit,
                needed,
                "The limit of open files is too low for receiver.max_connections: raise it (ulimit -n)."
            );
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, needed, "Cannot raise the limit of open files."),
    }
}
