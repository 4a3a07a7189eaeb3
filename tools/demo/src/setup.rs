//! The services of the demo, as `deploy/penstock.yaml` describes them.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use harness::config::Config;
use receiver::config::Source;

use super::Options;
use harness::event::{Events, SCHEMA};
use harness::kafka::Kafka;
use harness::paths;
use harness::pipeline::{ready, register};
use harness::process::{Binary, Process};
use harness::search::Search;
use harness::sender::Flaw;
use harness::stack::Stack;

/// The config file of the demo: the same sample that a newcomer reads.
const CONFIG: &str = "deploy/penstock.yaml";

/// The running demo.
pub(super) struct Demo {
    pub(super) config: Config,
    pub(super) source: Source,
    pub(super) token: String,
    pub(super) kafka: Kafka,
    pub(super) search: Search,
    stack: Stack,
    folder: PathBuf,
    environment: Vec<(String, String)>,
    services: Vec<(Binary, Process)>,
}

impl Demo {
    /// Reads the config. Does not start anything yet.
    pub(super) fn start(options: &Options) -> anyhow::Result<Self> {
        let stack = Stack::running()?;
        let token = format!("demo-{}", uuid::Uuid::new_v4().simple());
        let environment: Vec<(String, String)> = [
            ("PENSTOCK_TOKEN", token.clone()),
            ("PENSTOCK__KAFKA__BROKERS", stack.brokers()),
            ("PENSTOCK__SCHEMA_REGISTRY__URL", stack.registry_url()),
            ("PENSTOCK__ELASTICSEARCH__URL", stack.elasticsearch_url()),
            // Makes Elasticsearch refuse some documents, so that the demo shows what happens to them.
            ("PENSTOCK__ELASTICSEARCH__MAPPING__FIELDS__TIMESTAMP__TYPE", Flaw::MAPPED.1.to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        let text = std::fs::read_to_string(paths::in_repository(CONFIG))?;
        let mut all: Vec<(String, String)> = std::env::vars().collect();
        all.extend(environment.iter().cloned());
        let config: Config = config::load_from(CONFIG, &text, &all)?;
        let source = config.receiver.sources.values().next().context("deploy/penstock.yaml has no source")?.clone();
        let folder = std::path::absolute(&options.stack_dir)?.join("demo");
        std::fs::create_dir_all(&folder)?;
        Ok(Self {
            kafka: Kafka::new(stack.brokers()),
            search: Search::new(stack.elasticsearch_url()),
            config,
            source,
            token,
            stack,
            folder,
            environment,
            services: Vec::new(),
        })
    }

    /// Starts both services and waits until they are ready.
    pub(super) async fn ready(&mut self) -> anyhow::Result<()> {
        self.ensure_ports_free()?;
        register(&self.stack.registry_url(), &self.source.subject, SCHEMA).await?;
        let config = paths::in_repository(CONFIG);
        for binary in [Binary::Receiver, Binary::Indexer] {
            let log = self.log(binary);
            std::fs::write(&log, "")?;
            let process = Process::start(binary, &config, &self.environment, &log)?;
            println!("{:13} started (pid {}, log {})", binary.name(), process.id(), short(&log));
            self.services.push((binary, process));
        }
        let (receiver, indexer) = (self.admin_url(Binary::Receiver), self.admin_url(Binary::Indexer));
        tokio::select! {
            ready = async { ready(&receiver).await?; ready(&indexer).await } => ready,
            failed = self.watch() => failed,
        }
    }

    fn ensure_ports_free(&self) -> anyhow::Result<()> {
        let ports = [
            ("receiver.listen", "PENSTOCK__RECEIVER__LISTEN", self.config.receiver.listen),
            ("receiver.admin_listen", "PENSTOCK__RECEIVER__ADMIN_LISTEN", self.config.receiver.admin_listen),
            ("indexer.admin_listen", "PENSTOCK__INDEXER__ADMIN_LISTEN", self.config.indexer.admin_listen),
        ];
        for (key, variable, address) in ports {
            let taken = TcpListener::bind(address).err();
            if let Some(error) = taken {
                anyhow::bail!("{key}: {address}: {error}: free the port, or set {variable}=127.0.0.1:PORT to another");
            }
        }
        Ok(())
    }

    /// Returns only when one of the services has ended, with the end of its log.
    pub(super) async fn watch(&mut self) -> anyhow::Result<()> {
        loop {
            for (binary, process) in &mut self.services {
                process.ensure_running().with_context(|| binary.name())?;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Stops the services in order, so that accepted events are delivered first.
    pub(super) async fn stop(&mut self) {
        for (binary, mut process) in std::mem::take(&mut self.services) {
            let stopped = match process.terminate() {
                Ok(()) => process.ended().await.map(drop),
                Err(error) => Err(error),
            };
            match stopped {
                Ok(()) => println!("{:13} stopped", binary.name()),
                Err(error) => eprintln!("{}: {error:#}", binary.name()),
            }
        }
    }

    /// Returns `host:port` of the webhook.
    pub(super) fn target(&self) -> String {
        reachable(self.config.receiver.listen).to_string()
    }

    fn admin_url(&self, binary: Binary) -> String {
        let address = match binary {
            Binary::Receiver => self.config.receiver.admin_listen,
            Binary::Indexer => self.config.indexer.admin_listen,
        };
        format!("http://{}", reachable(address))
    }

    fn log(&self, binary: Binary) -> PathBuf {
        self.folder.join(format!("{}.log", binary.name()))
    }

    /// Returns suggestions on what to try next. Writes an event and the token into files, for the command that posts an
    /// event.
    pub(super) fn how_to_look(&self) -> anyhow::Result<String> {
        let (event, token) = (self.folder.join("event.avro"), self.folder.join("token"));
        std::fs::write(&event, Events::unique().event(0).encode())?;
        std::fs::write(&token, &self.token)?;
        let search = format!("{}/{}", self.stack.elasticsearch_url(), self.config.elasticsearch.index_name);
        let (path, target) = (&self.source.path, self.target());
        let logs = [Binary::Receiver, Binary::Indexer].map(|binary| short(&self.log(binary))).join("  ");
        Ok(format!(
            "Look at it:\n  \
             search    curl -s '{search}/_search?q=action_type:contact.routed&sort=timestamp:desc&size=1&pretty'\n  \
             post one  curl -s -H 'Content-Type: application/avro' -H \"Authorization: Bearer $(cat {token})\" \
             --data-binary @{event} http://{target}{path}\n  \
             pages     {receiver}/  {indexer}/\n  \
             metrics   {receiver}/metrics  {indexer}/metrics\n  \
             ready?    {receiver}/readyz  {indexer}/readyz\n  \
             logs      {logs}\n",
            token = short(&token),
            event = short(&event),
            receiver = self.admin_url(Binary::Receiver),
            indexer = self.admin_url(Binary::Indexer),
        ))
    }
}

/// Returns the address to connect to for a server that listens at `address`.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    address
}

/// Returns `path` relative to the current folder if possible.
fn short(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}
