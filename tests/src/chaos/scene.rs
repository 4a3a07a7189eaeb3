//! The scene of the faults: the cluster, the services, the links and the sender, plus the information for the audit.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::cluster::{Cluster, MEMBERS};
use super::fault::{Loss, Service, Which, Wire};
use super::program::Program;
use crate::audit::plan::Variant;
use crate::audit::sender::Sender;
use crate::audit::{Exceptions, Intent, Oracle};
use crate::eventually::eventually;
use crate::http::Method;
use crate::kafka::Record;
use crate::link::Link;
use crate::pipeline::{Pipeline, register};
use crate::search::Search;
use crate::stack::Part;

/// The time limit for a node to answer a check.
const ANSWER: Duration = Duration::from_secs(3);

/// Holds everything that faults act on.
pub struct Scene {
    /// Kafka, Elasticsearch, the registry.
    pub cluster: Cluster,
    /// Names and config.
    pub pipeline: Pipeline,
    /// The receivers.
    pub receivers: Vec<Mutex<Program>>,
    /// The indexers.
    pub indexers: Vec<Mutex<Program>>,
    /// The links from senders to receivers.
    pub receiver_links: Vec<Link>,
    /// The sender, until it is stopped.
    pub sender: Sender,
    /// The schemas of all events sent.
    pub oracle: Mutex<Oracle>,
    /// The documented exceptions that faults have caused.
    pub exceptions: Mutex<Exceptions>,
    /// The records that were deleted from the topic, by partition and offset.
    pub gone: Mutex<BTreeMap<(i32, i64), Record>>,
    /// The sender's token.
    pub token: Mutex<String>,
    /// The number of added fields.
    pub fields: Mutex<u32>,
}

impl Scene {
    pub(super) fn program(&self, service: Service) -> &Mutex<Program> {
        match service {
            Service::Receiver(number) => &self.receivers[number],
            Service::Indexer(number) => &self.indexers[number],
        }
    }

    pub(super) fn link(&self, wire: Wire) -> &Link {
        match wire {
            Wire::Receiver(number) => &self.receiver_links[number],
            Wire::Broker(number) => &self.cluster.brokers[number],
            Wire::Node(number) => &self.cluster.nodes[number],
            Wire::Registry(number) => &self.cluster.registries[number],
        }
    }

    pub(super) async fn lose(&self, part: Part, loss: Loss) -> Result<()> {
        match loss {
            Loss::Stop => self.cluster.stack.stop(part).await,
            Loss::Kill => self.cluster.stack.kill(part).await,
            Loss::Pause => self.cluster.stack.signal(part, "STOP"),
        }
    }

    pub(super) async fn regain(&self, part: Part, loss: Loss) -> Result<()> {
        match loss {
            Loss::Stop | Loss::Kill => self.cluster.stack.start_again(part).await,
            Loss::Pause => self.cluster.stack.signal(part, "CONT"),
        }
    }

    /// Returns a client for a node that answers.
    pub(super) async fn any_node(&self) -> Result<Search> {
        eventually("a node of Elasticsearch answers", || async {
            for number in 1..=MEMBERS {
                let search = Search::new(self.cluster.node_url(number));
                let path = "_cluster/health?wait_for_nodes=%3E%3D2&timeout=1s";
                let health = timeout(ANSWER, search.call(Method::GET, path, &Value::Null)).await;
                if let Ok(Ok(_)) = health {
                    return Ok(search);
                }
            }
            anyhow::bail!("none does")
        })
        .await
    }

    /// Sends a repeatable request to any node until it succeeds.
    pub(super) async fn search(&self, method: Method, path: &str, body: Value) -> Result<Value> {
        eventually(&format!("{method} {path}"), || async {
            self.any_node().await?.call(method.clone(), path, &body).await
        })
        .await
    }

    /// Returns the backing indices and the copies that have replaced some of them, oldest first.
    pub(super) async fn indices(&self) -> Result<Vec<String>> {
        let name = &self.pipeline.config.elasticsearch.index_name;
        let path = format!("*{name}-*/_settings?expand_wildcards=all&filter_path=*.settings.index.uuid");
        let answer = self.search(Method::GET, &path, Value::Null).await?;
        let mut indices: Vec<String> = answer.as_object().map(|all| all.keys().cloned().collect()).unwrap_or_default();
        indices.sort_by(|left, right| self.age(left).cmp(self.age(right)));
        Ok(indices)
    }

    /// Returns the part of the name `index` that orders the indices by age: a copy may have something before it.
    pub(super) fn age<'a>(&self, index: &'a str) -> &'a str {
        let name = self.pipeline.config.elasticsearch.index_name.as_str();
        index.find(name).map_or(index, |at| &index[at..])
    }

    /// Returns whether `index` has a name that a rollover makes, so that it is not a copy.
    pub(super) fn is_original(&self, index: &str) -> bool {
        let name = self.pipeline.config.elasticsearch.index_name.as_str();
        let number = index.strip_prefix(name).and_then(|rest| rest.strip_prefix('-'));
        number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
    }

    /// Returns the margin of the placement in milliseconds.
    pub(super) fn margin(&self) -> i64 {
        i64::try_from(self.pipeline.config.elasticsearch.placement.margin.as_millis()).unwrap_or(i64::MAX)
    }

    /// Returns the selected index, if it exists.
    pub(super) async fn index(&self, which: Which) -> Result<Option<String>> {
        let mut indices = self.indices().await?;
        Ok(match which {
            Which::Newest => indices.pop(),
            Which::Oldest if indices.len() > 1 => Some(indices.swap_remove(0)),
            Which::Oldest => None,
        })
    }

    /// Notes that an index was closed or read-only. If it is not the write index, its documents may also be in another
    /// one.
    pub(super) async fn was_blind(&self, index: &str) -> Result<()> {
        if self.index(Which::Newest).await?.as_deref() != Some(index) {
            self.exceptions.lock().await.blind.insert(index.to_owned());
        }
        Ok(())
    }

    /// Returns a field name that is not in use yet.
    pub(super) async fn new_field(&self) -> String {
        let mut fields = self.fields.lock().await;
        *fields += 1;
        format!("more_{fields}")
    }

    /// Registers a schema, and makes some of the events use it; `more` are the bytes of its additional fields.
    pub(super) async fn register(&self, schema: &str, intent: Intent, more: Vec<u8>) -> Result<()> {
        // This bypasses the links, which may be cut.
        let url = self.cluster.stack.stack.registry_url();
        let subject = &self.pipeline.config.kafka.topic;
        let id = eventually("the schema is registered", || register(&url, subject, schema)).await?;
        self.oracle.lock().await.add(id, schema).with_context(|| schema.to_owned())?;
        self.sender.add(Variant { id, intent, more });
        Ok(())
    }

    /// Writes the file with the accepted tokens for the receivers.
    pub(super) fn write_tokens(&self, text: &str) -> Result<()> {
        let (path, new) = (self.pipeline.file("tokens"), self.pipeline.file("tokens.new"));
        std::fs::write(&new, text)?;
        Ok(std::fs::rename(new, path)?)
    }
}
