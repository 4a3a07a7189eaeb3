//! The parts of the stack that the bench needs: a Kafka with the optimising compiler, a registry, and an Elasticsearch
//! only for the measurements that use one.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Context;

use harness::stack::Stack;
use harness::{paths, ports};

/// The options for Kafka's JVM: the stack's default uses only the first compiler, for a quick start.
const KAFKA_JAVA_OPTS: &str = "-XX:TieredStopAtLevel=4";

/// Parts of a stack for this bench alone. When dropped, stops them and removes their data.
pub(super) struct BenchStack {
    /// The addresses of the started parts.
    pub(super) stack: Stack,
    folder: PathBuf,
}

impl BenchStack {
    /// Starts `parts` and waits until they are ready.
    ///
    /// # Errors
    /// If a part does not start. The message contains the script's output.
    pub(super) async fn start(parts: &[&str]) -> anyhow::Result<Self> {
        let stack = Stack { kafka: ports::free()?, registry: ports::free()?, elasticsearch: ports::free()? };
        let own = Self { stack, folder: paths::scratch()?.join("stack-bench") };
        // Stops the parts that a killed run left behind, and removes their data.
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
