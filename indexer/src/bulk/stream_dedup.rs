//! Strategy `data_stream`: keeps one document per event, although documents go only to the current write index.
//!
//! Before a request, the ids of documents that may have been written before the last rollover are looked up. After
//! it, the list of backing indices is read again. If there was a rollover since the list that the request relied on,
//! everything that the request wrote is looked up as well. If an id is in several backing indices, the oldest copy
//! stays and the others are deleted. All indexers follow this rule, so none deletes a copy that another relies on. An
//! indexer that was held up with a request in flight cleans up after itself.

use std::ops::Range;
use std::sync::Arc;

use super::duplicate_copies::{self, DuplicateCopy};
use super::look_up::{self, Extent, Question};
use super::outcome::{Judgement, Obstacle};
use super::progress::Progress;
use super::verify::{Conflicts, Verify};
use super::work::Work;
use crate::backing::BackingIndexCache;
use crate::batch::Batch;
use crate::config::{Config, Strategy};
use crate::elasticsearch::Client;
use crate::metrics::PlacementMetrics;
use crate::placement::Table;
use crate::placement::time::millis;

/// Keeps one document per event in the data stream of one topic.
#[derive(Debug)]
pub(super) struct StreamDedup {
    client: Arc<Client>,
    index_cache: Arc<BackingIndexCache>,
    horizon: i64,
    metrics: PlacementMetrics,
    topic: String,
}

impl StreamDedup {
    /// Creates the check for the topic of `config`, or returns `None` for another strategy.
    pub(super) fn new(
        config: &Config,
        client: &Arc<Client>,
        index_cache: &Arc<BackingIndexCache>,
        metrics: &PlacementMetrics,
    ) -> Option<Self> {
        let settings = &config.elasticsearch;
        (settings.strategy == Strategy::DataStream).then(|| Self {
            client: Arc::clone(client),
            index_cache: Arc::clone(index_cache),
            horizon: millis(settings.placement.dedupe_horizon),
            metrics: metrics.clone(),
            topic: config.kafka.topic.clone(),
        })
    }

    /// Moves documents that may be in an older backing index to the look-ups.
    pub(super) async fn divert(&self, work: &mut Work<'_>) {
        let table = self.index_cache.fresh().await;
        let oldest = self.oldest(&table);
        work.divert(table.write().generation, |time| candidates(&table, oldest, time).len() > 1);
    }

    /// Moves all documents that `judgement` reports as written to the look-ups, if there was a rollover since
    /// [`StreamDedup::divert`].
    pub(super) async fn check(&self, work: &mut Work<'_>, judgement: &Judgement) {
        if matches!(judgement, Judgement::Items(_)) {
            let table = self.index_cache.renewed().await;
            work.look_ups.check(table.write().generation);
        }
    }

    /// Looks up `items`. Documents that exist are settled, and all copies but the oldest are deleted; missing ones
    /// are sent.
    pub(super) async fn look_up(
        &self,
        work: &mut Work<'_>,
        batch: &Batch,
        items: Vec<usize>,
        verify: Option<&Verify>,
    ) -> Progress {
        let mut progress = Progress::default();
        let table = self.index_cache.fresh().await;
        let oldest = self.oldest(&table);
        let range = |item: usize| {
            let candidates = candidates(&table, oldest, batch.items[item].time);
            since(&table, work.look_ups.checked(item), candidates)
        };
        let questions = items.iter().map(|item| Question::new(*item, batch, range(*item)));
        let mut questions: Vec<Question> = questions.collect();
        let conflicts = match self.look_up_all(&table, batch, &mut questions, verify).await {
            Ok(conflicts) => conflicts,
            Err(obstacle) => {
                work.look_up_again(items, obstacle, &mut progress);
                return progress;
            }
        };
        questions.retain(|question| !conflicts.iter().any(|(suspect, _)| suspect.item == question.item));
        if let Some(verify) = verify {
            verify.refuse(work, batch, conflicts, &mut progress);
        }
        let misses = questions.iter().filter(|question| question.found.is_empty()).count();
        self.metrics.looked_up(&self.topic, questions.len() - misses, misses);
        for question in questions {
            match question.found.len() {
                0 => work.not_found(question.item, table.write().generation),
                copies => work.found(question.item, copies, &mut progress),
            }
        }
        progress
    }

    /// Finds the copies of each document that hold the same event, and deletes all but the oldest. Returns the
    /// conflicts with other events.
    async fn look_up_all(
        &self,
        table: &Table,
        batch: &Batch,
        questions: &mut [Question],
        verify: Option<&Verify>,
    ) -> Result<Conflicts, Obstacle> {
        look_up::ask(&self.client, table, questions, Extent::All).await?;
        let conflicts = match verify {
            Some(verify) => verify.sift(batch, table, questions).await?,
            None => Conflicts::new(),
        };
        let mut copies: Vec<DuplicateCopy> = questions
            .iter()
            .flat_map(|question| question.found.iter().skip(1).map(move |number| (question, *number)))
            .map(|(question, number)| DuplicateCopy { index: &table.backing()[number].name, id: &question.id })
            .collect();
        if copies.is_empty() {
            return Ok(conflicts);
        }
        copies.sort_by_key(|copy| copy.index);
        let deleted = duplicate_copies::delete(&self.client, &copies).await?;
        for (outcome, count) in [("deleted", deleted), ("left", copies.len() - deleted)] {
            self.metrics.duplicate_copies.with_label_values(&[self.topic.as_str(), outcome]).inc_by(count as u64);
        }
        Ok(conflicts)
    }

    /// Returns the oldest backing index within the horizon.
    fn oldest(&self, table: &Table) -> usize {
        let horizon = table.read_at().saturating_sub(self.horizon);
        let write = table.write_number();
        // An index receives documents until the next one is created.
        table.backing().iter().skip(1).take(write).position(|next| next.created >= horizon).unwrap_or(write)
    }
}

/// Returns the backing indices from `oldest` to the write index that may hold a document of placement time `time`. If
/// there has been a rollover since, [`StreamDedup::check`] finds out.
fn candidates(table: &Table, oldest: usize, time: i64) -> Range<usize> {
    let write = table.write_number();
    let first = match table.backing().partition_point(|backing| backing.start <= time) {
        0 => 0,
        after => table.first_candidate(after - 1),
    };
    first.max(oldest).min(write)..write + 1
}

/// Returns the part of `candidates` that may have received documents since a look-up whose write index was of
/// generation `checked`: this index and later ones. Documents go only to the write index, so what was not in an older
/// index then is not in it now. Otherwise, a look-up of many indices that takes longer than the time between two
/// rollovers would start from the beginning again and again.
fn since(table: &Table, checked: Option<u64>, candidates: Range<usize>) -> Range<usize> {
    let position = |checked| table.backing().iter().position(|backing| backing.generation == checked);
    match checked.and_then(position) {
        Some(position) if candidates.contains(&position) => position..candidates.end,
        _ => candidates,
    }
}
