//! The parts that the bench needs: a Kafka with an optimising compiler, a registry, and an Elasticsearch only for what
//! is about it.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Context;

use harness::stack::Stack;
use harness::{paths, ports};

/// The stack's own default stops at the first compiler, for a quick start.
const KAFKA_JAVA_OPTS: &str = "-XX:TieredStopAtLevel=4";

/// Parts of a stack that nobody else uses. Stopped, and their data removed, when dropped.
pub(super) struct BenchStack {
    /// Where they listen, those that were started.
    pub(super) stack: Stack,
    folder: PathBuf,
}

impl BenchStack {
    /// Starts `parts` and waits until they are ready.
    ///
    /// # Errors
    /// When one does not start; the message holds what the script said.
    pub(super) async fn start(parts: &[&str]) -> anyhow::Result<Self> {
        let stack = Stack { kafka: ports::free()?, registry: ports::free()?, elasticsearch: ports::free()? };
        let own = Self { stack, folder: paths::scratch()?.join("stack-bench") };
        // What a run that was killed has left: its parts are stopped, and its data is of no use.
        own.remove();
        for part in parts {
            let mut command = own.script(&["start", part]);
            let output = tokio::task::spawn_blocking(move || command.output()).await?;
            let output = output.context("deploy/local/stack cannot be run")?;
            let said = String::from_utf8_lossy(&output.stderr);
            anyhow::ensure!(output.status.success(), "{part} of deploy/local/stack does not start:\n{}", said.trim());
        }
        Ok(own)
    }

    fn script(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(paths::in_repository("deploy/local/stack"));
        let Stack { kafka, registry, elasticsearch } = self.stack;
        let ports = [("KAFKA_PORT", kafka), ("REGISTRY_PORT", registry), ("ELASTICSEARCH_PORT", elasticsearch)];
        command
            .args(arguments)
            .env("STACK_DIR", &self.folder)
            .envs(ports.map(|(name, port)| (name, port.to_string())))
            .stdin(Stdio::null());
        if std::env::var_os("KAFKA_JAVA_OPTS").is_none() {
            command.env("KAFKA_JAVA_OPTS", KAFKA_JAVA_OPTS);
        }
        command
    }

    fn remove(&self) {
        if !self.folder.exists() {
            return;
        }
        let stopped = self.script(&["down"]).output().map_err(anyhow::Error::from).and_then(|output| {
            let said = String::from_utf8_lossy(&output.stderr);
            anyhow::ensure!(output.status.success(), "{}", said.trim());
            Ok(std::fs::remove_dir_all(&self.folder)?)
        });
        if let Err(error) = stopped {
            eprintln!("the stack in {} could not be stopped and removed: {error:#}", self.folder.display());
        }
    }
}

impl Drop for BenchStack {
    fn drop(&mut self) {
        self.remove();
    }
}
