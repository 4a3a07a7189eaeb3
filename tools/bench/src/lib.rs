//! The bench: measures CPU time, memory and duration of the services, compared with floors measured in the same run.
//!
//! Everything measured is a separate process with its own CPU time and memory: the services are their release binaries,
//! and the floors and stand-ins are this program again ([`Part`]). A measurement is a module (`indexer`, `receiver`,
//! `avro`) that produces a `Sample` for each of its lines and rounds; `report` prints them as a table, and knows the
//! aims. `growth` composes the same measurements to curves. `soak` observes the whole pipeline under faults; `plot`
//! draws. `docs/benchmarks.md` explains lines and curves: document a new one there too.

use std::fs::File;
use std::path::PathBuf;

use anyhow::Context;
use clap::ValueEnum;
use tokio::signal::unix::{SignalKind, signal};

use growth::Curve;
use harness::{paths, usage};
use report::Report;
use setup::Setup;

pub use part::Part;

mod avro;
mod child;
mod elasticsearch;
mod freshness;
mod growth;
mod http_floor;
mod indexer;
mod kafka_floor;
mod load;
mod machine;
mod null_elasticsearch;
mod number;
mod output;
mod part;
mod placement;
mod plot;
mod receiver;
mod replay;
mod report;
mod sample;
mod setup;
mod soak;
mod stack;

/// What to measure, and how much of it.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Number of events in the topic that the indexer consumes.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    events: u64,
    /// Number of requests to the receiver, with one event each.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1..))]
    requests: u64,
    /// Number of connections to the receiver.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    connections: u16,
    /// Number of partitions of the topic that the receiver writes to.
    #[arg(long, default_value_t = setup::PARTITIONS, value_parser = clap::value_parser!(i32).range(1..))]
    partitions: i32,
    /// How often to measure each line; the table shows medians.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// A librdkafka setting for the services (`kafka.options`), as KEY=VALUE; may be repeated.
    #[arg(long = "kafka-option", value_name = "KEY=VALUE", value_parser = key_value)]
    kafka_options: Vec<(String, String)>,
    /// Milliseconds by which requests to Kafka and its answers are delayed, as if Kafka ran far away.
    #[arg(long, default_value_t = 0)]
    kafka_delay: u64,
    /// Measure only this.
    #[arg(long)]
    only: Option<Subject>,
    /// The file for the results as JSON.
    /// By default `report.json` in `target/bench`, or `growth.json` there.
    #[arg(long)]
    json: Option<PathBuf>,
    /// The curves of `--only growth`; by default all of them.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "CURVES")]
    growth: Vec<Curve>,
    /// Number of points of each curve.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(2..=12))]
    points: u16,
    #[command(flatten)]
    soak: soak::Options,
}

/// A part of the bench that can be run alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Subject {
    /// From Kafka into an Elasticsearch that does nothing.
    Indexer,
    /// From HTTP to Kafka.
    Receiver,
    /// From Avro to JSON; needs no Kafka.
    Avro,
    /// Into a real Elasticsearch with each strategy; only on request.
    Placement,
    /// Into a real Elasticsearch, compared with prepared bulk bodies; only on request.
    Elasticsearch,
    /// Reading all events again, with and without proof of duplicates; only on request.
    Replay,
    /// From the webhook until readable by id in a real Elasticsearch, at several rates; only on request.
    Freshness,
    /// Curves of rate, CPU time, memory and freshness, as plots, and a table of sizes; only on request.
    Growth,
    /// The whole pipeline under load for a long time, with a fault every minute, as plots; only on request.
    Soak,
}

impl Options {
    fn wants(&self, subject: Subject) -> bool {
        let is_usual = matches!(subject, Subject::Indexer | Subject::Receiver | Subject::Avro);
        self.only.map_or(is_usual, |only| only == subject)
    }
}

fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("it is not KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// Runs the bench until it is done or Ctrl-C, prints the results, writes the JSON, and stops everything it started.
///
/// # Errors
/// If the stack or a service does not start or does not work; never because an aim is missed.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let results = runtime.block_on(async {
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        tokio::select! {
            results = results(options) => results.map(Some),
            _ = interrupt.recv() => Ok(None),
            _ = terminate.recv() => Ok(None),
        }
    })?;
    println!("\n{}", results.context("interrupted")?);
    Ok(())
}

/// Measures, writes the files, and returns the results as text.
async fn results(options: &Options) -> anyhow::Result<String> {
    usage::ensure_known()?;
    let _alone = ensure_alone()?;
    if cfg!(debug_assertions) {
        eprintln!("bench: this is not a release build: the figures mean nothing (make bench, or cargo run --release)");
    }
    if options.wants(Subject::Growth) {
        return growth::run(options).await;
    }
    if options.wants(Subject::Soak) {
        return soak::run(&options.soak).await;
    }
    let report = measure(options).await?;
    let json = options.json.clone().unwrap_or_else(|| paths::in_repository("target/bench/report.json"));
    report.write(&json)?;
    Ok(format!("{report}\nThe same as JSON: {}", json.display()))
}

async fn measure(options: &Options) -> anyhow::Result<Report> {
    let mut report = Report::new(options.rounds);
    if options.wants(Subject::Indexer) || options.wants(Subject::Receiver) {
        setup::ensure_built()?;
        services(options, &mut report).await?;
    }
    if options.wants(Subject::Avro) {
        for round in 1..=options.rounds {
            say(&format!("Avro to JSON, round {round} of {}", options.rounds));
            avro::round(&mut report).await?;
        }
    }
    if options.wants(Subject::Placement) {
        setup::ensure_built()?;
        placement(options, &mut report).await?;
    }
    if options.wants(Subject::Elasticsearch) {
        setup::ensure_built()?;
        elasticsearch(options, &mut report).await?;
    }
    if options.wants(Subject::Replay) {
        setup::ensure_built()?;
        replay(options, &mut report).await?;
    }
    if options.wants(Subject::Freshness) {
        setup::ensure_built()?;
        freshness(options, &mut report).await?;
    }
    Ok(report)
}

/// Starts a stack with a real Elasticsearch.
async fn with_elasticsearch(options: &Options) -> anyhow::Result<Setup> {
    say("starting Kafka, the registry and Elasticsearch");
    Setup::start(&["kafka", "registry", "elasticsearch"], options, options.partitions).await
}

async fn freshness(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let setup = with_elasticsearch(options).await?;
    for round in 1..=options.rounds {
        say(&format!("freshness, round {round} of {}", options.rounds));
        freshness::round(&setup, report).await?;
    }
    Ok(())
}

async fn elasticsearch(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let setup = with_elasticsearch(options).await?;
    say("into Elasticsearch, a round that does not count: Elasticsearch compiles what it runs often");
    elasticsearch::round(&setup, options.events, &mut Report::new(0)).await?;
    for round in 1..=options.rounds {
        say(&format!("into Elasticsearch, round {round} of {}", options.rounds));
        elasticsearch::round(&setup, options.events, report).await?;
    }
    Ok(())
}

async fn placement(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let setup = with_elasticsearch(options).await?;
    say("placement, a round that does not count: Elasticsearch compiles what it runs often");
    placement::round(&setup, options.events, &mut Report::new(0)).await?;
    for round in 1..=options.rounds {
        say(&format!("placement, round {round} of {}", options.rounds));
        placement::round(&setup, options.events, report).await?;
    }
    Ok(())
}

async fn replay(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let setup = with_elasticsearch(options).await?;
    say(&format!("indexing {} events", options.events));
    let topic = replay::fill(&setup, options.events).await?;
    say("replay, a round that does not count: Elasticsearch compiles what it runs often");
    replay::round(&setup, &topic, options.events, &mut Report::new(0)).await?;
    for round in 1..=options.rounds {
        say(&format!("replay, round {round} of {}", options.rounds));
        replay::round(&setup, &topic, options.events, report).await?;
    }
    Ok(())
}

/// Runs the measurements that need Kafka and the registry.
async fn services(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    say("starting Kafka and the registry");
    let setup = Setup::start(&["kafka", "registry"], options, options.partitions).await?;
    if options.wants(Subject::Indexer) {
        say(&format!("writing {} events to Kafka", options.events));
        indexer::fill(&setup, options.events).await?;
        for round in 1..=options.rounds {
            say(&format!("indexer, round {round} of {}", options.rounds));
            indexer::round(&setup, options.events, report).await?;
        }
    }
    if options.wants(Subject::Receiver) {
        let load = load::Load::new(&setup.token, options.connections, options.requests)?;
        let files = load::Load::files(&setup.token, options.connections, options.events)?;
        say("receiver, a round that does not count: Kafka compiles what it runs often");
        receiver::round(&setup, &load, &mut Report::new(0)).await?;
        for round in 1..=options.rounds {
            say(&format!("receiver, round {round} of {}", options.rounds));
            receiver::round(&setup, &load, report).await?;
            receiver::files_round(&setup, &files, report).await?;
        }
    }
    Ok(())
}

/// Fails if another bench is running, and keeps others from running until dropped. The system releases the lock when
/// its process ends, in any case.
fn ensure_alone() -> anyhow::Result<File> {
    let path = paths::scratch()?.join("bench.lock");
    let file = File::create(&path).with_context(|| format!("cannot make {}", path.display()))?;
    file.try_lock()
        .with_context(|| format!("{}: another bench runs, and two would measure each other", path.display()))?;
    Ok(file)
}

/// Prints the progress to stderr; the table goes to stdout.
fn say(what: &str) {
    eprintln!("bench: {what}");
}
