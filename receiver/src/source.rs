//! A source compiled from the config: one webhook with everything that a request to it needs.
//!
//! [`schema`] keeps the current schema of a source up to date.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use avro::{Limits, Schema, SchemaError, Uuids};
use bytesize::ByteSize;
use moka::future::Cache;
use registry::wire::SchemaId;
use service::token_bucket::TokenBucket;

use crate::config::{Config, IdScope};
use crate::drift::Drift;
use crate::message::Writer;
use crate::metrics::{Metrics, SourceMetrics};
use crate::quarantine::Quarantine;
use crate::stages::authenticate::{AuthError, ReloadingAuthenticator};
use crate::stages::unframe::Reading;
use crate::stages::validate::BatchLimits;

use challenge::Challenge;
use early::Early;

pub(crate) mod challenge;
pub(crate) mod early;
mod rate;
pub(crate) mod schema;

/// The number of schemas that each source caches for events that name them by id. A large schema counts once more for
/// each [`NAMED_BYTES`] that it takes.
const NAMED: u32 = 100;
/// See [`NAMED`].
const NAMED_BYTES: usize = 64 * 1024;

/// One webhook.
pub(crate) struct Source {
    /// Its name in the config. Each record has it in the header `source`.
    pub(crate) name: String,
    /// Its name, shared with counters.
    pub(crate) shared_name: Arc<str>,
    /// The path that senders post to.
    pub(crate) path: String,
    /// The topic of its events.
    pub(crate) topic: String,
    /// The registry subject of its current schema.
    pub(crate) subject: String,
    /// The subjects whose schemas its events may name, `subject` first.
    pub(crate) subjects: Vec<String>,
    /// The path of the field that becomes the key.
    pub(crate) key_field: Option<String>,
    /// Whether event ids are qualified with the name of the source.
    pub(crate) qualifies_ids: bool,
    /// Who may post.
    pub(crate) authenticator: ReloadingAuthenticator,
    /// The challenge by which a vendor verifies the webhook; `None` without `verification`.
    pub(crate) challenge: Option<Challenge>,
    /// Which headers decide how a body is read.
    pub(crate) reading: Reading,
    /// The rate limit; `None` if requests are not limited.
    pub(crate) rate: Option<TokenBucket>,
    /// The most bytes of a body as sent.
    pub(crate) max_body: usize,
    /// The most bytes of a body after decompression.
    pub(crate) max_decompressed: usize,
    /// The limits of one event.
    pub(crate) limits: Limits,
    /// How to treat uuids with invalid text.
    pub(crate) uuids: Uuids,
    /// The limits of an object container file.
    pub(crate) batch_limits: BatchLimits,
    /// Whether schemas of files are registered.
    pub(crate) register_schemas: bool,
    /// The schemas that events have named by id, each a version of one of `subjects`.
    pub(crate) named: Cache<SchemaId, Arc<Writer>>,
    /// The quarantine of bodies that are not events; `None` if they are not kept.
    pub(crate) quarantine: Option<Quarantine>,
    /// Whether events still fit the current schema.
    pub(crate) drift: Drift,
    /// The latest schema of its subject; `None` until it is known.
    pub(crate) current: ArcSwapOption<Writer>,
    /// The older versions of its subject, the newest first.
    pub(crate) older: ArcSwap<Vec<Arc<Writer>>>,
    /// Counts changes of the current schema and of the older ones.
    changes: AtomicU64,
    /// The most older versions that are kept.
    pub(crate) older_versions: usize,
    /// When to ask the registry before the next refresh.
    pub(crate) early: Early,
    /// Its metrics.
    pub(crate) metrics: SourceMetrics,
}

/// Says why the sources of the config cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The config has no source.
    #[error("receiver.sources: no webhook is configured: add at least one")]
    None,
    /// Two sources have the same path.
    #[error(
        "receiver.sources.{second}.path: {path} is already the path of receiver.sources.{first}: each source needs \
         its own"
    )]
    SamePath {
        /// The first source with the path.
        first: String,
        /// The second one.
        second: String,
        /// The path.
        path: String,
    },
    /// The text is not a path.
    #[error(
        "receiver.sources.{name}.path: {path:?} is not a path: it must begin with / and have none of ? # {{ }} * : \
         or spaces"
    )]
    Path {
        /// The source.
        name: String,
        /// The text in the config.
        path: String,
    },
    /// The `auth` of a source cannot be used.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// Its `verification` cannot be used.
    #[error("receiver.sources.{name}.verification.verify_token_file: {error}")]
    Verification {
        /// The source.
        name: String,
        /// What is wrong with the file.
        error: ::config::ConfigError,
    },
}

impl Source {
    /// Compiles all sources of `config`.
    ///
    /// # Errors
    /// [`SourceError`], naming the key.
    pub(crate) fn compile_all(config: &Config, metrics: &Metrics) -> Result<Vec<Arc<Self>>, SourceError> {
        let sources = &config.receiver.sources;
        if sources.is_empty() {
            return Err(SourceError::None);
        }
        check_paths(sources)?;
        sources.iter().map(|(name, source)| Self::compile(name, source, config, metrics).map(Arc::new)).collect()
    }

    fn compile(
        name: &str,
        source: &crate::config::Source,
        config: &Config,
        metrics: &Metrics,
    ) -> Result<Self, SourceError> {
        let limits = source.limits;
        let bytes = |size: ByteSize| usize::try_from(size.as_u64()).unwrap_or(usize::MAX);
        let event = Limits { max_depth: limits.max_depth, max_items: limits.max_items, max_values: limits.max_values };
        let max_decompressed = bytes(limits.max_decompressed);
        let events = usize::try_from(limits.max_events).unwrap_or(usize::MAX);
        Ok(Self {
            name: name.to_owned(),
            shared_name: name.into(),
            path: source.path.clone(),
            topic: source.topic.clone().unwrap_or_else(|| config.kafka.topic.clone()),
            subject: source.subject.clone(),
            subjects: std::iter::once(&source.subject).chain(&source.accept_subjects).cloned().collect(),
            key_field: source.key_field.clone(),
            qualifies_ids: config.id_scope(name) == IdScope::Source,
            authenticator: ReloadingAuthenticator::new(
                name,
                &source.auth,
                metrics.secrets_unusable.with_label_values(&[name]),
            )?,
            reading: Reading::new(source),
            challenge: challenge(name, source)?,
            rate: rate::rate(&limits),
            max_body: bytes(limits.max_body),
            max_decompressed,
            limits: event,
            uuids: if limits.strict_uuids { Uuids::Strict } else { Uuids::Any },
            batch_limits: BatchLimits { event, events, bytes: max_decompressed },
            register_schemas: source.register_schemas,
            named: named(config.schema_registry.refresh),
            quarantine: Quarantine::compile(&source.quarantine, &config.kafka),
            drift: Drift::default(),
            current: ArcSwapOption::empty(),
            older: ArcSwap::default(),
            changes: AtomicU64::new(0),
            older_versions: usize::from(source.older_versions),
            early: Early::default(),
            metrics: metrics.source(name),
        })
    }

    /// Returns a number that changes whenever the current schema or the older ones change.
    pub(crate) fn generation(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Notes that one of them has changed.
    fn changed(&self) {
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// Returns the writer for `schema`.
    ///
    /// # Errors
    /// When the schema lacks the source's key field, or the field cannot be a key.
    pub(crate) fn writer(&self, id: SchemaId, schema: Arc<Schema>) -> Result<Writer, SchemaError> {
        let key = self.key_field.as_deref().map(|dotted| schema.field(dotted)).transpose()?;
        Ok(Writer { id, schema, key, uuids: self.uuids })
    }
}

fn challenge(name: &str, source: &crate::config::Source) -> Result<Option<Challenge>, SourceError> {
    let compiled = source.verification.as_ref().map(Challenge::compile).transpose();
    compiled.map_err(|error| SourceError::Verification { name: name.to_owned(), error })
}

/// Returns a cache of schemas by id. Entries expire after `refresh`.
fn named(refresh: Duration) -> Cache<SchemaId, Arc<Writer>> {
    let weigh = |_: &SchemaId, writer: &Arc<Writer>| {
        // Even the largest schema fits.
        u32::try_from(1 + writer.schema.bytes() / NAMED_BYTES).unwrap_or(NAMED).min(NAMED)
    };
    Cache::builder().max_capacity(NAMED.into()).weigher(weigh).time_to_live(refresh).build()
}

/// Checks that each path is valid for the router and used once.
fn check_paths(sources: &BTreeMap<String, crate::config::Source>) -> Result<(), SourceError> {
    let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, source) in sources {
        let path = source.path.as_str();
        if !path.starts_with('/') || path.contains(['?', '#', '{', '}', '*', ':', ' ']) {
            return Err(SourceError::Path { name: name.clone(), path: path.to_owned() });
        }
        if let Some(first) = taken.insert(path, name) {
            return Err(SourceError::SamePath { first: first.to_owned(), second: name.clone(), path: path.to_owned() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
