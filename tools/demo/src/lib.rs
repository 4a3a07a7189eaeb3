//! The demo: both services on the real stack, a load of sample events, and a check of every one of them.
//!
//! `tests/scripts/demo` builds everything, starts the stack and runs `penstock-demo`, which calls [`run`]. The module
//! `setup` reads `deploy/penstock.yaml` and starts the services with it, `job` sends and waits, and `report` checks the
//! outcome and prints it.

use std::path::PathBuf;

use tokio::signal::unix::{SignalKind, signal};

pub use report::Report;

mod job;
mod report;
mod setup;

/// The options of the demo.
#[derive(Clone, Debug)]
pub struct Options {
    /// The number of events to send.
    pub count: u64,
    /// Whether to end after the table instead of waiting for Ctrl-C.
    pub exit: bool,
    /// The folder of the running stack. Logs and the token go there too.
    pub stack_dir: PathBuf,
}

/// Runs the demo until Ctrl-C, and stops the services it started. The caller starts and stops the stack.
///
/// # Errors
/// If a service does not start or stops early, or an event is not where it must be.
pub async fn run(options: &Options) -> anyhow::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut demo = setup::Demo::start(options)?;
    let outcome = tokio::select! {
        outcome = play(&mut demo, options) => outcome,
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    };
    demo.stop().await;
    outcome
}

async fn play(demo: &mut setup::Demo, options: &Options) -> anyhow::Result<()> {
    demo.ready().await?;
    let done = job::run(demo, options.count).await?;
    let report = Report::of(demo, &done).await?;
    println!("\n{report}");
    report.ensure_good()?;
    println!("{}", demo.how_to_look()?);
    if options.exit {
        return Ok(());
    }
    println!("Running until Ctrl-C, which stops everything.");
    demo.watch().await
}
