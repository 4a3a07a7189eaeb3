//! The parts of the stack that the bench needs: a Kafka with the optimising compiler, a registry, and an Elasticsearch
//! only for the measurements that use one.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context;

use harness::link::{Link, Weather};
use harness::stack::Stack;
use harness::{paths, ports};

/// The options for Kafka's JVM: the stack's default uses only the first compiler, for a quick start.
const KAFKA_JAVA_OPTS: &str = "-XX:TieredStopAtLevel=4";

/// Parts of a stack for this bench alone. When dropped, stops them and removes their data.
pub(super) struct BenchStack {
    /// The addresses of the started parts.
    pub(super) stack: Stack,
    /// The link to Kafka, if its answers are delayed.
    link: Option<Link>,
    folder: PathBuf,
}

impl BenchStack {
    /// Starts `parts` and waits until they are ready. What goes to Kafka and back is delayed by `kafka_delay`.
    ///
    /// # Errors
    /// If a part does not start. The message contains the script's output.
    pub(super) async fn start(parts: &[&str], kafka_delay: Duration) -> anyhow::Result<Self> {
        let stack = Stack { kafka: ports::free()?, registry: ports::free()?, elasticsearch: ports::free()? };
        let link = delayed(stack.kafka, kafka_delay).await?;
        let own = Self { stack, link, folder: paths::scratch()?.join("stack-bench") };
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

    /// Returns the process of Elasticsearch itself. The one that the script knows has only started it.
    ///
    /// # Errors
    /// If Elasticsearch was not started.
    pub(super) fn elasticsearch(&self) -> anyhow::Result<u32> {
        let path = self.folder.join("run/elasticsearch.pid");
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let launcher = text.lines().find_map(|line| line.strip_prefix("pid=")).context("no pid")?;
        // Any of its threads may have started it (proc(5)).
        for thread in std::fs::read_dir(format!("/proc/{launcher}/task"))? {
            let children = std::fs::read_to_string(thread?.path().join("children"))?;
            if let Some(child) = children.split_whitespace().next() {
                return Ok(child.parse()?);
            }
        }
        anyhow::bail!("Elasticsearch does not run")
    }

    /// Returns `host:port` of Kafka for its clients.
    pub(super) fn brokers(&self) -> String {
        self.link.as_ref().map_or_else(|| self.stack.brokers(), Link::address)
    }

    fn script(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(paths::in_repository("deploy/local/stack"));
        let Stack { kafka, registry, elasticsearch } = self.stack;
        let ports = [("KAFKA_PORT", kafka), ("REGISTRY_PORT", registry), ("ELASTICSEARCH_PORT", elasticsearch)];
        command
            .args(arguments)
            .env("STACK_DIR", &self.folder)
            .envs(ports.map(|(name, port)| (name, port.to_string())))
            .envs(self.link.as_ref().map(|link| ("KAFKA_ADVERTISED_PORT", link.port().to_string())))
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

/// Returns a link to Kafka at `port` that delays what passes, or `None` if there is no delay.
async fn delayed(port: u16, delay: Duration) -> anyhow::Result<Option<Link>> {
    if delay.is_zero() {
        return Ok(None);
    }
    let link = Link::open(port).await?;
    link.set(Weather::Slow(delay));
    Ok(Some(link))
}

impl Drop for BenchStack {
    fn drop(&mut self) {
        self.remove();
    }
}
