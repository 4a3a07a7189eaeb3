//! `penstock-bench`: the program that `make bench` runs after the build.

use clap::Parser;
use penstock_bench::{Options, Part};

/// Measures the indexer, the receiver and the Avro reader, each with its floor in the same run, and compares them with
/// their aims. Starts its own Kafka and registry, and stops them at the end.
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Args {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    part: Option<Part>,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    match args.part {
        // This program started itself as a child.
        Some(part) => part.run(),
        None => penstock_bench::run(&args.options),
    }
}
