//! `penstock-indexer dead-letters`: shows, redrives or drops records that could not be indexed and bodies that were
//! not events.
//!
//! `list` groups letters, `show` shows one, `redrive` writes their records again, and `drop` gives them up. The state
//! of a letter is stored in its own topic ([`marks`]), so that every operator sees the same on every machine.
//! `docs/operate.md` is the guide.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use registry::SchemaRegistry;

use super::exit::Exit;
use super::log::{LogError, LogReader};
use super::output::Output;
use super::position::RecordPosition;
use crate::config::Config;
use filter::{Filter, Which};
use letter::Kind;
use list::Listed;
use outcome::Redriven;
use redrive::{How, Redrive};
use transactions::TransactionError;

mod drop;
pub(crate) mod filter;
pub mod letter;
pub mod list;
pub mod marks;
pub mod outcome;
mod post;
mod redrive;
pub mod show;
mod transactions;

/// The subcommands for letters.
#[derive(Debug, Subcommand)]
pub enum DeadLetters {
    /// Counts the letters in the dead-letter topic and the quarantine by error type, with examples.
    #[command(after_help = "Example: penstock-indexer dead-letters list --from 2h")]
    List(ListArgs),
    /// Shows one letter in full: state, reason, headers, and the event as JSON if its schema can decode it. Prints
    /// the event's personal data, except for what elasticsearch.documents.fields hides.
    #[command(after_help = "Example: penstock-indexer dead-letters show cxone-events-dead-letters:0:17")]
    Show(ShowArgs),
    /// Writes the records of open letters to their original topics again, if today's schema and rules can decode
    /// them. No letter is redriven twice, and the document keeps its original id. Exits with 2 if a letter failed
    /// again or could not be redriven.
    #[command(after_help = "Example: penstock-indexer dead-letters redrive --reason unknown-schema --dry-run")]
    Redrive(RedriveArgs),
    /// Gives up open letters: marks them, so that they are never redriven. They stay in their topic until its retention
    /// ends.
    #[command(after_help = "Example: penstock-indexer dead-letters drop --reason not-framed --to 7d --yes")]
    Drop(DropArgs),
}

/// Arguments of `list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    output: Output,
}

/// Arguments of `show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The position of the letter, as `list` shows it.
    #[arg(value_name = "TOPIC:PARTITION:OFFSET")]
    letter: RecordPosition,
    #[command(flatten)]
    output: Output,
}

/// Arguments of `redrive`.
#[derive(Debug, Args)]
pub struct RedriveArgs {
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    which: Which,
    /// With --quarantine: the webhook that bodies are posted to, such as `http://receiver:8080/webhook/cxone/events`.
    #[arg(long, value_name = "URL", requires = "quarantine")]
    post_to: Option<String>,
    /// With --post-to: a file with additional headers, such as the sender's credentials, one NAME: VALUE per line.
    #[arg(long, value_name = "FILE", requires = "post_to")]
    headers_from: Option<PathBuf>,
    /// Write nothing; only count what would be redriven.
    #[arg(long)]
    dry_run: bool,
    /// Qualify the ids of the events by their source, in the header id-scope. Use it for letters of type id-conflict,
    /// when several sources use the same ids.
    #[arg(long)]
    scope_ids: bool,
    /// The most records per second. By default there is no limit.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// How long to wait for the indexers to settle the records, in order to report which became dead letters again.
    /// 0s means no wait.
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = humantime::parse_duration)]
    wait: Duration,
    #[command(flatten)]
    output: Output,
}

/// Arguments of `drop`.
#[derive(Debug, Args)]
pub struct DropArgs {
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    which: Which,
    /// Drop the letters. Without this option, they are only counted.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    output: Output,
}

/// Why a command on letters failed.
#[derive(Debug, thiserror::Error)]
pub enum DeadLetterError {
    /// A topic cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The settings of the registry cannot be used.
    #[error(transparent)]
    Registry(#[from] registry::RegistrySetupError),
    /// There is no letter at this position.
    #[error(
        "there is no letter at {0}: retention has deleted it, or it is a mark (penstock.mark) or the end of a transaction"
    )]
    NoLetter(RecordPosition),
    /// The webhook for the bodies is missing.
    #[error(
        "a body in the quarantine was never a record: name the webhook of a receiver to post it to with --post-to URL"
    )]
    NoReceiver,
    /// Records or marks cannot be written, or bodies cannot be posted.
    #[error("{0}")]
    Write(String),
    /// A panic, which is a bug.
    #[error("the command panicked: {0}")]
    Panicked(#[from] tokio::task::JoinError),
}

impl From<TransactionError> for DeadLetterError {
    fn from(error: TransactionError) -> Self {
        Self::Write(error.to_string())
    }
}

/// Runs `command` with `config`, which is that of the whole indexer.
///
/// # Errors
/// [`DeadLetterError`].
pub async fn run(config: Config, command: DeadLetters) -> Result<Exit, DeadLetterError> {
    match command {
        DeadLetters::List(args) => {
            let listed = blocking(move || list(&config, &args).map(|listed| (listed, args.output))).await?;
            listed.1.print(&listed.0);
            Ok(Exit::Done)
        }
        DeadLetters::Show(args) => show(config, args).await,
        DeadLetters::Redrive(args) => {
            let redrive = move || match args.which.quarantine {
                true => post(&config, &args).map(|report| (report, args.output)),
                false => redrive(&config, &args).map(|report| (report, args.output)),
            };
            let (report, output) = blocking(redrive).await?;
            output.print(&report);
            Ok(Exit::of_difference(report.is_incomplete()))
        }
        DeadLetters::Drop(args) => {
            let drop = move || drop::run(&config, &args.which, &args.filter, args.yes).map(|report| (report, args));
            let (report, args) = blocking(drop).await?;
            args.output.print(&report);
            Ok(if args.yes { Exit::Done } else { Exit::Failed })
        }
    }
}

fn list(config: &Config, args: &ListArgs) -> Result<Listed, DeadLetterError> {
    let reader = LogReader::new(config)?;
    let kafka = &config.kafka;
    let mut topics = vec![args.which.topic(kafka)];
    if !args.which.quarantine {
        topics.push((&kafka.quarantine_topic, Kind::Quarantined));
    }
    let read = |(topic, kind)| list::list(&reader, topic, kind, &args.filter);
    Ok(Listed { topics: topics.into_iter().map(read).collect::<Result<_, _>>()? })
}

async fn show(config: Config, args: ShowArgs) -> Result<Exit, DeadLetterError> {
    let registry = SchemaRegistry::new(&config.schema_registry)?;
    let kind = if args.letter.topic == config.kafka.dead_letter_topic { Kind::DeadLetter } else { Kind::Quarantined };
    let (config, letter, state) = blocking(move || {
        let (letter, state) = show::find(&LogReader::new(&config)?, kind, &args.letter)?;
        Ok((config, letter, state))
    })
    .await?;
    // The rules are those of the topic that the record came from.
    let of_topic = config.of_topics().into_iter().find(|config| letter.origin_topic() == Some(&config.kafka.topic));
    args.output.print(&show::show(of_topic.as_ref().unwrap_or(&config), &registry, &letter, state).await);
    Ok(Exit::Done)
}

fn redrive(config: &Config, args: &RedriveArgs) -> Result<Redriven, DeadLetterError> {
    let reader = LogReader::new(config)?;
    let how = How { dry_run: args.dry_run, rate: args.rate, scope_ids: args.scope_ids };
    let redrive = Redrive::begin(config, how)?;
    let before = reader.parts(&config.kafka.dead_letter_topic)?;
    let mut progress = args.output.progress("redrive", Some(before.iter().map(|part| part.len()).sum()));
    let (mut report, sent) =
        redrive.run(&reader, &args.filter, |read, redriven| progress.show(read, &format!("{redriven} redriven")))?;
    progress.finish();
    if !args.dry_run && !args.wait.is_zero() && !sent.is_empty() {
        report.outcome = Some(outcome::wait(config, &sent, &before, args.wait)?);
    }
    Ok(report)
}

fn post(config: &Config, args: &RedriveArgs) -> Result<Redriven, DeadLetterError> {
    let url = args.post_to.as_deref().ok_or(DeadLetterError::NoReceiver)?;
    let headers = args.headers_from.as_deref();
    let receiver = post::Receiver { url, headers, rate: args.rate, dry_run: args.dry_run };
    post::run(config, &args.which, &args.filter, &receiver)
}

/// Runs `work`, which waits for Kafka, on a thread for blocking work.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DeadLetterError> + Send + 'static,
) -> Result<T, DeadLetterError> {
    tokio::task::spawn_blocking(work).await?
}
