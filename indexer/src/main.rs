//! `penstock-indexer`: consumes events from Kafka and bulk-indexes them into Elasticsearch.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use clap::{Parser, Subcommand};
use config::cli::{self, Common, ConfigCommand, GenerateCommand};
use indexer::commands::dead_letters::{self, DeadLetters};
use indexer::commands::doctor::{self, DoctorArgs};
use indexer::commands::exit::Exit;
use indexer::commands::explain::{self, ExplainArgs};
use indexer::commands::find::{self, FindArgs};
use indexer::commands::output::Output;
use indexer::commands::replay::back::{self, SwapBackArgs};
use indexer::commands::replay::{self, ReplayArgs};
use indexer::commands::status::{self, StatusArgs};
use indexer::commands::topics::{self, Settings, TopicReport};
use indexer::commands::{self, SetUp};
use indexer::config::Config;
use indexer::index::mapping::NoteKind;
use service::{shutdown, telemetry};

/// Consumes events from Kafka and bulk-indexes them into Elasticsearch.
///
/// Without a command, it runs as a service until it is stopped.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Args {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Option<Command>,
}

const EXIT_CODES: &str =
    "Exit codes: 0 done, 1 failed, 2 a difference was found, 64 wrong arguments, 78 unusable config.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Checks or shows the config.
    #[command(subcommand)]
    Config(ConfigCommand),
    #[command(flatten)]
    Generate(GenerateCommand),
    /// Creates missing resources in Elasticsearch: lifecycle policy, templates, the first index. The service does the
    /// same when it starts.
    ///
    /// With --topics, creates missing Kafka topics instead, and reports existing topics whose settings are too weak for
    /// production; then it exits with 2.
    Setup {
        /// Change nothing: print the requests that would be sent.
        #[arg(long)]
        dry_run: bool,
        /// Overwrite manual changes.
        #[arg(long, conflicts_with = "topics")]
        force: bool,
        /// Set up the Kafka topics instead.
        #[arg(long)]
        topics: bool,
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        output: Output,
    },
    /// Shows how the indexer would index one record: its document, id and index, and whether the mapping accepts it.
    /// Writes nothing.
    Explain(ExplainArgs),
    /// Indexes a range of a topic again while the service runs.
    Replay(Box<ReplayArgs>),
    /// Undoes `replay --into INDEX --swap`: the alias points to the old indices again, and they get the events
    /// received since.
    SwapBack(SwapBackArgs),
    /// Lists dead letters and quarantined bodies, redrives them, or discards them.
    #[command(subcommand)]
    DeadLetters(DeadLetters),
    Doctor(DoctorArgs),
    Find(FindArgs),
    Status(StatusArgs),
    /// Prints the mapping generated from a schema.
    Mapping {
        /// The file of the schema. Without --schema and --subject, the subject elasticsearch.mapping.subject is used.
        #[arg(long, value_name = "FILE", conflicts_with = "subject")]
        schema: Option<PathBuf>,
        /// The registry subject whose latest schema is used.
        #[arg(long)]
        subject: Option<String>,
        /// Print the fields that the template and the indices lack, and the fields that have another type there; exit
        /// with 2 if there are any.
        #[arg(long)]
        diff: bool,
        /// The topic whose mapping is printed, if indexer.topics has several. The default is the first.
        #[arg(long)]
        topic: Option<String>,
    },
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
    match cli::load::<Config>(&args.common) {
        Ok(config) => run(config, args.command),
        Err(code) => Ok(code),
    }
}

#[tokio::main]
async fn run(config: Config, command: Option<Command>) -> Result<ExitCode> {
    telemetry::init(&config.log, "penstock-indexer").map_err(|error| anyhow!(error))?;
    match command {
        Some(Command::Setup { dry_run, topics: true, settings, output, .. }) => {
            let reports = topics::set_up(&config, &settings, dry_run).await?;
            reports.iter().for_each(|report| output.print(report));
            Ok(Exit::of_difference(reports.iter().any(TopicReport::differs)).into())
        }
        Some(Command::Setup { dry_run, force, .. }) => {
            for topic in config.of_topics() {
                for request in commands::set_up(&topic, SetUp { dry_run, force }).await? {
                    println!("{request}\n");
                }
            }
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Doctor(args)) => Ok(doctor::run(config, &args).await?.into()),
        Some(Command::Status(args)) => Ok(status::run(config, args).await?.into()),
        Some(Command::Find(args)) => Ok(find::run(config, args).await?.into()),
        Some(Command::DeadLetters(command)) => Ok(dead_letters::run(config, command).await?.into()),
        Some(Command::Mapping { schema, subject, diff, topic }) => {
            let topics = config.of_topics();
            let is_it = |config: &&Config| topic.as_ref().is_none_or(|topic| *topic == config.kafka.topic);
            let config = topics.iter().find(is_it).context("indexer.topics does not have this topic")?;
            mapping(config, schema, subject, diff).await
        }
        Some(Command::Replay(args)) => {
            let shutdown = shutdown::on_signals().context("cannot listen for signals")?;
            Ok(replay::run(&config, &args, &shutdown).await?.into())
        }
        Some(Command::Explain(args)) => Ok(explain::run(&config, &args).await?.into()),
        Some(Command::SwapBack(args)) => {
            let shutdown = shutdown::on_signals().context("cannot listen for signals")?;
            Ok(back::swap_back(&config, &args, &shutdown).await?.into())
        }
        Some(Command::Config(_) | Command::Generate(_)) | None => serve(config).await,
    }
}

/// Runs the service until it is shut down or fails for good.
async fn serve(config: Config) -> Result<ExitCode> {
    let shutdown = shutdown::on_signals().context("cannot listen for signals")?;
    let admin = indexer::bind(&config)?;
    let Err(error) = indexer::run(config, admin, shutdown).await else { return Ok(ExitCode::SUCCESS) };
    let exit = error.exit();
    eprintln!("Error: {:?}", anyhow!(error));
    Ok(exit.into())
}

async fn mapping(config: &Config, schema: Option<PathBuf>, subject: Option<String>, diff: bool) -> Result<ExitCode> {
    let schema = commands::schema(config, schema, subject).await?;
    if diff {
        return differences(config, &schema).await;
    }
    let generated = commands::mapping(config, &schema)?;
    println!("{:#}", generated.mapping);
    for note in &generated.notes {
        eprintln!("{note}");
    }
    let ambiguous =
        generated.notes.iter().any(|note| matches!(note.kind, NoteKind::Ambiguous(_) | NoteKind::Unruly(_)));
    Ok(if ambiguous { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn differences(config: &Config, schema: &avro::Schema) -> Result<ExitCode> {
    let mut differ = false;
    for (target, difference) in commands::differences(config, schema).await? {
        for (field, field_type) in &difference.missing {
            println!("{target} lacks {field} ({field_type})");
        }
        for conflict in &difference.conflicts {
            println!("{target} has {} as {}, and the schema as {}", conflict.path, conflict.live, conflict.wanted);
        }
        differ |= !difference.missing.is_empty() || !difference.conflicts.is_empty();
    }
    Ok(Exit::of_difference(differ).into())
}
