//! What the measurements share: the stack, topics, the schema, and the config.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use harness::config::Config;
use indexer::config::{Strategy, VerifyDuplicates};
use receiver::config::Auth;
use tempfile::TempDir;

use super::Options;
use super::stack::BenchStack;
use harness::event::{Events, SCHEMA, now};
use harness::feed::Feed;
use harness::kafka::Kafka;
use harness::pipeline::{register, source};
use harness::process::{Binary, Process, write_config};
use harness::search::Search;
use harness::sender::Mix;
use harness::usage::Usage;
use harness::{paths, ports};

/// The partitions of each topic, unless the options set another number.
pub(super) const PARTITIONS: i32 = 8;
/// The topic that is filled in advance for the indexer.
pub(super) const EVENTS: &str = "bench-events";
/// The topic that is filled in advance with large events.
pub(super) const LARGE: &str = "bench-large";
/// The topic that the receiver writes to.
const WEBHOOK: &str = "bench-webhook";
const DEAD_LETTERS: &str = "bench-dead-letters";

/// A short margin, so that rollovers every few seconds have an effect.
const PLACEMENT_MARGIN: Duration = Duration::from_secs(1);

/// Holds what the measurements share.
pub(super) struct Setup {
    /// The bearer token of the webhook.
    pub(super) token: String,
    config: Config,
    schema_id: u32,
    folder: TempDir,
    stack: BenchStack,
}

/// Runs both services, from the webhook to an index, with their own topic and index.
pub(super) struct Flow {
    /// The indexer.
    pub(super) indexer: Process,
    /// The URL of its admin port.
    pub(super) indexer_admin: String,
    /// The receiver.
    pub(super) receiver: Process,
    /// The URL of its admin port.
    pub(super) receiver_admin: String,
    /// The address of the webhook.
    pub(super) webhook: SocketAddr,
    /// The topic, and the alias of the index.
    pub(super) topic: String,
}

impl Setup {
    /// Starts `parts` of the stack, creates the topics (the webhook's with the partitions of `options`), and registers the
    /// schema. The Kafka options apply to the services.
    ///
    /// # Errors
    /// If a part does not start or fails.
    pub(super) async fn start(parts: &[&str], options: &Options, partitions: i32) -> anyhow::Result<Self> {
        let delay = Duration::from_millis(options.kafka_delay);
        let stack = BenchStack::start(parts, delay).await.context("the stack did not start")?;
        let folder = TempDir::with_prefix_in("bench-", paths::scratch()?)?;
        let token = format!("token-{}", uuid::Uuid::new_v4().simple());
        let tokens_file = folder.path().join("tokens");
        std::fs::write(&tokens_file, &token)?;

        let kafka = Kafka::new(stack.brokers());
        for (topic, partitions) in
            [(EVENTS, PARTITIONS), (LARGE, PARTITIONS), (WEBHOOK, partitions), (DEAD_LETTERS, PARTITIONS)]
        {
            kafka.create_topic(topic, partitions).await?;
        }
        let schema_id = register(&stack.stack.registry_url(), WEBHOOK, SCHEMA).await?;

        // Everything else keeps its default, since the defaults are measured.
        let mut config = Config::default();
        config.kafka.brokers = stack.brokers();
        config.kafka.topic = EVENTS.to_owned();
        config.kafka.dead_letter_topic = DEAD_LETTERS.to_owned();
        config.kafka.options = options.kafka_options.iter().cloned().collect();
        config.schema_registry.url = stack.stack.registry_url();
        let mut source = source(WEBHOOK, Auth::Bearer { tokens: Vec::new(), tokens_file: Some(tokens_file) });
        source.topic = Some(WEBHOOK.to_owned());
        config.receiver.sources.insert("cxone".to_owned(), source);
        Ok(Self { token, config, schema_id, folder, stack })
    }

    /// Returns a feed that writes events to `topic` as fast as Kafka accepts them.
    pub(super) fn feed(&self, topic: &str) -> Feed {
        Feed {
            brokers: self.brokers(),
            topic: topic.to_owned(),
            schema_ids: vec![self.schema_id],
            mix: Mix::good(Events::new(0, now())),
            per_second: None,
        }
    }

    /// Returns a client for the stack's Elasticsearch.
    pub(super) fn search(&self) -> Search {
        Search::new(self.stack.stack.elasticsearch_url())
    }

    /// Returns `host:port` of the stack's Elasticsearch.
    pub(super) fn elasticsearch_address(&self) -> String {
        format!("127.0.0.1:{}", self.stack.stack.elasticsearch)
    }

    /// Returns what the stack's Elasticsearch has used since its start.
    ///
    /// # Errors
    /// If it does not run.
    pub(super) fn elasticsearch_usage(&self) -> anyhow::Result<Usage> {
        Usage::of(self.stack.elasticsearch()?)
    }

    /// Returns `host:port` of Kafka.
    pub(super) fn brokers(&self) -> String {
        self.stack.brokers()
    }

    /// Returns the config that is measured: the defaults, except for addresses. The indexer reads [`EVENTS`].
    pub(super) fn config(&self) -> Config {
        self.config.clone()
    }

    /// Returns the same config with `topic` between receiver and indexer, and as the name of the index.
    pub(super) fn config_through(&self, topic: &str) -> Config {
        let mut config = self.config_of(topic, Strategy::Rollover);
        for source in config.receiver.sources.values_mut() {
            source.topic = Some(topic.to_owned());
        }
        config
    }

    /// Creates a topic with `partitions`, and returns its name.
    ///
    /// # Errors
    /// If Kafka fails to.
    pub(super) async fn topic(&self, partitions: i32) -> anyhow::Result<String> {
        let topic = format!("bench-{}", uuid::Uuid::new_v4().simple());
        Kafka::new(self.brokers()).create_topic(&topic, partitions).await?;
        Ok(topic)
    }

    /// Deletes `topic`.
    ///
    /// # Errors
    /// If Kafka fails to.
    pub(super) async fn delete(&self, topic: &str) -> anyhow::Result<()> {
        Kafka::new(self.brokers()).delete_topic(topic).await
    }

    /// Registers `schema` under `subject`, and returns its id.
    ///
    /// # Errors
    /// If the registry refuses.
    pub(super) async fn register(&self, subject: &str, schema: &str) -> anyhow::Result<u32> {
        register(&self.stack.stack.registry_url(), subject, schema).await
    }

    /// Starts an indexer with `config` and its own group that writes to `elasticsearch`. Also returns the URL of its
    /// admin port.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(super) fn indexer(&self, config: Config, elasticsearch: SocketAddr) -> anyhow::Result<(Process, String)> {
        self.indexer_of(config, format!("http://{elasticsearch}"))
    }

    /// Starts an indexer with its own topic that writes to the index of that name in the stack's Elasticsearch. Also
    /// returns the URL of its admin port and the topic.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(super) async fn placing_indexer(&self, strategy: Strategy) -> anyhow::Result<(Process, String, String)> {
        let topic = self.topic(PARTITIONS).await?;
        // The index is created with the fields of the topic's schema.
        self.register(&topic, SCHEMA).await?;
        let mut config = self.config_of(&topic, strategy);
        config.elasticsearch.placement.margin = PLACEMENT_MARGIN;
        let (indexer, admin) = self.indexer_of(config, self.stack.stack.elasticsearch_url())?;
        Ok((indexer, admin, topic))
    }

    /// Starts both services with their own topic.
    ///
    /// # Errors
    /// If one cannot be started.
    pub(super) async fn flow(&self) -> anyhow::Result<Flow> {
        let topic = self.topic(PARTITIONS).await?;
        let config = self.config_through(&topic);
        let (indexer, indexer_admin) = self.indexer_of(config.clone(), self.stack.stack.elasticsearch_url())?;
        let (receiver, webhook, receiver_admin) = self.receiver(config)?;
        Ok(Flow { indexer, indexer_admin, receiver, receiver_admin, webhook, topic })
    }

    /// Starts an indexer with its own group that reads `topic` of [`Setup::placing_indexer`] again. Also returns the
    /// URL of its admin port.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(super) fn replaying_indexer(&self, topic: &str, how: VerifyDuplicates) -> anyhow::Result<(Process, String)> {
        let mut config = self.config_of(topic, Strategy::Single);
        config.elasticsearch.verify_duplicates = how;
        self.indexer_of(config, self.stack.stack.elasticsearch_url())
    }

    /// Starts an indexer that reads all of `topic`, none of which is indexed.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(super) fn reading_indexer(&self, topic: &str) -> anyhow::Result<(Process, String)> {
        self.indexer_of(self.config_of(topic, Strategy::Single), self.stack.stack.elasticsearch_url())
    }

    /// Starts the command that replays all of `topic` with the default proof of duplicates.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(super) fn replay_command(&self, topic: &str) -> anyhow::Result<Process> {
        let mut config = self.config_of(topic, Strategy::Single);
        config.elasticsearch.url = self.stack.stack.elasticsearch_url();
        let (file, log) = (self.file("replay.yaml"), self.file("replay.log"));
        write_config(&config, &file)?;
        let name = format!("bench-{}", uuid::Uuid::new_v4().simple());
        let arguments = ["replay", "--from", "earliest", "--name", &name];
        Process::start_with(Binary::Indexer, &file, &arguments, &[], &log)
    }

    fn config_of(&self, topic: &str, strategy: Strategy) -> Config {
        let mut config = self.config.clone();
        topic.clone_into(&mut config.kafka.topic);
        topic.clone_into(&mut config.elasticsearch.index_name);
        config.elasticsearch.strategy = strategy;
        config
    }

    fn indexer_of(&self, mut config: Config, elasticsearch: String) -> anyhow::Result<(Process, String)> {
        config.elasticsearch.url = elasticsearch;
        config.indexer.admin_listen = address()?;
        config.indexer.group_id = format!("bench-{}", uuid::Uuid::new_v4().simple());
        let admin = format!("http://{}", config.indexer.admin_listen);
        Ok((self.service(Binary::Indexer, &config)?, admin))
    }

    /// Starts a receiver with `config`. Also returns the address of the webhook and the URL of its admin port.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(super) fn receiver(&self, mut config: Config) -> anyhow::Result<(Process, SocketAddr, String)> {
        config.receiver.listen = address()?;
        config.receiver.admin_listen = address()?;
        let admin = format!("http://{}", config.receiver.admin_listen);
        Ok((self.service(Binary::Receiver, &config)?, config.receiver.listen, admin))
    }

    fn service(&self, binary: Binary, config: &Config) -> anyhow::Result<Process> {
        let file = self.file(&format!("{}.yaml", binary.name()));
        write_config(config, &file)?;
        Process::start(binary, &file, &[], &self.file(&format!("{}.log", binary.name())))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Fails unless the binaries of both services are next to this program.
///
/// # Errors
/// Says what to do.
pub(super) fn ensure_built() -> anyhow::Result<()> {
    for binary in [Binary::Receiver, Binary::Indexer] {
        let program = paths::profile()?.join(binary.name());
        anyhow::ensure!(program.exists(), "{} is not there: make bench builds it", program.display());
    }
    Ok(())
}

fn address() -> anyhow::Result<SocketAddr> {
    Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, ports::free()?)))
}
