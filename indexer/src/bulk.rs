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

use futures::future::join_all;

use self::breaker::Pause;
pub use self::delivered::{Delivered, Refused, SetAside};
use self::index_sets::IndexSets;
use self::set_aside::Lone;
use self::traced::BulkTraces;
use crate::backing::{BackingIndexCache, Lists};
use crate::batch::Batch;
use crate::config::Config;
use crate::elasticsearch::server::Server;
use crate::elasticsearch::{Client, SettingsError};
use crate::index::{Known, RequestError};
use crate::message::target::Route;
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
mod index_sets;
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
pub mod verify;
mod work;

/// Sends the batches of a topic: all of them share the limiter of each index set.
#[derive(Debug)]
pub struct Bulk {
    client: Arc<Client>,
    sets: IndexSets,
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
        let client = Arc::new(Client::new(&config.elasticsearch)?);
        let sets = IndexSets::new(config, &client, &metrics, readiness, &lists)?;
        Ok(Self { client, sets })
    }

    /// Turns tracing of requests on, or off if `traces` is `None`.
    #[must_use]
    pub(crate) fn traced(mut self, traces: Option<BulkTraces>) -> Self {
        self.sets.trace(traces);
        self
    }

    /// Returns the name of the first index, alias or data stream that is missing; `None` if all exist. Changes nothing.
    ///
    /// # Errors
    /// If Elasticsearch does not answer or refuses the request.
    pub async fn missing_index(&self) -> Result<Option<&str>, RequestError> {
        for rounds in self.sets.all() {
            if !rounds.index.bootstrap.has_place().await? {
                return Ok(Some(rounds.index.name()));
            }
        }
        Ok(None)
    }

    /// Makes sure that the indices exist, however long it takes.
    pub async fn ensure_index(&self) {
        let ensure = self.sets.all().map(|rounds| async {
            rounds.index.ensure(Known::Nothing).await;
            rounds.limiter.ready();
        });
        join_all(ensure).await;
    }

    /// Returns the kind and version of the search server as last seen, or `None` before the first contact.
    pub fn server(&self) -> Option<Server> {
        self.client.server()
    }

    /// Returns the cache of the backing indices of the index set `route`.
    pub fn index_cache(&self, route: Route) -> Option<&Arc<BackingIndexCache>> {
        self.sets.of(route).map(|rounds| rounds.landing.index_cache())
    }

    /// Returns the caches of the backing indices of all index sets, in their order.
    pub fn index_caches(&self) -> impl Iterator<Item = &Arc<BackingIndexCache>> {
        self.sets.all().map(|rounds| rounds.landing.index_cache())
    }

    /// Adds the fields of `schema` to those with which the indices are created. Sends no request.
    pub fn learn(&self, schema: &Schema) {
        self.sets.all().for_each(|rounds| rounds.index.fields.learn(schema));
    }

    /// Adds the fields of `schema` to the indices, however long it takes.
    pub async fn adopt(&self, schema: &Schema) {
        join_all(self.sets.all().map(|rounds| rounds.index.adopt(schema))).await;
    }

    /// Returns the current target size of a bulk body in bytes, at most `indexer.batch.max_bytes`. With several index
    /// sets it is the largest of theirs; a batch that is too large for another index set is divided.
    pub fn target_bytes(&self) -> usize {
        self.sets.all().map(|rounds| rounds.limiter.target_bytes()).max().unwrap_or(1)
    }

    /// Returns why nothing is sent to the first index set at the moment, if so; it can be awaited.
    pub fn pause(&self) -> watch::Receiver<Option<Pause>> {
        self.sets.first().limiter.pause()
    }

    /// Sends the items of `batch` until each is indexed, a duplicate, refused or set aside. There is no last attempt.
    /// Dropping the future abandons the batch, which loses nothing.
    pub async fn deliver(&self, batch: &Batch) -> Delivered {
        self.sets.deliver(batch).await
    }

    /// Takes the document that `set_aside` names out of `batch`, once there is room. Dropping the returned value
    /// leaves the document undecided.
    pub async fn single_out(&self, batch: &Batch, set_aside: &SetAside) -> Lone {
        let rounds = self.sets.of(batch.route(set_aside.item)).unwrap_or(self.sets.first());
        Lone::single_out(&rounds.undecided, batch, set_aside).await
    }

    /// Tries the document of `lone` until it is settled: accepted, or refused permanently because it is at fault.
    /// There is no last attempt. Dropping the future leaves it undecided, which loses nothing.
    pub async fn decide(&self, lone: &mut Lone) -> Delivered {
        decide::decide(self.sets.of_all(lone.batch()), lone).await
    }
}

#[cfg(test)]
pub(crate) mod tests;
