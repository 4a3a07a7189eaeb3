//! `penstock-bench`: what `make bench` runs once all is built.

use clap::Parser;
use penstock_bench::{Options, Part};

/// Measures the indexer, the receiver and the Avro reader, each beside its floor in the same run, and says how far each
/// is from its aim. Starts a Kafka and a registry of its own, and stops them at the end.
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
        // This program again, started by itself.
        Some(part) => part.run(),
        None => penstock_bench::run(&args.options),
    }
}
