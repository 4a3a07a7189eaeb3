//! `penstock-demo`: the program that `make demo` runs once the stack is up and everything is built.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use penstock_demo::Options;

/// Starts a receiver and an indexer with `deploy/penstock.yaml` on the running stack, posts sample events, and checks
/// by their ids that each is where it must be.
#[derive(Debug, Parser)]
struct Args {
    /// How many events to post.
    #[arg(long, env = "COUNT", default_value_t = 10_000)]
    count: u64,
    /// End after the table.
    #[arg(long)]
    exit: bool,
    /// The folder of the running stack.
    #[arg(long, env = "STACK_DIR", default_value = ".stack")]
    stack_dir: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let exit = args.exit || std::env::var("DEMO_EXIT").is_ok_and(|value| value == "1");
    match penstock_demo::run(&Options { count: args.count, exit, stack_dir: args.stack_dir }).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}
