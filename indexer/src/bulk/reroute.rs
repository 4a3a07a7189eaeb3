//! Finds a new place for documents that their index does not accept, or that another index may already hold.
//!
//! A backing index may be deleted or made read-only before a document reaches it. If it is deleted, the document is
//! placed again. If it is read-only, or the result of shrinking, the id is looked up in all indices that may hold it,
//! and a document that is not found goes to the write index. With the strategy `time`, the write index is today's
//! index, and a missing index is created.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use super::look_up::{self, Extent, Question};
use super::outcome::{Obstacle, Refusal};
use super::progress::Progress;
use super::verify::Suspect;
use super::work::Work;
use crate::backing::BackingIndexCache;
use crate::backing::now_millis;
use crate::batch::Batch;
use crate::config::{Config, Expired, Strategy};
use crate::elasticsearch::Client;
use crate::message::target::{Age, NoPlacement};
use crate::metrics::PlacementMetrics;
use crate::placement::{Table, by_table};

/// The number of ids in one request. Elasticsearch reads each from disk or memory, and returns no documents.
pub(super) const MAX_LOOK_UPS: usize = 500;

/// Places the documents of one topic again.
#[derive(Debug)]
pub(super) struct Reroute {
    client: Arc<Client>,
    pub(super) index_cache: Arc<BackingIndexCache>,
    strategy: Strategy,
    expired: Expired,
    metrics: PlacementMetrics,
    topic: String,
}

/// The next step for one document.
enum Next {
    Write(Arc<str>),
    /// Look its id up in these backing indices, by their numbers in the table.
    LookUp(Range<usize>),
    Skip,
    Expire,
    /// The table is too old to decide.
    Again,
}

impl Reroute {
    pub(super) fn new(
        config: &Config,
        client: Arc<Client>,
        index_cache: Arc<BackingIndexCache>,
        metrics: PlacementMetrics,
    ) -> Self {
        let settings = &config.elasticsearch;
        Self {
            client,
            index_cache,
            strategy: settings.strategy,
            expired: settings.placement.expired,
            metrics,
            topic: config.kafka.topic.clone(),
        }
    }

    /// Returns whether `index` takes current documents.
    pub(super) fn is_current(&self, index: &str) -> bool {
        match self.strategy {
            Strategy::Rollover => self.index_cache.table().is_none_or(|table| *table.write().name == *index),
            Strategy::Time => self.index_cache.calendar().current(now_millis()) == index,
            Strategy::DataStream | Strategy::Single => true,
        }
    }

    /// Returns whether documents go to backing indices by name.
    pub(super) fn is_enabled(&self) -> bool {
        matches!(self.strategy, Strategy::Rollover | Strategy::Time)
    }

    /// Returns whether the placement time determines the name of an index.
    fn is_dated(&self) -> bool {
        self.strategy == Strategy::Time
    }

    /// Makes sure that the indices have the fields of the documents of `batch`. Sends nothing if they are known to
    /// have them.
    pub(super) async fn prepare(&self, batch: &Batch) {
        if !self.is_enabled() {
            return;
        }
        for target in &batch.targets {
            match (target.look_up, self.index_cache.table()) {
                // Documents that are not found go to the write index.
                (true, Some(table)) => self.index_cache.index().prepare(&table.write().name).await,
                (true, None) => {}
                (false, _) => self.index_cache.index().prepare(&target.index).await,
            }
        }
    }

    /// Counts where the documents of `batch` go.
    pub(super) fn count(&self, batch: &Batch) {
        self.index_cache.note_use();
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

    /// Places documents again whose index was missing or blocked.
    pub(super) async fn place_again(&self, work: &mut Work<'_>, batch: &Batch, progress: &mut Progress) {
        let unplaced = work.destinations.take_unplaced();
        if unplaced.is_empty() {
            return;
        }
        let table = self.index_cache.renewed().await;
        let (mut stuck, mut again, mut made) = (Vec::new(), Vec::new(), HashSet::new());
        for item in unplaced {
            let last = work.destinations.of(item);
            let next = self.next(&table, batch.items[item].time);
            // If an index exists only under another name, no second index is created for its documents.
            let is_copied = matches!(next, Next::LookUp(_)) && *last != *table.write().name;
            let is_missing = self.is_dated() && !table.is_there(&last) && !is_copied;
            if is_missing && (made.contains(&last) || self.index_cache.index().ensure_dated(&last).await) {
                made.insert(last);
                again.push(item);
                continue;
            }
            match next {
                // A document that was looked up and not found goes to the write index. If that is blocked, only an
                // operator can help.
                Next::LookUp(_) if *last == *table.write().name => stuck.push(item),
                Next::LookUp(_) => work.look_ups.extend([item]),
                Next::Write(index) if *index == *last => stuck.push(item),
                Next::Write(index) => work.move_to(item, index),
                Next::Skip => self.skip(progress),
                Next::Expire => self.expire(work, item, progress),
                Next::Again => again.push(item),
            }
        }
        if !stuck.is_empty() {
            progress.blockage.stay();
        }
        stuck.append(&mut again);
        work.again(stuck, progress);
    }

    /// Looks up `items`: documents that exist are settled, missing ones are sent.
    pub(super) async fn look_up(&self, work: &mut Work<'_>, batch: &Batch, items: Vec<usize>) -> Progress {
        let mut progress = Progress::default();
        let table = self.index_cache.fresh().await;
        let mut questions = self.questions(&table, work, batch, items, &mut progress);
        if let Err(obstacle) = look_up::ask(&self.client, &table, &mut questions, Extent::First).await {
            note_blocked(work, &table, &questions, &obstacle);
            let items = questions.iter().map(|question| question.item).collect();
            work.look_up_again(items, obstacle, &mut progress);
            return progress;
        }
        let (hits, misses): (Vec<_>, Vec<_>) = questions.into_iter().partition(|question| !question.found.is_empty());
        self.metrics.looked_up(&self.topic, hits.len(), 0);
        for question in hits {
            match question.found.first() {
                Some(number) if work.proofs.are_wanted() => {
                    let index = Arc::clone(&table.backing()[*number].name);
                    work.suspect(Suspect { item: question.item, index }, &mut progress);
                }
                _ => work.found(question.item, 1, &mut progress),
            }
        }
        if !misses.is_empty() {
            self.send_missing(work, batch, &table, &misses, &mut progress).await;
        }
        progress
    }

    /// Returns the look-ups that `items` need, by `table`. Sends or settles items that need none.
    fn questions(
        &self,
        table: &Table,
        work: &mut Work<'_>,
        batch: &Batch,
        items: Vec<usize>,
        progress: &mut Progress,
    ) -> Vec<Question> {
        let mut questions = Vec::with_capacity(items.len());
        for item in items {
            match self.next(table, batch.items[item].time) {
                Next::LookUp(range) => questions.push(Question::new(item, batch, range)),
                Next::Write(index) => work.move_to(item, index),
                Next::Skip => self.skip(progress),
                Next::Expire => self.expire(work, item, progress),
                // The clock has stepped back behind the document's time, or the table is old.
                Next::Again => look_again(work, item, progress),
            }
        }
        questions
    }

    /// Sends `misses`, which are in none of the indices that `table` has for them. The table may be some seconds old,
    /// and the previous owner of the partition may have written them to a newer index. So they are sent only if a table
    /// read now has the same indices. Otherwise they are looked up again.
    async fn send_missing(
        &self,
        work: &mut Work<'_>,
        batch: &Batch,
        table: &Table,
        misses: &[Question],
        progress: &mut Progress,
    ) {
        let latest = self.index_cache.renewed().await;
        if latest.backing() != table.backing() {
            misses.iter().for_each(|question| look_again(work, question.item, progress));
            return;
        }
        self.metrics.looked_up(&self.topic, 0, misses.len());
        for question in misses {
            let is_lost = batch.items[question.item].time < latest.known_from();
            match self.expired {
                Expired::Skip if is_lost => self.skip(progress),
                Expired::DeadLetter if is_lost => self.expire(work, question.item, progress),
                Expired::Oldest | Expired::Skip | Expired::DeadLetter => {
                    work.move_to(question.item, Arc::clone(&latest.write().name));
                }
            }
        }
    }

    fn next(&self, table: &Table, time: i64) -> Next {
        if self.is_dated() {
            return self.next_by_date(table, time);
        }
        match by_table(table, time, self.expired) {
            Ok((target, ..)) if target.look_up => {
                let number = table.position(&target.index).unwrap_or(0);
                Next::LookUp(table.first_candidate(number)..table.backing().len())
            }
            Ok((target, ..)) => Next::Write(target.index),
            Err(NoPlacement::Skip) => Next::Skip,
            Err(NoPlacement::DeadLetter) => Next::Expire,
            Err(NoPlacement::NotYet | NoPlacement::Future) => Next::Again,
        }
    }

    fn next_by_date(&self, table: &Table, time: i64) -> Next {
        let calendar = self.index_cache.calendar();
        match calendar.place(time, now_millis()) {
            Ok((target, ..)) => {
                let start = calendar.pattern().time(&target.index).unwrap_or(i64::MAX);
                table.dated_candidates(&target.index, start).map_or(Next::Write(target.index), Next::LookUp)
            }
            Err(NoPlacement::Skip) => Next::Skip,
            Err(NoPlacement::DeadLetter) => Next::Expire,
            Err(NoPlacement::NotYet | NoPlacement::Future) => Next::Again,
        }
    }

    fn skip(&self, progress: &mut Progress) {
        self.metrics.placements.with_label_values(&[self.topic.as_str(), "skipped"]).inc();
        progress.counts.skipped += 1;
    }

    fn expire(&self, work: &mut Work<'_>, item: usize, progress: &mut Progress) {
        self.metrics.placements.with_label_values(&[self.topic.as_str(), "dead_letter"]).inc();
        work.refuse(item, Refusal::expired(), progress);
    }
}

/// Notes which of `questions` wait for an index of `table` that `obstacle` blocks.
fn note_blocked(work: &mut Work<'_>, table: &Table, questions: &[Question], obstacle: &Obstacle) {
    let Obstacle::Block(block) = obstacle else { return };
    let Some(number) = block.index.as_deref().and_then(|index| table.position(index)) else { return };
    for question in questions.iter().filter(|question| question.awaits(number)) {
        work.obstructed.note_asked(question.item, Arc::clone(&table.backing()[number].name), block);
    }
}

/// Has `item` looked up once more, after a wait.
fn look_again(work: &mut Work<'_>, item: usize, progress: &mut Progress) {
    progress.counts.failed += 1;
    work.look_ups.extend([item]);
}
