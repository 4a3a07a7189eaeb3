//! From a batch to Elasticsearch, until each item is settled.
//!
//! A request asks the [`limiter`] for permission; [`body`] builds it, [`elasticsearch`] sends it, [`outcome`] judges
//! the answer. `work` keeps the items that are left, and the round starts again, without a last attempt: Kafka keeps
//! the events. [`aimd`] limits how much is sent; while Elasticsearch is down, the [`breaker`] holds requests back.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use avro::Schema;
use service::admin::Readiness;
use tokio::sync::watch;

use self::aimd::{Aimd, Signal};
use self::breaker::{Breaker, Pause};
pub use self::delivered::{Delivered, Refused};
use self::doubt::Cause;
use self::limiter::{Health, Limiter, Permit};
use self::outcome::{Judgement, Trouble};
use self::reroute::{MAX_LOOK_UPS, Reroute};
use self::set_aside::{Alone, UndecidedDocuments};
use self::stream_dedup::StreamDedup;
use self::verify::Verify;
use self::work::{Progress, Work};
use crate::backing::{BackingIndexCache, Lists};
use crate::backoff::Backoff;
use crate::batch::Batch;
use crate::config::Config;
use crate::elasticsearch::server::Server;
use crate::elasticsearch::{self, Client, SettingsError};
use crate::index::{self, Index, IndexSettings, Known, Requests};
use crate::metrics::Metrics;

mod ages;
pub mod aimd;
pub mod body;
pub mod breaker;
mod count;
mod delivered;
pub mod doubt;
pub mod dry_run;
mod duplicate_copies;
pub mod limiter;
mod look_up;
pub mod outcome;
mod request;
mod reroute;
pub mod set_aside;
mod stream_dedup;
pub(crate) mod traced;
mod verify;
pub mod work;

/// Sends batches. One for the whole process: all batches share the limiter.
#[derive(Debug)]
pub struct Bulk {
    client: Arc<Client>,
    index: Arc<Index>,
    reroute: Reroute,
    stream_dedup: Option<StreamDedup>,
    verify: Option<Verify>,
    limiter: Limiter,
    undecided: Arc<UndecidedDocuments>,
    backoff: Backoff,
    metrics: Metrics,
    /// How long Elasticsearch may work on a request: less than the time-out, so that none is sent again meanwhile.
    timeout: String,
    /// Whether a request that names several indices was refused, so that each has its own.
    is_by_path: AtomicBool,
    traces: Option<traced::BulkTraces>,
}

impl Bulk {
    /// Uses the settings of `config`. Adds the conditions "elasticsearch" and "index" to `readiness`.
    ///
    /// # Errors
    /// [`SettingsError`], naming the key whose value cannot be used. Elasticsearch need not be there.
    pub fn new(config: &Config, metrics: Metrics, readiness: &Arc<Readiness>) -> Result<Self, SettingsError> {
        let lists = Arc::new(Lists::new(Arc::new(Client::new(&config.elasticsearch)?)));
        Self::with_lists(config, metrics, readiness, lists)
    }

    /// Returns the same with the `lists` that all topics of the process share.
    ///
    /// # Errors
    /// As [`Bulk::new`].
    pub fn with_lists(
        config: &Config,
        metrics: Metrics,
        readiness: &Arc<Readiness>,
        lists: Arc<Lists>,
    ) -> Result<Self, SettingsError> {
        let settings = &config.elasticsearch;
        let indexer = &config.indexer;
        index::check_name(&settings.index_name)?;
        let client = Arc::new(Client::new(settings)?);
        let max_bytes = usize::try_from(indexer.batch.max_bytes.as_u64()).unwrap_or(usize::MAX);
        let limiter = Limiter::new(
            Aimd::new(indexer.max_in_flight_requests, max_bytes),
            Breaker::new(indexer.retry.max_retries),
            readiness.condition("elasticsearch"),
            metrics.bulk.clone(),
        );
        let backoff = Backoff { initial: indexer.retry.initial, max: indexer.retry.max };
        let index = Arc::new(Index::new(
            Requests::new(Arc::clone(&client)),
            IndexSettings::of(config)?,
            backoff,
            readiness.condition("index"),
            metrics.clone(),
        ));
        let index_cache = BackingIndexCache::new(
            config,
            Arc::clone(&client),
            Arc::clone(&index),
            readiness.condition("placement"),
            metrics.placement.clone(),
            lists,
        );
        let index_cache = Arc::new(index_cache);
        let undecided = UndecidedDocuments::new(config, readiness.condition("documents"), metrics.bulk.clone());
        Ok(Self {
            verify: Verify::new(config, &client, &metrics.verify),
            stream_dedup: StreamDedup::new(config, &client, &index_cache, &metrics.placement),
            reroute: Reroute::new(config, Arc::clone(&client), index_cache, metrics.placement.clone()),
            index,
            client,
            limiter,
            undecided: Arc::new(undecided),
            backoff,
            metrics,
            timeout: elasticsearch::timeout(settings.request_timeout),
            is_by_path: AtomicBool::new(false),
            traces: None,
        })
    }

    /// Makes sure that the index is there, however long it takes.
    pub async fn ensure_index(&self) {
        self.index.ensure(Known::Nothing).await;
        self.limiter.ready();
    }

    /// Returns what the search server is, as it was found last; none before the index was made sure of.
    pub fn server(&self) -> Option<Server> {
        self.client.server()
    }

    /// Returns what knows the backing indices.
    pub fn index_cache(&self) -> &Arc<BackingIndexCache> {
        &self.reroute.index_cache
    }

    /// Has the index made with the fields of `schema`. Sends nothing by itself.
    pub fn learn(&self, schema: &Schema) {
        self.index.learn(schema);
    }

    /// Adds the fields of `schema` to the index, however long it takes.
    pub async fn adopt(&self, schema: &Schema) {
        self.index.adopt(schema).await;
    }

    /// Returns the target size of a bulk body now, in bytes: at most `indexer.batch.max_bytes`.
    pub fn target_bytes(&self) -> usize {
        self.limiter.target_bytes()
    }

    /// Returns why nothing is sent at the moment, if so; it can be awaited.
    pub fn pause(&self) -> watch::Receiver<Option<Pause>> {
        self.limiter.pause()
    }

    /// Sends the items of `batch` until each is indexed, a duplicate, refused or set aside; there is no last attempt.
    /// Dropping the future abandons the batch, which loses nothing.
    pub async fn deliver(&self, batch: &Batch) -> Delivered {
        self.reroute.prepare(batch).await;
        let mut work = Work::new(batch, self.reroute.is_enabled()).proving(self.verify.is_some());
        self.reroute.count(batch);
        self.run(&mut work, batch, None).await;
        let delivered = work.into_delivered();
        count::log_refused(&self.metrics, batch, &delivered.refused);
        delivered
    }

    /// Sends what is left of `work`, request by request; `alone` when it is a document that was set aside.
    async fn run(&self, work: &mut Work<'_>, batch: &Batch, mut alone: Option<&mut Alone>) {
        let mut failures: u32 = 0;
        while !work.is_done() {
            // What is retried alone takes nobody's place.
            let permit =
                if alone.is_some() { self.limiter.acquire_beside().await } else { self.limiter.acquire().await };
            if let Some(stream_dedup) = &self.stream_dedup {
                stream_dedup.divert(work).await;
            }
            let budget = self.budget(work, &permit);
            let progress = match work.take(budget) {
                Some(chunk) => self.send_traced(permit, work, batch, chunk, alone.as_deref_mut()).await,
                None => self.read(permit, work, batch).await,
            };
            if progress.index_missing {
                self.index.ensure(Known::Missing).await;
            }
            if progress.not_mapped {
                self.index.adopt_again().await;
            }
            if let Some(alone) = alone.as_deref().filter(|_| progress.is_parted) {
                self.ask_witness(&alone.index, &alone.cause).await;
            }
            failures = match (progress.failed, progress.settled) {
                (0, _) => 0,
                (_, 0) => failures.saturating_add(1),
                (_, _) => 1,
            };
            if failures > 0 {
                self.wait(failures).await;
            }
            if let Some(index) = progress.whole.filter(|_| failures > 1) {
                self.ask_witness(&index, &Cause::of_whole(Trouble::Connection)).await;
            }
        }
    }

    /// One request, from the body to what became of it.
    async fn send(
        &self,
        permit: Permit<'_>,
        work: &mut Work<'_>,
        batch: &Batch,
        chunk: Vec<usize>,
        mut alone: Option<&mut Alone>,
    ) -> Progress {
        let known = work.set_aside_since(0).len();
        if let Some(alone) = &mut alone {
            alone.start(&self.undecided);
        }
        let witness = alone.as_ref().and_then(|alone| alone.witness.as_ref());
        let (path, body) = request::address(work, batch, &chunk, witness);
        let (bytes, sent) = (body.len(), chunk.len() + usize::from(witness.is_some()));
        let mut judgement = outcome::judge_sent(self.post(&path, body).await, sent);
        let is_heard = alone.as_mut().is_some_and(|alone| alone.hear(&self.undecided, &mut judgement));
        if let Some(progress) = alone.as_mut().and_then(|alone| alone.part(&judgement)) {
            work.keep_whole(chunk);
            count::request(&self.metrics, &progress, bytes);
            permit.report(bytes, Signal::Nothing, Health::Unclear);
            return progress;
        }
        if let Some(stream_dedup) = &self.stream_dedup {
            stream_dedup.check(work, &judgement).await;
        }
        let judgement = self.doubt_whole(work, &chunk, judgement);
        if let Judgement::Items(fates) = &judgement {
            ages::observe(&self.metrics.bulk.event_age, batch, &chunk, fates);
        }
        let tallies = UndecidedDocuments::tally(work, &chunk, &judgement);
        work.note_others(self.undecided.others(&work.index_of(chunk[0])));
        let mut progress = work.apply(chunk, judgement);
        if let Some(block) = self.undecided.weigh(work, batch, known, tallies) {
            progress.block = Some(block);
            progress.is_blocked = true;
            if alone.is_none() {
                UndecidedDocuments::keep(work, known, &mut progress);
            }
        }
        self.reroute.place_again(work, batch, &mut progress).await;
        if !progress.is_blocked {
            progress.block = None;
        }
        if let Some(block) = &mut progress.block {
            block.index.get_or_insert_with(|| self.index.name().to_owned());
        }
        count::request(&self.metrics, &progress, bytes);
        let health = if is_heard && progress.block.is_none() { Health::Well } else { progress.health() };
        permit.report(bytes, progress.signal(), health);
        progress
    }

    /// One look at what is stored, from the question to what became of the documents.
    async fn read(&self, permit: Permit<'_>, work: &mut Work<'_>, batch: &Batch) -> Progress {
        let budget = permit.budget().items;
        let suspects = work.take_suspects(budget);
        let progress = match (&self.verify, &self.stream_dedup) {
            (Some(verify), _) if !suspects.is_empty() => verify.settle(work, batch, suspects).await,
            (verify, Some(stream_dedup)) => {
                let items = work.take_look_ups(budget.min(MAX_LOOK_UPS));
                stream_dedup.look_up(work, batch, items, verify.as_ref()).await
            }
            (_, None) => {
                let items = work.take_look_ups(budget.min(MAX_LOOK_UPS));
                self.reroute.look_up(work, batch, items).await
            }
        };
        count::documents(&self.metrics, &progress);
        permit.report(0, progress.signal(), progress.health());
        progress
    }
}

#[cfg(test)]
pub(crate) mod tests;
