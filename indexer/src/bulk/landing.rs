//! What becomes of documents that their index does not take, and of those that may be in another one already.
//!
//! Strategy `rollover`: a backing index may be deleted, or made read-only, before a document gets there. A deleted one means to place
//! the document anew. From a read-only one, or one made by shrinking, the ids are looked up in all indices that may hold them, and what is
//! missing goes to the write index.

use std::ops::Range;
use std::sync::Arc;

use shared::config::{Config, Expired, Strategy};

use super::elasticsearch::Client;
use super::look_up::{self, Extent, Question};
use super::verify::Suspect;
use super::work::{Progress, Work};
use crate::batch::Batch;
use crate::metrics::PlaceMetrics;
use crate::place::{Age, Keeper, NoPlace, Table, by_table};

/// Ids in one request: each is read from disk or memory, and none comes with its document.
pub(super) const MAX_LOOK_UPS: usize = 500;

/// Lands documents of one topic.
#[derive(Debug)]
pub(super) struct Landing {
    client: Arc<Client>,
    pub(super) keeper: Arc<Keeper>,
    strategy: Strategy,
    expired: Expired,
    metrics: PlaceMetrics,
    topic: String,
}

/// What to do with one document.
enum Next {
    Write(Arc<str>),
    /// In which backing indices its id has to be looked up, by their numbers in the table.
    LookUp(Range<usize>),
    Skip,
    Expire,
    /// The table does not tell yet.
    Again,
}

impl Landing {
    pub(super) fn new(config: &Config, client: Arc<Client>, keeper: Arc<Keeper>, metrics: PlaceMetrics) -> Self {
        let settings = &config.elasticsearch;
        Self {
            client,
            keeper,
            strategy: settings.strategy,
            expired: settings.placement.expired,
            metrics,
            topic: config.kafka.topic.clone(),
        }
    }

    /// Whether documents go to backing indices by name.
    pub(super) fn places(&self) -> bool {
        self.strategy == Strategy::Rollover
    }

    /// Counts where the documents of `batch` land.
    pub(super) fn count(&self, batch: &Batch) {
        let mut counts = [0; Age::ALL.len()];
        for item in &batch.items {
            if let Some(target) = batch.targets.get(item.target as usize) {
                counts[target.age as usize] += 1;
            }
        }
        for (age, count) in Age::ALL.into_iter().zip(counts).filter(|(_, count)| *count > 0) {
            self.metrics.placements.with_label_values(&[self.topic.as_str(), age.as_str()]).inc_by(count);
        }
    }

    /// Places those anew whose index was missing or blocked.
    pub(super) async fn place_anew(&self, work: &mut Work<'_>, batch: &Batch, progress: &mut Progress) {
        let unplaced = work.take_unplaced();
        if unplaced.is_empty() {
            return;
        }
        let table = self.keeper.renewed().await;
        let mut stuck = Vec::new();
        for item in unplaced {
            let last = work.index_of(item);
            match self.next(&table, batch.items[item].time) {
                // What was looked up and is missing goes to the write index. When that is blocked, only its operator can help.
                Next::LookUp(_) if *last == *table.write().name => stuck.push(item),
                Next::LookUp(_) => work.look_up_first(item),
                Next::Write(index) if *index == *last => stuck.push(item),
                Next::Write(index) => work.move_to(item, index),
                Next::Skip => self.skip(progress),
                Next::Expire => work.expire(item, progress),
                Next::Again => stuck.push(item),
            }
        }
        progress.is_blocked |= !stuck.is_empty();
        work.put_back(stuck, progress);
    }

    /// Looks up `items`: what is there is settled, what is missing is sent.
    pub(super) async fn look_up(&self, work: &mut Work<'_>, batch: &Batch, items: Vec<usize>) -> Progress {
        let mut progress = Progress::default();
        let table = self.keeper.fresh().await;
        let mut questions = Vec::with_capacity(items.len());
        for item in items {
            match self.next(&table, batch.items[item].time) {
                Next::LookUp(range) => questions.push(Question::new(item, batch, range)),
                Next::Write(index) => work.move_to(item, index),
                Next::Skip => self.skip(&mut progress),
                Next::Expire => work.expire(item, &mut progress),
                Next::Again => work.look_up_first(item),
            }
        }
        if let Err(failure) = look_up::ask(&self.client, &table, &mut questions, Extent::First).await {
            let items = questions.iter().map(|question| question.item).collect();
            work.look_up_again(items, failure.into(), &mut progress);
            return progress;
        }
        let (hits, misses): (Vec<_>, Vec<_>) = questions.into_iter().partition(|question| !question.found.is_empty());
        self.metrics.looked_up(&self.topic, hits.len(), misses.len());
        for question in hits {
            match question.found.first() {
                Some(number) if work.is_proving() => {
                    let index = Arc::clone(&table.backing()[*number].name);
                    work.suspect(Suspect { item: question.item, index }, &mut progress);
                }
                _ => work.found(question.item, 1, &mut progress),
            }
        }
        for question in misses {
            work.move_to(question.item, Arc::clone(&table.write().name));
        }
        progress
    }

    fn next(&self, table: &Table, time: i64) -> Next {
        match by_table(table, time, self.expired) {
            Ok((target, ..)) if target.look_up => {
                let number = table.position(&target.index).unwrap_or(0);
                Next::LookUp(table.first_candidate(number)..table.backing().len())
            }
            Ok((target, ..)) => Next::Write(target.index),
            Err(NoPlace::Skip) => Next::Skip,
            Err(NoPlace::DeadLetter) => Next::Expire,
            Err(NoPlace::NotYet | NoPlace::Future) => Next::Again,
        }
    }

    fn skip(&self, progress: &mut Progress) {
        self.metrics.placements.with_label_values(&[self.topic.as_str(), "skipped"]).inc();
        Work::skip(progress);
    }
}
