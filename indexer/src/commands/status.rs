//! `penstock-indexer status`: shows the fleet on a terminal. It always shows what Kafka knows about the group, and
//! also the status pages of services whose admin ports are given.

use std::fmt;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use service::http::Web;
use service::shutdown;

use super::exit::Exit;
use super::log::LogError;
use super::output::Output;
use super::times;
use crate::config::Config;
use group::TopicStatus;
use port::Service;

mod assignment;
pub mod group;
pub mod port;

/// Clears a terminal and moves to its first line (ECMA-48: ED, CUP).
const CLEAR: &str = "\x1b[2J\x1b[H";

/// Shows the fleet: the members of the group, the lag, and what the services report.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: penstock-indexer status --watch --metrics http://indexer-0:9102 http://receiver-0:9101"
)]
pub struct StatusArgs {
    /// The addresses of the admin ports of indexers and receivers. Shows their figures, why they are not ready, and
    /// their last warnings.
    #[arg(long, value_name = "URL", num_args = 1..)]
    metrics: Vec<String>,
    /// Repeat the report until Ctrl-C.
    #[arg(long)]
    watch: bool,
    /// The interval of --watch.
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = humantime::parse_duration)]
    interval: Duration,
    #[command(flatten)]
    output: Output,
}

/// Why the fleet cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// Kafka does not answer.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The process cannot receive the signals that stop it.
    #[error("cannot listen for signals: {0}")]
    Signals(#[from] std::io::Error),
    /// The HTTP client cannot be created.
    #[error("--metrics: {0}")]
    Web(String),
    /// A panic, which is a bug.
    #[error("the command panicked: {0}")]
    Panicked(#[from] tokio::task::JoinError),
}

/// The state of the fleet at one time.
#[derive(Debug, Serialize)]
pub struct Fleet {
    /// The time, as RFC 3339.
    pub at: String,
    /// The topics.
    pub topics: Vec<TopicStatus>,
    /// The services that were queried.
    pub services: Vec<Service>,
}

/// Shows the fleet of `config`: once, or until Ctrl-C.
///
/// # Errors
/// [`StatusError`].
pub async fn run(config: Config, args: StatusArgs) -> Result<Exit, StatusError> {
    let shutdown = shutdown::on_signals()?;
    let web = port::web().map_err(StatusError::Web)?;
    let is_drawn = args.watch && !args.output.json && std::io::stdout().is_terminal();
    loop {
        let services = services(&web, &args.metrics).await;
        let topics = topics(&config).await?;
        let fleet = Fleet { at: times::text(times::now()), topics, services };
        if is_drawn && std::io::stdout().write_all(CLEAR.as_bytes()).is_err() {
            return Ok(Exit::Done);
        }
        args.output.print(&fleet);
        let wait = tokio::time::sleep(args.interval);
        if !args.watch || shutdown.run_until_cancelled(wait).await.is_none() {
            return Ok(Exit::Done);
        }
    }
}

async fn topics(config: &Config) -> Result<Vec<TopicStatus>, StatusError> {
    let topics = config.of_topics();
    let ask = move || topics.iter().map(group::ask).collect::<Result<_, _>>();
    Ok(tokio::task::spawn_blocking(ask).await??)
}

async fn services(web: &Web, urls: &[String]) -> Vec<Service> {
    futures::future::join_all(urls.iter().map(|url| port::ask(web, url))).await
}

impl fmt::Display for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.at)?;
        self.topics.iter().try_for_each(|topic| write!(f, "\n{topic}"))?;
        self.services.iter().try_for_each(|service| write!(f, "\n{service}"))
    }
}
