//! One pipeline on a stack: its own topics, group, subject and index, and its config.
//!
//! The services run in-process ([`Pipeline::receiver`], [`Pipeline::indexer`]) unless a test kills them
//! ([`crate::process`]). The final waits that several scenarios share are here too.

use std::collections::{BTreeMap, HashSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use receiver::Listeners;
use receiver::config::{Auth, Limits, Quarantine, Source};
use registry::wire::{SchemaId, frame};
use serde_json::json;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::delivery::Differences;
use crate::event::SCHEMA;
use crate::eventually::{eventually, within};
use crate::feed::Feed;
use crate::http::{self, Method};
use crate::kafka::{Kafka, Raw};
use crate::search::Search;
use crate::sender::{Flaw, Load, Mix};
use crate::{eventually, paths};

/// The path of the webhook.
pub const PATH: &str = "/webhook/cxone/events";
/// The partitions of the topic of events.
pub const PARTITIONS: i32 = 4;

/// One pipeline.
pub struct Pipeline {
    /// The config of all its services. The ports in it are 0.
    pub config: Config,
    /// Kafka.
    pub kafka: Kafka,
    /// Elasticsearch.
    pub search: Search,
    /// The bearer token of the webhook.
    pub token: String,
    /// The id of [`SCHEMA`] in the registry.
    pub schema_id: u32,
    /// The folder for config files and logs, which is removed at the end.
    pub folder: TempDir,
}

/// A service in this process. Stopped without waiting when dropped.
pub struct Service {
    /// The address for webhooks, or of the admin port for an indexer, which has no webhooks.
    pub http: SocketAddr,
    /// The admin port.
    pub admin: SocketAddr,
    shutdown: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Pipeline {
    /// Creates topics for `scenario` on `stack`, registers the schema, and writes the token's file.
    ///
    /// # Errors
    /// If a part of the stack fails.
    pub async fn new(stack: &crate::stack::Stack, scenario: &str) -> anyhow::Result<Self> {
        let unique = uuid::Uuid::new_v4().simple().to_string();
        let name = format!("{scenario}-{}", &unique[..8]);
        let folder = TempDir::with_prefix_in(format!("{name}-"), paths::scratch()?)?;
        let token = format!("token-{unique}");
        let token_file = folder.path().join("tokens");
        std::fs::write(&token_file, &token)?;

        let mut config = Config::default();
        config.kafka.brokers = stack.brokers();
        config.kafka.topic.clone_from(&name);
        config.kafka.dead_letter_topic = format!("{name}-dead-letters");
        config.kafka.quarantine_topic = format!("{name}-quarantine");
        // The group notices a killed member after this time; Kafka's default of 45 s would dominate a test.
        config.kafka.options = [("session.timeout.ms", "6000"), ("heartbeat.interval.ms", "1000")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into();
        config.schema_registry.url = stack.registry_url();
        config.elasticsearch.url = stack.elasticsearch_url();
        config.elasticsearch.index_name.clone_from(&name);
        let (field, field_type) = Flaw::MAPPED;
        let mapped = serde_json::from_value(json!({ "type": field_type }))?;
        config.elasticsearch.mapping.fields.insert(field.to_owned(), mapped);
        config.receiver.listen = SocketAddr::from(([127, 0, 0, 1], 0));
        config.receiver.admin_listen = config.receiver.listen;
        config.indexer.admin_listen = config.receiver.listen;
        config.indexer.group_id.clone_from(&name);
        config.receiver.sources.insert(
            "cxone".to_owned(),
            source(&name, Auth::Bearer { tokens: Vec::new(), tokens_file: Some(token_file) }),
        );

        let kafka = Kafka::new(stack.brokers());
        let created = kafka.create_topic(&config.kafka.topic, PARTITIONS).await;
        created.with_context(|| format!("{stack:?} does not run? `make test` starts one, `make stack` too"))?;
        kafka.create_topic(&config.kafka.dead_letter_topic, 1).await?;
        let schema_id = register(&stack.registry_url(), &name, SCHEMA).await?;
        Ok(Self { config, kafka, search: Search::new(stack.elasticsearch_url()), token, schema_id, folder })
    }

    /// Starts a receiver in this process and waits until it is ready.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn receiver(&self) -> anyhow::Result<Service> {
        let receiver = Service::receiver(self.config.clone()).await?;
        ready(&receiver.admin_url()).await?;
        Ok(receiver)
    }

    /// Posts `body` to the webhook of `receiver` with the token.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn post(
        &self,
        receiver: &Service,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> anyhow::Result<http::HttpAnswer> {
        let token = format!("Bearer {}", self.token);
        let mut all = vec![("authorization", token.as_str())];
        all.extend(headers);
        http::send(Method::POST, &receiver.url(), &all, body.to_vec()).await
    }

    /// Posts `event`, whose schema is not the current one yet, until the receiver has loaded the schema and accepts it.
    ///
    /// # Errors
    /// If it is never accepted.
    pub async fn drift(&self, receiver: &Service, event: &[u8]) -> anyhow::Result<()> {
        const AVRO: [(&str, &str); 1] = [("content-type", "application/avro")];
        eventually("the new schema is the current one", || async {
            let answer = self.post(receiver, &AVRO, event).await?;
            anyhow::ensure!(answer.status == 200, "{}: {}", answer.status, answer.text());
            Ok(())
        })
        .await
    }

    /// Starts an indexer in this process and waits until it is ready.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn indexer(&self) -> anyhow::Result<Service> {
        let indexer = Service::indexer(self.config.clone()).await?;
        ready(&indexer.admin_url()).await?;
        Ok(indexer)
    }

    /// Returns a load of `count` events over `connections` to `targets`, each `host:port`.
    pub fn load(&self, targets: Vec<String>, connections: usize, count: u64, mix: Mix) -> Load {
        Load {
            targets,
            path: PATH.to_owned(),
            token: self.token.clone(),
            connections,
            count,
            per_second: None,
            mix,
            patience: eventually::patience() * 3,
        }
    }

    /// Returns the record of event `number` of `mix` for `partition`, as a receiver writes it.
    pub fn record(&self, mix: &Mix, number: u64, partition: i32) -> Raw {
        let value = [frame(SchemaId(self.schema_id)).as_slice(), &mix.body(number)].concat();
        Raw { partition, key: Some(mix.events.id(number).into_bytes()), value: Some(value), ..Raw::default() }
    }

    /// Returns a feed of `mix`, to write events into the topic without a receiver.
    pub fn feed(&self, mix: Mix) -> Feed {
        Feed {
            brokers: self.config.kafka.brokers.clone(),
            topic: self.config.kafka.topic.clone(),
            schema_ids: vec![self.schema_id],
            mix,
            per_second: None,
        }
    }

    /// Waits until the group has committed past the last record of every partition of the topic.
    ///
    /// # Errors
    /// If it does not commit in time.
    pub async fn all_committed(&self) -> anyhow::Result<()> {
        self.all_committed_within(eventually::patience()).await
    }

    /// Waits like [`Pipeline::all_committed`], with another time limit.
    ///
    /// # Errors
    /// If it does not commit in time.
    pub async fn all_committed_within(&self, patience: Duration) -> anyhow::Result<()> {
        let (group, topic) = (&self.config.indexer.group_id, &self.config.kafka.topic);
        within(patience, "the group's offsets reach the end of the topic", || async {
            let ends = self.kafka.end_offsets(topic).await?;
            let committed = self.kafka.committed(group, topic).await?;
            // A partition without records needs no commit.
            let behind: BTreeMap<_, _> =
                ends.iter().filter(|(partition, end)| committed[*partition].unwrap_or(0) < **end).collect();
            anyhow::ensure!(behind.is_empty(), "ends {behind:?}, committed {committed:?}");
            Ok(())
        })
        .await
    }

    /// Waits until `acknowledged` are indexed and everything is settled. Then the index must have exactly these events,
    /// once each.
    ///
    /// # Errors
    /// If it does not.
    pub async fn delivered_exactly(&self, acknowledged: &HashSet<String>) -> anyhow::Result<()> {
        let index = &self.config.elasticsearch.index_name;
        self.all_committed().await?;
        let hits = self.search.all(index).await?;
        Differences::between(acknowledged, &hits).ensure_none()?;
        anyhow::ensure!(self.search.count(index).await? == acknowledged.len() as u64, "count and documents differ");
        Ok(())
    }

    /// Returns the path of a file in the pipeline's folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Returns a source at [`PATH`].
pub fn source(subject: &str, auth: Auth) -> Source {
    Source {
        path: PATH.to_owned(),
        subject: subject.to_owned(),
        accept_subjects: Vec::new(),
        older_versions: 3,
        topic: None,
        key_field: Some("event_id".to_owned()),
        auth,
        verification: None,
        content_types: Vec::new(),
        limits: Limits::default(),
        id_scope: None,
        register_schemas: false,
        quarantine: Quarantine::default(),
    }
}

/// Registers `schema` under `subject`, and returns its id.
///
/// # Errors
/// If the registry refuses.
pub async fn register(registry_url: &str, subject: &str, schema: &str) -> anyhow::Result<u32> {
    let url = format!("{registry_url}/subjects/{subject}/versions");
    let answer = http::json(Method::POST, &url, &json!({"schema": schema})).await?;
    let id = answer["id"].as_u64().with_context(|| format!("no id in {answer}"))?;
    Ok(u32::try_from(id)?)
}

/// Waits until the service with this admin address, `http://host:port`, is ready.
///
/// # Errors
/// If it does not become ready. The message contains the reasons.
pub async fn ready(admin_url: &str) -> anyhow::Result<()> {
    eventually(&format!("{admin_url} is ready"), || async {
        let answer = http::get(&format!("{admin_url}/readyz")).await?;
        anyhow::ensure!(answer.status == 200, "{}: {}", answer.status, answer.text().trim());
        Ok(())
    })
    .await
}

/// Returns the value of `name`, or of `name{label="value",…}`, at this admin address: the sum of all samples with these
/// labels, among others. 0 if there are none.
///
/// # Errors
/// If the service does not answer.
pub async fn metric(admin_url: &str, sample: &str) -> anyhow::Result<f64> {
    let (name, labels) = sample.split_once('{').unwrap_or((sample, ""));
    let labels: Vec<&str> = labels.trim_end_matches('}').split(',').filter(|label| !label.is_empty()).collect();
    let text = http::get(&format!("{admin_url}/metrics")).await?.text();
    let values = text.lines().filter_map(|line| {
        let (series, value) = line.rsplit_once(' ')?;
        let (known, own) = series.split_once('{').unwrap_or((series, ""));
        let matches = known == name && labels.iter().all(|label| own.contains(label));
        matches.then(|| value.parse::<f64>())
    });
    let values: Vec<f64> = values.collect::<Result<_, _>>()?;
    Ok(values.iter().sum())
}

/// Returns whether the receiver at this admin address frames bare datums of the source `cxone` with the schema `id`.
///
/// # Errors
/// As for [`metric`].
pub async fn uses_schema(admin_url: &str, id: u32) -> anyhow::Result<bool> {
    let sample = format!("penstock_receiver_schema_info{{source=\"cxone\",schema_id=\"{id}\"}}");
    Ok(metric(admin_url, &sample).await? == 1.0)
}

/// Returns how many partitions of `topic` the indexer at this admin address has.
///
/// # Errors
/// As for [`metric`].
pub async fn assigned_partitions(admin_url: &str, topic: &str) -> anyhow::Result<f64> {
    metric(admin_url, &format!("penstock_indexer_assigned_partitions{{topic={topic:?}}}")).await
}

impl Service {
    /// Starts a receiver; does not wait until it is ready.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn receiver(config: Config) -> anyhow::Result<Self> {
        let config = config.of_receiver();
        let listeners = Listeners::bind(&config)?;
        let (http, admin) = (listeners.http.local_addr()?, listeners.admin.local_addr()?);
        let shutdown = CancellationToken::new();
        let run = receiver::run(config, listeners, shutdown.clone());
        Ok(Self { http, admin, shutdown, task: tokio::spawn(async { Ok(run.await?) }) })
    }

    /// Starts an indexer; does not wait until it is ready.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn indexer(config: Config) -> anyhow::Result<Self> {
        let config = config.of_indexer();
        let listener = indexer::bind(&config)?;
        let admin = listener.local_addr()?;
        let shutdown = CancellationToken::new();
        let run = indexer::run(config, listener, shutdown.clone());
        Ok(Self { http: admin, admin, shutdown, task: tokio::spawn(async { Ok(run.await?) }) })
    }

    /// Returns `host:port` of the webhook.
    pub fn target(&self) -> String {
        self.http.to_string()
    }

    /// Returns the webhook's URL.
    pub fn url(&self) -> String {
        format!("http://{}{PATH}", self.target())
    }

    /// Returns `http://host:port` of the admin port.
    pub fn admin_url(&self) -> String {
        format!("http://{}", self.admin)
    }

    /// Stops it like SIGTERM, and waits until it has stopped.
    ///
    /// # Errors
    /// The error that it ended with.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        (&mut self.task).await?
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}
