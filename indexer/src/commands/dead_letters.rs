//! `penstock-indexer dead-letters`: what could not be indexed, and what was no event, to be looked at, brought back
//! or given up.
//!
//! `list` groups, `show` shows one, `redrive` brings back, and `drop` gives up. What was done about a letter is
//! in its own topic ([`marks`]), so that any operator on any machine sees the same. `docs/operate.md` is the guide.

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

/// What can be done about letters.
#[derive(Debug, Subcommand)]
pub enum DeadLetters {
    /// Counts what is in the dead-letter topic and in the quarantine, by what is wrong, with examples.
    #[command(after_help = "Example: penstock-indexer dead-letters list --from 2h")]
    List(ListArgs),
    /// Shows one letter whole: state, reason, headers, and the event as JSON where its schema can read it. Prints the
    /// event's personal data, except for what elasticsearch.documents.fields hides.
    #[command(after_help = "Example: penstock-indexer dead-letters show cxone-events-dead-letters:0:17")]
    Show(ShowArgs),
    /// Writes the records of open letters to the topics they came from again, where today's schema and rules decode
    /// them. None is redriven twice, and the document has the id that it would have had at first. Exits with 2 when a
    /// letter failed again or could not be redriven.
    #[command(after_help = "Example: penstock-indexer dead-letters redrive --reason unknown-schema --dry-run")]
    Redrive(RedriveArgs),
    /// Gives open letters up: they are marked, stay in their topic until its retention ends, and no redrive takes them.
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
    /// The letter's own place, as `list` shows it.
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
    /// With --post-to: a file with headers to send along, such as the sender's credentials: NAME: VALUE on each line.
    #[arg(long, value_name = "FILE", requires = "post_to")]
    headers_from: Option<PathBuf>,
    /// Write nothing: count what would be redriven.
    #[arg(long)]
    dry_run: bool,
    /// Qualify the ids of the events by their source, in the header id-scope. For events of several sources that use
    /// the same ids: the letters of type id-conflict.
    #[arg(long)]
    scope_ids: bool,
    /// Records a second, at most. Without it as fast as Kafka takes them.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// How long to wait until the indexers have settled the records, to say which became dead letters again. 0s: do
    /// not wait.
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
    /// Do it. Without it, the letters are counted and stay.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    output: Output,
}

/// Why a command about letters failed.
#[derive(Debug, thiserror::Error)]
pub enum DeadLetterError {
    /// A topic cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The registry's settings cannot be used.
    #[error(transparent)]
    Registry(#[from] registry::RegistrySetupError),
    /// There is no letter at this place.
    #[error(
        "there is no letter at {0}: retention has deleted it, or it is a mark (penstock.mark) or the end of a transaction"
    )]
    NoLetter(RecordPosition),
    /// Nothing says where bodies go.
    #[error(
        "a body in the quarantine was never a record: say by --post-to URL which webhook of a receiver it is posted to"
    )]
    NoReceiver,
    /// Records or marks cannot be written, or bodies not be posted.
    #[error("{0}")]
    Write(String),
    /// A bug.
    #[error("the command panicked: {0}")]
    Panicked(#[from] tokio::task::JoinError),
}

impl From<TransactionError> for DeadLetterError {
    fn from(error: TransactionError) -> Self {
        Self::Write(error.to_string())
    }
}

/// Carries out `command` with `config`, which is that of the whole indexer.
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
    // The rules of the topic that the record came from.
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

/// Runs `work`, which waits for Kafka, on a thread for that.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DeadLetterError> + Send + 'static,
) -> Result<T, DeadLetterError> {
    tokio::task::spawn_blocking(work).await?
}
