//! Decides where the documents of a topic go and whether they already exist: placement, look-up and proof.

use std::sync::Arc;

use super::outcome::Judgement;
use super::progress::Progress;
use super::reroute::{MAX_LOOK_UPS, Reroute};
use super::stream_dedup::StreamDedup;
use super::verify::Verify;
use super::work::Work;
use crate::backing::BackingIndexCache;
use crate::batch::Batch;
use crate::config::Config;
use crate::elasticsearch::Client;
use crate::metrics::Metrics;

/// Places, looks up and verifies the documents of one topic.
#[derive(Debug)]
pub(super) struct Landing {
    reroute: Reroute,
    /// `None` unless the strategy is `data_stream`.
    stream_dedup: Option<StreamDedup>,
    /// `None` if duplicates are not verified.
    verify: Option<Verify>,
}

impl Landing {
    /// Creates the landing for the topic of `config`, with the backing indices of `index_cache`.
    pub(super) fn new(
        config: &Config,
        client: &Arc<Client>,
        index_cache: Arc<BackingIndexCache>,
        metrics: &Metrics,
    ) -> Self {
        Self {
            verify: Verify::new(config, client, &metrics.verify),
            stream_dedup: StreamDedup::new(config, client, &index_cache, &metrics.placement),
            reroute: Reroute::new(config, Arc::clone(client), index_cache, metrics.placement.clone()),
        }
    }

    /// Returns the cache of the backing indices.
    pub(super) fn index_cache(&self) -> &Arc<BackingIndexCache> {
        &self.reroute.index_cache
    }

    /// Begins to deliver `batch`. Makes sure that the indices have its fields.
    pub(super) async fn begin<'a>(&self, batch: &'a Batch) -> Work<'a> {
        self.reroute.prepare(batch).await;
        self.reroute.count(batch);
        self.work(batch)
    }

    /// Returns all of `batch` as work, without preparing the indices.
    pub(super) fn work<'a>(&self, batch: &'a Batch) -> Work<'a> {
        Work::new(batch, self.reroute.is_enabled()).proving(self.verify.is_some())
    }

    /// Moves documents that may be in an older backing index of a data stream to the look-ups.
    pub(super) async fn divert(&self, work: &mut Work<'_>) {
        if let Some(stream_dedup) = &self.stream_dedup {
            stream_dedup.divert(work).await;
        }
    }

    /// Moves all documents that `judgement` reports as written to the look-ups, if the data stream has rolled over.
    pub(super) async fn check(&self, work: &mut Work<'_>, judgement: &Judgement) {
        if let Some(stream_dedup) = &self.stream_dedup {
            stream_dedup.check(work, judgement).await;
        }
    }

    /// Places documents again whose index was missing or blocked.
    pub(super) async fn place_again(&self, work: &mut Work<'_>, batch: &Batch, progress: &mut Progress) {
        self.reroute.place_again(work, batch, progress).await;
    }

    /// Returns whether `index` takes current documents, and not only late ones.
    pub(super) fn is_current(&self, index: &str) -> bool {
        self.reroute.is_current(index)
    }

    /// Looks up or proves waiting documents, at most `most` of them.
    pub(super) async fn read(&self, work: &mut Work<'_>, batch: &Batch, most: usize) -> Progress {
        let suspects = work.proofs.take(most);
        if let Some(verify) = self.verify.as_ref().filter(|_| !suspects.is_empty()) {
            return verify.settle(work, batch, suspects).await;
        }
        let items = work.look_ups.take(most.min(MAX_LOOK_UPS));
        match &self.stream_dedup {
            Some(stream_dedup) => stream_dedup.look_up(work, batch, items, self.verify.as_ref()).await,
            None => self.reroute.look_up(work, batch, items).await,
        }
    }
}
