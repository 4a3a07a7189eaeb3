//! Fuzzes the receiver with bytes from outside; see the library of this crate.

use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use penstock_fuzz::texts::{self, Kind};
use penstock_fuzz::{Input, Plan, Report, Target, run};

/// Looks for a body that makes the receiver panic, hang or take too much memory.
#[derive(Debug, Parser)]
struct Arguments {
    /// What to fuzz; whole bodies by default.
    #[arg(long)]
    target: Option<Kind>,
    /// How long to run, in seconds.
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// The seed of all inputs; a different one for each run by default.
    #[arg(long)]
    seed: Option<u64>,
    /// The number of the first input.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Add inputs with a new verdict to tests/corpus.
    #[arg(long)]
    keep: bool,
    /// Examine one file instead, for example a finding.
    file: Option<std::path::PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(file) = arguments.file {
        let bytes = std::fs::read(file)?;
        if let Some(kind) = arguments.target {
            println!("{}", texts::Target::new(kind)?.examine(&bytes)?);
            return Ok(());
        }
        let input = Input::decode(&bytes).ok_or_else(|| anyhow::anyhow!("the file is not an input"))?;
        let (verdict, time) = Target::new()?.time(&input)?;
        println!("{verdict:?} after {time:?}: {} {}", input.content_type(), input.content_encoding());
        return Ok(());
    }
    let seed = arguments.seed.unwrap_or_else(rand::random);
    let time = Duration::from_secs(arguments.seconds);
    println!("seed {seed}");
    let plan = Plan { seed, first: arguments.first, time, keep: arguments.keep };
    let report = match arguments.target {
        Some(kind) => texts::run(kind, plan, say)?,
        None => run(plan, say)?,
    };
    say(&report);
    println!("no findings");
    Ok(())
}

fn say(report: &Report) {
    println!(
        "{} inputs, {} accepted, {} kinds of verdict, longest {:?}, most memory {} KiB",
        report.inputs,
        report.accepted,
        report.verdicts.len(),
        report.longest,
        report.most_memory / 1024
    );
}
