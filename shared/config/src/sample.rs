//! For tests: the config of an imaginary binary, with a key of each kind.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use bytesize::ByteSize;
use serde::{Deserialize, Serialize};
use service::secret::Secret;
use service::telemetry::Log;

use crate::check::{Problems, check_common};
use crate::{BinaryConfig, Kafka, SchemaRegistry, Tracing, redact, units};

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) log: Log,
    pub(crate) tracing: Tracing,
    pub(crate) kafka: Kafka,
    pub(crate) schema_registry: SchemaRegistry,
    pub(crate) elasticsearch: Elasticsearch,
    pub(crate) receiver: Receiver,
    pub(crate) indexer: Indexer,
}

impl BinaryConfig for Config {
    const OTHER: &'static str = "penstock-other";
    const LEFT: &'static [&'static str] = &["cxone", "ilm_config_path"];

    fn check(&self, problems: &mut Problems) {
        check_common(&self.log, &self.tracing, &self.kafka, &self.schema_registry, problems);
        problems.not_zero("indexer.commit_interval", self.indexer.commit_interval);
    }
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Elasticsearch {
    #[serde(serialize_with = "redact::addresses")]
    pub(crate) url: String,
    pub(crate) auth: TaggedAuth,
}

impl fmt::Debug for Elasticsearch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        redact::debug(self, f)
    }
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum TaggedAuth {
    #[default]
    None,
    Basic {
        username: String,
        #[serde(default)]
        password: Option<Secret>,
    },
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Receiver {
    pub(crate) listen: SocketAddr,
    pub(crate) sources: BTreeMap<String, Source>,
}

impl Default for Receiver {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([0, 0, 0, 0], 8080)), sources: BTreeMap::new() }
    }
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) subject: String,
    #[serde(default)]
    pub(crate) key_field: Option<String>,
    pub(crate) auth: Auth,
    #[serde(default)]
    pub(crate) limits: Limits,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Auth {
    pub(crate) r#type: String,
    #[serde(default)]
    pub(crate) tokens: Vec<Secret>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Limits {
    #[serde(with = "units::size")]
    pub(crate) max_body: ByteSize,
    pub(crate) max_depth: u16,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Indexer {
    pub(crate) group_protocol: GroupProtocol,
    pub(crate) batch: Batch,
    #[serde(with = "humantime_serde")]
    pub(crate) commit_interval: Duration,
    pub(crate) fuse: Fuse,
    pub(crate) max_depth: u16,
    pub(crate) max_items: u32,
}

impl Default for Indexer {
    fn default() -> Self {
        Self {
            group_protocol: GroupProtocol::Classic,
            batch: Batch::default(),
            commit_interval: Duration::from_secs(1),
            fuse: Fuse::default(),
            max_depth: 64,
            max_items: 100_000,
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum GroupProtocol {
    Classic,
    Consumer,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Batch {
    pub(crate) max_documents: usize,
    #[serde(with = "units::size")]
    pub(crate) max_bytes: ByteSize,
}

impl Default for Batch {
    fn default() -> Self {
        Self { max_documents: 500, max_bytes: ByteSize::mib(5) }
    }
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Fuse {
    pub(crate) max_ratio: f64,
}
