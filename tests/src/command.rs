//! Runs commands of `penstock-indexer` as an operator does: as a process with arguments.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Context;
use serde_json::Value;

use crate::paths;
use crate::pipeline::Pipeline;
use crate::process::{self, Binary, Process};

/// The result of a command.
#[derive(Clone, Debug)]
pub struct CommandOutput {
    /// Its exit code.
    pub code: i32,
    /// Its standard output.
    pub output: String,
    /// Its standard error.
    pub errors: String,
}

impl CommandOutput {
    /// Returns the last line of its output as JSON.
    ///
    /// # Errors
    /// If it is not JSON. The message contains the whole output.
    pub fn json(&self) -> anyhow::Result<Value> {
        let line = self.output.lines().last().unwrap_or_default();
        serde_json::from_str(line).with_context(|| format!("{self:#?}"))
    }
}

/// Runs `penstock-indexer` with the config of `pipeline` and `arguments`, and waits until it ends.
///
/// # Errors
/// If it cannot be run.
pub async fn run(pipeline: &Pipeline, arguments: &[&str]) -> anyhow::Result<CommandOutput> {
    process::build().await?;
    let mut command = Command::new(paths::profile()?.join(Binary::Indexer.name()));
    command.arg("--config").arg(config(pipeline)?).args(arguments).stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    Ok(CommandOutput {
        code: output.status.code().unwrap_or(-1),
        output: String::from_utf8_lossy(&output.stdout).into_owned(),
        errors: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// Starts the same command in the background. Its output goes to the file `log` in the pipeline's folder.
///
/// # Errors
/// If it cannot be started.
pub async fn start(pipeline: &Pipeline, arguments: &[&str], log: &str) -> anyhow::Result<Process> {
    process::build().await?;
    Process::start_with(Binary::Indexer, &config(pipeline)?, arguments, &[], &pipeline.file(log))
}

fn config(pipeline: &Pipeline) -> anyhow::Result<PathBuf> {
    let path = pipeline.file(&format!("command-{}.yaml", uuid::Uuid::new_v4().simple()));
    process::write_config(&pipeline.config, &path)?;
    Ok(path)
}
