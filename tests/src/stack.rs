//! The real parts: `deploy/local/stack`.
//!
//! Most tests share the stack that runs already ([`Stack::running`]). A test that stops a part has one of its own
//! ([`OwnStack`]), so that it disturbs nobody.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Context;

use crate::server::Server;
use crate::{paths, ports};

/// What Apicurio serves Confluent's API under.
pub const API: &str = "/apis/ccompat/v7";

/// The variables of the ports.
const PORTS: [&str; 4] = ["KAFKA_PORT", "REGISTRY_PORT", "ELASTICSEARCH_PORT", "OPENSEARCH_PORT"];

/// Where a stack's parts listen on 127.0.0.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stack {
    /// Kafka.
    pub kafka: u16,
    /// The schema registry.
    pub registry: u16,
    /// Elasticsearch, or OpenSearch in its place.
    pub elasticsearch: u16,
}

/// A part of the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Kafka.
    Kafka,
    /// The schema registry.
    Registry,
    /// Elasticsearch.
    Elasticsearch,
    /// OpenSearch.
    OpenSearch,
    /// Broker 1, 2 or 3 of a stack with three; the first one is [`Part::Kafka`].
    Broker(u8),
    /// Node 1, 2 or 3 of a stack with three of Elasticsearch; the first one is [`Part::Elasticsearch`].
    Node(u8),
}

/// A stack that nobody else uses. Stopped when dropped.
pub struct OwnStack {
    /// Where it listens.
    pub stack: Stack,
    folder: PathBuf,
    settings: Vec<(String, String)>,
}

impl Stack {
    /// Returns the stack that runs already: on the ports of `KAFKA_PORT`, `REGISTRY_PORT` and `ELASTICSEARCH_PORT`
    /// (`OPENSEARCH_PORT` in a scenario on OpenSearch), else on those that `deploy/local/stack` takes by itself.
    ///
    /// # Errors
    /// When one of the variables is not a port.
    pub fn running() -> anyhow::Result<Self> {
        let port = |name: &str, default: u16| match std::env::var(name) {
            Ok(value) => value.parse().with_context(|| format!("{name}={value} is not a port")),
            Err(_) => Ok(default),
        };
        let search = match Server::current() {
            Server::Elasticsearch => port("ELASTICSEARCH_PORT", 9200)?,
            Server::OpenSearch => port("OPENSEARCH_PORT", 9201)?,
        };
        Ok(Self { kafka: port("KAFKA_PORT", 9092)?, registry: port("REGISTRY_PORT", 8081)?, elasticsearch: search })
    }

    /// For `kafka.brokers`.
    pub fn brokers(&self) -> String {
        format!("127.0.0.1:{}", self.kafka)
    }

    /// For `schema_registry.url`.
    pub fn registry_url(&self) -> String {
        format!("http://127.0.0.1:{}{API}", self.registry)
    }

    /// For `elasticsearch.url`.
    pub fn elasticsearch_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.elasticsearch)
    }
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Kafka | Self::Broker(1) => "kafka",
            Self::Broker(2) => "kafka2",
            Self::Broker(_) => "kafka3",
            Self::Node(2) => "elasticsearch2",
            Self::Node(3) => "elasticsearch3",
            Self::Registry => "registry",
            Self::Elasticsearch | Self::Node(_) => "elasticsearch",
            Self::OpenSearch => "opensearch",
        }
    }
}

impl OwnStack {
    /// Starts a stack on free ports, its data under the tests' scratch folder, and waits until it is ready.
    ///
    /// # Errors
    /// When it does not start; the message holds what the script said.
    pub async fn start(name: &str) -> anyhow::Result<Self> {
        Self::start_with(name, &[]).await
    }

    /// Returns the same, with variables of `deploy/local/stack`, such as `KAFKA_EXTRA`.
    ///
    /// # Errors
    /// As [`OwnStack::start`].
    pub async fn start_with(name: &str, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let stack = Stack { kafka: ports::free()?, registry: ports::free()?, elasticsearch: ports::free()? };
        Self::start_at(name, stack, settings).await
    }

    /// Returns the same on these ports.
    ///
    /// # Errors
    /// As [`OwnStack::start`].
    pub async fn start_at(name: &str, stack: Stack, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let own = Self::prepare(name, stack, settings)?;
        own.script(vec!["up"]).await?;
        Ok(own)
    }

    /// Starts a Kafka alone; the other parts are those of the stack that runs already. `settings` are variables of
    /// `deploy/local/stack`, such as `KAFKA_EXTRA`.
    ///
    /// # Errors
    /// As [`OwnStack::start`].
    pub async fn kafka(name: &str, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let own = Self::prepare(name, Stack { kafka: ports::free()?, ..Stack::running()? }, settings)?;
        own.start_again(Part::Kafka).await?;
        Ok(own)
    }

    /// Starts an Elasticsearch alone; the other parts are those of the stack that runs already. `settings` are
    /// variables of `deploy/local/stack`, such as `ES_VERSION` and `ES_EXTRA`.
    ///
    /// # Errors
    /// As [`OwnStack::start`].
    pub async fn elasticsearch(name: &str, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        Self::search(name, Part::Elasticsearch, settings).await
    }

    /// Returns the same with an OpenSearch, of `OPENSEARCH_VERSION`.
    ///
    /// # Errors
    /// As [`OwnStack::start`].
    pub async fn opensearch(name: &str, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        Self::search(name, Part::OpenSearch, settings).await
    }

    async fn search(name: &str, part: Part, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let stack = Stack { elasticsearch: ports::free()?, ..Stack::running()? };
        let own = Self::prepare(name, stack, settings)?;
        own.start_again(part).await?;
        Ok(own)
    }

    fn prepare(name: &str, stack: Stack, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let folder = paths::scratch()?.join(format!("stack-{name}"));
        if folder.exists() {
            // Left by a run that was killed: its parts are stopped, and its data is of no use.
            run(&folder, None, &[], &["down"])?;
            std::fs::remove_dir_all(&folder)?;
        }
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Ok(Self { stack, folder, settings })
    }

    /// Stops a part in an orderly way.
    ///
    /// # Errors
    /// When the script fails; so for the two below.
    pub async fn stop(&self, part: Part) -> anyhow::Result<()> {
        self.script(vec!["stop", part.name()]).await
    }

    /// Kills a part.
    ///
    /// # Errors
    /// As [`OwnStack::stop`].
    pub async fn kill(&self, part: Part) -> anyhow::Result<()> {
        self.script(vec!["kill", part.name()]).await
    }

    /// Starts a part again, on the same port with the same data, and waits until it is ready.
    ///
    /// # Errors
    /// As [`OwnStack::stop`].
    pub async fn start_again(&self, part: Part) -> anyhow::Result<()> {
        self.script(vec!["start", part.name()]).await
    }

    /// Starts a part again with one more variable of `deploy/local/stack`, such as `ES_EXTRA`.
    ///
    /// # Errors
    /// As [`OwnStack::stop`].
    pub async fn start_again_with(&self, part: Part, name: &str, value: &str) -> anyhow::Result<()> {
        let settings = [self.settings.clone(), vec![(name.to_owned(), value.to_owned())]].concat();
        self.script_with(vec!["start", part.name()], settings).await
    }

    /// Sends a part the signal of this name, such as `STOP`.
    ///
    /// # Errors
    /// When it does not run.
    pub fn signal(&self, part: Part, name: &str) -> anyhow::Result<()> {
        let path = self.folder.join(format!("run/{}.pid", part.name()));
        let file = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let id = file.lines().find_map(|line| line.strip_prefix("pid=")).context("no pid")?;
        // A part is a process group of its own.
        let sent = Command::new("kill").args([&format!("-{name}"), "--", &format!("-{id}")]).status()?;
        anyhow::ensure!(sent.success(), "{} cannot be signalled", part.name());
        Ok(())
    }

    /// Makes a superuser of an Elasticsearch that was started with security.
    ///
    /// # Errors
    /// As [`OwnStack::stop`].
    pub async fn add_user(&self, name: &'static str, password: &'static str) -> anyhow::Result<()> {
        self.script(vec!["user", name, password]).await
    }

    /// The port of the listener of Kafka's own traffic, which `KAFKA_EXTRA` gives no TLS and no SASL.
    ///
    /// # Errors
    /// When Kafka was not started.
    pub fn internal_kafka(&self) -> anyhow::Result<u16> {
        let properties = std::fs::read_to_string(self.folder.join("run/kafka.properties"))?;
        let port = properties.split("INTERNAL://127.0.0.1:").nth(1).and_then(|rest| rest.split(',').next());
        Ok(port.context("no internal listener in kafka.properties")?.parse()?)
    }

    /// Runs a command-line tool of Kafka, given by its class, at a listener that only this machine's own traffic has.
    ///
    /// # Errors
    /// When the tool fails; the message holds what it said.
    pub async fn kafka_tool(&self, class: &str, arguments: &[&str]) -> anyhow::Result<()> {
        self.script([&["kafka-tool", class], arguments].concat()).await
    }

    async fn script(&self, arguments: Vec<&str>) -> anyhow::Result<()> {
        self.script_with(arguments, self.settings.clone()).await
    }

    async fn script_with(&self, arguments: Vec<&str>, settings: Vec<(String, String)>) -> anyhow::Result<()> {
        let (folder, stack) = (self.folder.clone(), self.stack);
        let arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
        let script = move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            run(&folder, Some(stack), &settings, &arguments)
        };
        tokio::task::spawn_blocking(script).await?
    }
}

impl Drop for OwnStack {
    fn drop(&mut self) {
        if let Err(error) = run(&self.folder, None, &[], &["down"]) {
            eprintln!("the stack in {} could not be stopped: {error:#}", self.folder.display());
        }
    }
}

/// `deploy/local/stack` with `arguments`, for the stack in `folder`.
fn run(
    folder: &std::path::Path,
    ports: Option<Stack>,
    settings: &[(String, String)],
    arguments: &[&str],
) -> anyhow::Result<()> {
    let mut command = Command::new(paths::in_repository("deploy/local/stack"));
    command.args(arguments).env("STACK_DIR", folder).stdin(Stdio::null());
    command.envs(settings.iter().map(|(name, value)| (name, value)));
    match ports {
        Some(stack) => command
            .env("KAFKA_PORT", stack.kafka.to_string())
            .env("REGISTRY_PORT", stack.registry.to_string())
            // Of a stack there is one or the other.
            .env("ELASTICSEARCH_PORT", stack.elasticsearch.to_string())
            .env("OPENSEARCH_PORT", stack.elasticsearch.to_string()),
        None => PORTS.iter().fold(&mut command, |command, name| command.env_remove(name)),
    };
    let output = command.output().context("deploy/local/stack cannot be run")?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "deploy/local/stack {}: {}", arguments.join(" "), said.trim());
    Ok(())
}
