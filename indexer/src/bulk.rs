//! Takes batches to Elasticsearch until each item is settled.
//!
//! `rounds` holds the steps of a request: the [`limiter`] permits it, [`body`] builds it, [`elasticsearch`] sends it,
//! [`outcome`] judges the answer, and `work` keeps the items that are left. There is no last attempt, because Kafka
//! keeps the events. [`aimd`] limits how much is sent. While Elasticsearch is down, the [`breaker`] holds requests
//! back.
//!
//! [`elasticsearch`]: crate::elasticsearch

use std::sync::Arc;

use avro::Schema;
use service::admin::Readiness;
use tokio::sync::watch;

use self::aimd::Aimd;
use self::breaker::{Breaker, Pause};
pub use self::delivered::{Delivered, Refused, SetAside};
use self::dropped::DroppedReport;
use self::landing::Landing;
use self::limiter::Limiter;
use self::post::Post;
use self::retries::Retries;
use self::rounds::Rounds;
use self::set_aside::{Control, Lone, UndecidedDocuments};
use self::traced::BulkTraces;
use crate::backing::{BackingIndexCache, Lists};
use crate::backoff::Backoff;
use crate::batch::Batch;
use crate::config::{Config, Strategy};
use crate::elasticsearch::server::Server;
use crate::elasticsearch::{Client, SettingsError};
use crate::index::{self, Index, IndexSettings, Known, RequestError, Requests};
use crate::metrics::Metrics;

mod ages;
pub mod aimd;
pub mod body;
pub mod breaker;
mod count;
mod decide;
mod delivered;
pub mod doubt;
mod dropped;
pub mod dry_run;
mod duplicate_copies;
mod landing;
pub mod limiter;
mod look_up;
pub mod outcome;
mod post;
mod progress;
mod reroute;
mod retries;
mod rounds;
pub mod set_aside;
mod stream_dedup;
pub(crate) mod traced;
mod verify;
mod work;

/// Sends the batches of a topic. All batches share the limiter.
#[derive(Debug)]
pub struct Bulk {
    client: Arc<Client>,
    rounds: Rounds,
}

impl Bulk {
    /// Creates the sender from `config`. Adds the conditions "elasticsearch" and "index" to `readiness`.
    ///
    /// # Errors
    /// [`SettingsError`], naming the key whose value cannot be used. Elasticsearch need not be running.
    pub fn new(config: &Config, metrics: Metrics, readiness: &Arc<Readiness>) -> Result<Self, SettingsError> {
        let lists = Arc::new(Lists::new(Arc::new(Client::new(&config.elasticsearch)?)));
        Self::with_lists(config, metrics, readiness, lists)
    }

    /// Works like [`Bulk::new`], with the `lists` that all topics of the process share.
    ///
    /// # Errors
    /// The same as those of [`Bulk::new`].
    pub fn with_lists(
        config: &Config,
        metrics: Metrics,
        readiness: &Arc<Readiness>,
        lists: Arc<Lists>,
    ) -> Result<Self, SettingsError> {
        index::check_name(&config.elasticsearch.index_name)?;
        let client = Arc::new(Client::new(&config.elasticsearch)?);
        let limiter = Arc::new(new_limiter(config, &metrics, readiness));
        let index = Arc::new(new_index(config, &client, &metrics, readiness)?);
        let index_cache = Arc::new(BackingIndexCache::new(
            config,
            Arc::clone(&client),
            Arc::clone(&index),
            readiness.condition("placement"),
            metrics.placement.clone(),
            lists,
        ));
        let post = Arc::new(Post::new(config, &client, &metrics.bulk));
        let undecided = UndecidedDocuments::new(config, readiness.condition("documents"), metrics.bulk.clone());
        let undecided = Arc::new(undecided);
        let is_stream = config.elasticsearch.strategy == Strategy::DataStream;
        let stream = is_stream.then(|| Arc::clone(&index_cache));
        let rounds = Rounds {
            control: Control::new(&client, &post, &limiter, &undecided, stream),
            landing: Landing::new(config, &client, index_cache, &metrics),
            dropped: DroppedReport::new(config, &client),
            retries: Retries::new(backoff_of(config), limiter.pause()),
            index,
            limiter,
            post,
            undecided,
            metrics,
            traces: None,
        };
        Ok(Self { client, rounds })
    }

    /// Turns tracing of requests on, or off if `traces` is `None`.
    #[must_use]
    pub(crate) fn traced(mut self, traces: Option<BulkTraces>) -> Self {
        self.rounds.traces = traces;
        self
    }

    /// Returns whether the index, alias or data stream exists. Changes nothing.
    ///
    /// # Errors
    /// If Elasticsearch does not answer or refuses the request.
    pub async fn has_index(&self) -> Result<bool, RequestError> {
        self.rounds.index.has_place().await
    }

    /// Makes sure that the index exists, however long it takes.
    pub async fn ensure_index(&self) {
        self.rounds.index.ensure(Known::Nothing).await;
        self.rounds.limiter.ready();
    }

    /// Returns the kind and version of the search server as last seen, or `None` before the first contact.
    pub fn server(&self) -> Option<Server> {
        self.client.server()
    }

    /// Returns the cache of the backing indices.
    pub fn index_cache(&self) -> &Arc<BackingIndexCache> {
        self.rounds.landing.index_cache()
    }

    /// Adds the fields of `schema` to those that the index will be created with. Sends nothing by itself.
    pub fn learn(&self, schema: &Schema) {
        self.rounds.index.learn(schema);
    }

    /// Adds the fields of `schema` to the index, however long it takes.
    pub async fn adopt(&self, schema: &Schema) {
        self.rounds.index.adopt(schema).await;
    }

    /// Returns the target size of a bulk body now, in bytes: at most `indexer.batch.max_bytes`.
    pub fn target_bytes(&self) -> usize {
        self.rounds.limiter.target_bytes()
    }

    /// Returns why requests are held back, if they are. The receiver can be awaited.
    pub fn pause(&self) -> watch::Receiver<Option<Pause>> {
        self.rounds.limiter.pause()
    }

    /// Sends the items of `batch` until each is indexed, a duplicate, refused or set aside. There is no last attempt.
    /// Dropping the future abandons the batch, which loses nothing.
    pub async fn deliver(&self, batch: &Batch) -> Delivered {
        self.rounds.deliver(batch).await
    }

    /// Takes the document that `set_aside` names out of `batch`, once there is room. Dropping the returned value
    /// leaves the document undecided.
    pub async fn single_out(&self, batch: &Batch, set_aside: &SetAside) -> Lone {
        Lone::single_out(&self.rounds.undecided, batch, set_aside).await
    }

    /// Tries the document of `lone` until it is settled: accepted, or refused permanently because it is at fault.
    /// There is no last attempt. Dropping the future leaves it undecided, which loses nothing.
    pub async fn decide(&self, lone: &mut Lone) -> Delivered {
        decide::decide(&self.rounds, lone).await
    }
}

fn backoff_of(config: &Config) -> Backoff {
    let retry = &config.indexer.retry;
    Backoff { initial: retry.initial, max: retry.max }
}

fn new_limiter(config: &Config, metrics: &Metrics, readiness: &Arc<Readiness>) -> Limiter {
    let indexer = &config.indexer;
    let max_bytes = usize::try_from(indexer.batch.max_bytes.as_u64()).unwrap_or(usize::MAX);
    Limiter::new(
        Aimd::new(indexer.max_in_flight_requests, max_bytes),
        Breaker::new(indexer.retry.max_retries),
        readiness.condition("elasticsearch"),
        metrics.bulk.clone(),
    )
}

fn new_index(
    config: &Config,
    client: &Arc<Client>,
    metrics: &Metrics,
    readiness: &Arc<Readiness>,
) -> Result<Index, SettingsError> {
    Ok(Index::new(
        Requests::new(Arc::clone(client)),
        IndexSettings::of(config)?,
        backoff_of(config),
        readiness.condition("index"),
        metrics.clone(),
    ))
}

#[cfg(test)]
pub(crate) mod tests;
