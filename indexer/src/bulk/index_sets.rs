//! The index sets of one topic (`elasticsearch.routes`). Each has its own requests, limiter and breaker, so that a
//! blocked index set holds back only its own documents. A batch is divided by index set.

use std::sync::Arc;

use futures::future::join_all;
use service::admin::Readiness;
use service::backoff::Backoff;
use tokio::sync::Semaphore;

use super::aimd::Aimd;
use super::breaker::Breaker;
use super::delivered::Delivered;
use super::dropped::DroppedReport;
use super::landing::Landing;
use super::limiter::Limiter;
use super::post::Post;
use super::retries::Retries;
use super::rounds::Rounds;
use super::set_aside::{Control, UndecidedDocuments};
use super::traced::BulkTraces;
use crate::backing::{BackingIndexCache, Lists};
use crate::batch::Batch;
use crate::config::{Config, Strategy};
use crate::elasticsearch::{Client, SettingsError};
use crate::index::{self, Index, IndexSettings, Requests};
use crate::message::target::Route;
use crate::metrics::Metrics;

/// The rounds of each index set of one topic, by its number.
#[derive(Debug)]
pub(super) struct IndexSets(Vec<Rounds>);

/// The parts that the index sets of a topic share.
struct SharedParts<'a> {
    client: &'a Arc<Client>,
    lists: &'a Arc<Lists>,
    /// Limits the requests of all index sets to `indexer.max_in_flight_requests`; `None` if there is only one.
    slots: Option<Arc<Semaphore>>,
}

impl IndexSets {
    /// Creates the index sets of the one topic of `config`. Adds their conditions to `readiness`: those of the first
    /// under their own names, those of the others with the name of the index.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub(super) fn new(
        config: &Config,
        client: &Arc<Client>,
        metrics: &Metrics,
        readiness: &Arc<Readiness>,
        lists: &Arc<Lists>,
    ) -> Result<Self, SettingsError> {
        let configs = config.of_index_sets();
        let slots = || Arc::new(Semaphore::new(config.indexer.max_in_flight_requests));
        let slots = (configs.len() > 1).then(slots);
        let shared = SharedParts { client, lists, slots };
        let mut sets: Vec<Rounds> = Vec::with_capacity(configs.len());
        for (route, config) in (0..).map(Route).zip(&configs) {
            let part = || readiness.part(&config.elasticsearch.index_name);
            let readiness = if route == Route::default() { Arc::clone(readiness) } else { part() };
            let rounds = shared.rounds(config, metrics.clone().of_route(route), &readiness, sets.first())?;
            sets.push(rounds);
        }
        Ok(Self(sets))
    }

    /// Returns all index sets, in their order.
    pub(super) fn all(&self) -> impl Iterator<Item = &Rounds> {
        self.0.iter()
    }

    /// Returns the index set of `elasticsearch.index_name`.
    pub(super) fn first(&self) -> &Rounds {
        &self.0[0]
    }

    /// Returns the index set of `route`.
    pub(super) fn of(&self, route: Route) -> Option<&Rounds> {
        self.0.get(usize::from(route.0))
    }

    /// Returns the index set of `batch`, all of whose documents go to the same one.
    pub(super) fn of_all(&self, batch: &Batch) -> &Rounds {
        batch.targets.first().and_then(|target| self.of(target.route)).unwrap_or(self.first())
    }

    /// Traces the requests of all index sets with `traces`, or none of them.
    pub(super) fn trace(&mut self, traces: Option<BulkTraces>) {
        let traces = traces.map(Arc::new);
        for rounds in &mut self.0 {
            rounds.traces.clone_from(&traces);
        }
    }

    /// Sends the items of `batch`, each to its index set, until each is indexed, a duplicate, refused or set aside.
    pub(super) async fn deliver(&self, batch: &Batch) -> Delivered {
        let mut routes: Vec<Route> = batch.targets.iter().map(|target| target.route).collect();
        routes.sort_unstable();
        routes.dedup();
        if routes.len() <= 1 {
            return self.of_all(batch).deliver(batch).await;
        }
        let parts = routes.into_iter().filter_map(|route| Some((self.of(route)?, route)));
        let deliver = parts.map(|(rounds, route)| async move {
            let (part, items) = batch.part(route);
            match items.is_empty() {
                true => Delivered::default(),
                false => rounds.deliver(&part).await.renumbered(&items),
            }
        });
        join_all(deliver).await.into_iter().fold(Delivered::default(), Delivered::and)
    }
}

impl SharedParts<'_> {
    /// Creates the rounds of the one index set of `config`. `first` is the first index set of the topic, unless this is
    /// the first.
    fn rounds(
        &self,
        config: &Config,
        metrics: Metrics,
        readiness: &Arc<Readiness>,
        first: Option<&Rounds>,
    ) -> Result<Rounds, SettingsError> {
        index::check_name(&config.elasticsearch.index_name)?;
        let client = self.client;
        let limiter = Arc::new(new_limiter(config, &metrics, readiness));
        let index = Arc::new(new_index(config, client, &metrics, readiness)?);
        let index_cache = Arc::new(BackingIndexCache::new(
            config,
            Arc::clone(client),
            Arc::clone(&index),
            readiness.condition("placement"),
            metrics.placement.clone(),
            Arc::clone(self.lists),
        ));
        let post = Arc::new(Post::new(config, client, &metrics.bulk).within(self.slots.clone()));
        let undecided = Arc::new(match first {
            Some(first) => first.undecided.of_another_index_set(),
            None => UndecidedDocuments::new(config, readiness.condition("documents"), metrics.bulk.clone()),
        });
        let is_stream = config.elasticsearch.strategy == Strategy::DataStream;
        let stream = is_stream.then(|| Arc::clone(&index_cache));
        Ok(Rounds {
            control: Control::new(client, &post, &limiter, &undecided, stream),
            landing: Landing::new(config, client, index_cache, &metrics),
            dropped: DroppedReport::new(config, client),
            retries: Retries::new(backoff_of(config), limiter.pause()),
            index,
            limiter,
            post,
            undecided,
            metrics,
            traces: None,
        })
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
