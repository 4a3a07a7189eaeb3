//! The real parts: `deploy/local/stack`.
//!
//! Most tests share the running stack ([`Stack::running`]). A test that stops a part has its own stack ([`OwnStack`]),
//! so that it disturbs no other test.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Context;

use crate::server::Server;
use crate::{paths, ports};

/// The path of Confluent's API in Apicurio.
pub const API: &str = "/apis/ccompat/v7";

/// The variables for the ports.
const PORTS: [&str; 4] = ["KAFKA_PORT", "REGISTRY_PORT", "ELASTICSEARCH_PORT", "OPENSEARCH_PORT"];

/// The ports of a stack's parts on 127.0.0.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stack {
    /// Kafka.
    pub kafka: u16,
    /// The schema registry.
    pub registry: u16,
    /// Elasticsearch, or OpenSearch instead.
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

/// A stack for one test alone. Stopped when dropped.
pub struct OwnStack {
    /// The addresses of its parts.
    pub stack: Stack,
    folder: PathBuf,
    settings: Vec<(String, String)>,
}

impl Stack {
    /// Returns the running stack: on the ports of `KAFKA_PORT`, `REGISTRY_PORT` and `ELASTICSEARCH_PORT`
    /// (`OPENSEARCH_PORT` in a scenario on OpenSearch), else on the default ports of `deploy/local/stack`.
    ///
    /// # Errors
    /// If one of the variables is not a port.
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

    /// Returns the value for `kafka.brokers`.
    pub fn brokers(&self) -> String {
        format!("127.0.0.1:{}", self.kafka)
    }

    /// Returns the value for `schema_registry.url`.
    pub fn registry_url(&self) -> String {
        format!("http://127.0.0.1:{}{API}", self.registry)
    }

    /// Returns the value for `elasticsearch.url`.
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
    /// Starts a stack on free ports, with its data in the tests' scratch folder, and waits until it is ready.
    ///
    /// # Errors
    /// If it does not start. The message contains the script's output.
    pub async fn start(name: &str) -> anyhow::Result<Self> {
        Self::start_with(name, &[]).await
    }

    /// Starts a stack with variables of `deploy/local/stack`, such as `KAFKA_EXTRA`.
    ///
    /// # Errors
    /// As for [`OwnStack::start`].
    pub async fn start_with(name: &str, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let stack = Stack { kafka: ports::free()?, registry: ports::free()?, elasticsearch: ports::free()? };
        Self::start_at(name, stack, settings).await
    }

    /// Starts a stack with variables on these ports.
    ///
    /// # Errors
    /// As for [`OwnStack::start`].
    pub async fn start_at(name: &str, stack: Stack, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let own = Self::prepare(name, stack, settings)?;
        own.script(vec!["up"]).await?;
        Ok(own)
    }

    /// Starts only a Kafka; the other parts are those of the running stack. `settings` are variables of
    /// `deploy/local/stack`, such as `KAFKA_EXTRA`.
    ///
    /// # Errors
    /// As for [`OwnStack::start`].
    pub async fn kafka(name: &str, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let own = Self::prepare(name, Stack { kafka: ports::free()?, ..Stack::running()? }, settings)?;
        own.start_again(Part::Kafka).await?;
        Ok(own)
    }

    /// Starts only an Elasticsearch; the other parts are those of the running stack. `settings` are variables of
    /// `deploy/local/stack`, such as `ES_VERSION` and `ES_EXTRA`.
    ///
    /// # Errors
    /// As for [`OwnStack::start`].
    pub async fn elasticsearch(name: &str, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        Self::search(name, Part::Elasticsearch, settings).await
    }

    /// Starts only an OpenSearch of `OPENSEARCH_VERSION`, in the same way.
    ///
    /// # Errors
    /// As for [`OwnStack::start`].
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
            // Stops the parts that a killed run left behind, and removes their data.
            run(&folder, None, &[], &["down"])?;
            std::fs::remove_dir_all(&folder)?;
        }
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Ok(Self { stack, folder, settings })
    }

    /// Stops a part in an orderly way.
    ///
    /// # Errors
    /// If the script fails. The same holds for the two functions below.
    pub async fn stop(&self, part: Part) -> anyhow::Result<()> {
        self.script(vec!["stop", part.name()]).await
    }

    /// Kills a part.
    ///
    /// # Errors
    /// As for [`OwnStack::stop`].
    pub async fn kill(&self, part: Part) -> anyhow::Result<()> {
        self.script(vec!["kill", part.name()]).await
    }

    /// Starts a part again with the same port and data, and waits until it is ready.
    ///
    /// # Errors
    /// As for [`OwnStack::stop`].
    pub async fn start_again(&self, part: Part) -> anyhow::Result<()> {
        self.script(vec!["start", part.name()]).await
    }

    /// Starts a part again with one more variable of `deploy/local/stack`, such as `ES_EXTRA`.
    ///
    /// # Errors
    /// As for [`OwnStack::stop`].
    pub async fn start_again_with(&self, part: Part, name: &str, value: &str) -> anyhow::Result<()> {
        let settings = [self.settings.clone(), vec![(name.to_owned(), value.to_owned())]].concat();
        self.script_with(vec!["start", part.name()], settings).await
    }

    /// Sends the signal of this name, such as `STOP`, to a part.
    ///
    /// # Errors
    /// If it does not run.
    pub fn signal(&self, part: Part, name: &str) -> anyhow::Result<()> {
        let path = self.folder.join(format!("run/{}.pid", part.name()));
        let file = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let id = file.lines().find_map(|line| line.strip_prefix("pid=")).context("no pid")?;
        // Each part has its own process group.
        let sent = Command::new("kill").args([&format!("-{name}"), "--", &format!("-{id}")]).status()?;
        anyhow::ensure!(sent.success(), "{} cannot be signalled", part.name());
        Ok(())
    }

    /// Creates a superuser in an Elasticsearch that was started with security.
    ///
    /// # Errors
    /// As for [`OwnStack::stop`].
    pub async fn add_user(&self, name: &'static str, password: &'static str) -> anyhow::Result<()> {
        self.script(vec!["user", name, password]).await
    }

    /// Returns the port of Kafka's internal listener, for which `KAFKA_EXTRA` sets neither TLS nor SASL.
    ///
    /// # Errors
    /// If Kafka was not started.
    pub fn internal_kafka(&self) -> anyhow::Result<u16> {
        let properties = std::fs::read_to_string(self.folder.join("run/kafka.properties"))?;
        let port = properties.split("INTERNAL://127.0.0.1:").nth(1).and_then(|rest| rest.split(',').next());
        Ok(port.context("no internal listener in kafka.properties")?.parse()?)
    }

    /// Runs a command-line tool of Kafka, given by its class, at the internal listener.
    ///
    /// # Errors
    /// If the tool fails. The message contains its output.
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

/// Runs `deploy/local/stack` with `arguments` for the stack in `folder`.
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
            // A stack has one or the other.
            .env("ELASTICSEARCH_PORT", stack.elasticsearch.to_string())
            .env("OPENSEARCH_PORT", stack.elasticsearch.to_string()),
        None => PORTS.iter().fold(&mut command, |command, name| command.env_remove(name)),
    };
    let output = command.output().context("deploy/local/stack cannot be run")?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "deploy/local/stack {}: {}", arguments.join(" "), said.trim());
    Ok(())
}
