//! Doubtful documents: refused, while it is not known what is at fault: evidence, room and what is reported of them.
//!
//! They are taken out of their batch, so that it can settle without them, and retried alone, beside the others.
//! [`Doubts`] weighs what is answered. Where a document is known that the index has accepted before, it is sent once
//! more with each attempt: `create` answers 409 for it, after the index's pipelines, alias and mapping have let it
//! pass, and changes nothing. Where that would not be safe, or the request with the document fails as a whole, it goes
//! before the document in a request of its own (`control`).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use service::admin::Condition;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::doubt::{Case, Cause, Document, Doubts};
use super::limiter::now;
use super::outcome::{Block, Fate, Judgement, Refusal};
use super::work::whole::Others;
use super::work::{Progress, SetAside, Work};
use crate::batch::{Batch, Item};
use crate::config::{Config, Strategy};
use crate::metrics::{BulkMetrics, as_i64};
pub(super) use alone::Alone;
pub(super) use witness::Witness;
use witness::Witnesses;

mod alone;
mod control;
mod decide;
mod shards;
mod witness;

/// Documents that are retried alone at a time; further ones wait in their batches.
const MAX_DOCUMENTS: usize = 256;
/// Their bytes are at most this part (one in so many) of `indexer.max_in_flight_bytes`.
const SHARE: u64 = 4;
/// Of a batch whose index is at fault, no more documents than this are taken out: the others are not suspects, and wait
/// with it.
const MANY: usize = 64;
/// Readiness speaks of a document that is undecided for longer than this.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is set aside of one topic.
#[derive(Debug)]
pub(super) struct UndecidedDocuments {
    doubts: Mutex<Doubts>,
    witnesses: Mutex<Witnesses>,
    /// Held by the document that is being tried: they are no load. Those whose requests fail as a whole, and may take
    /// long to, have their own.
    turns: [tokio::sync::Mutex<()>; 2],
    /// Requests in which a document was accepted.
    accepted: AtomicU64,
    documents: Arc<Semaphore>,
    kibibytes: Arc<Semaphore>,
    max_kibibytes: u32,
    open: Mutex<BTreeMap<Document, Open>>,
    condition: Condition,
    metrics: BulkMetrics,
    topic: String,
}

/// A document that is undecided.
#[derive(Debug)]
struct Open {
    since: Instant,
    bytes: usize,
    index: Arc<str>,
    cause: Cause,
}

/// A document that was taken out of its batch, to be tried alone.
#[derive(Debug)]
pub struct Lone {
    batch: Batch,
    document: Document,
    case: Case,
    attempts: u32,
    /// Whether the lack of a decision was logged.
    is_logged: bool,
    undecided: Arc<UndecidedDocuments>,
    _budget: [OwnedSemaphorePermit; 2],
}

/// What an index accepted of one request.
#[derive(Debug)]
pub(super) struct Tally {
    index: Arc<str>,
    written: u64,
    present: u64,
    /// One of the documents.
    item: usize,
}

impl UndecidedDocuments {
    /// Returns those of the topic of `config`. `condition` is unmet while one is undecided for long.
    pub(super) fn new(config: &Config, condition: Condition, metrics: BulkMetrics) -> Self {
        condition.met();
        let kibibytes = config.indexer.max_in_flight_bytes.as_u64() / SHARE / 1_024;
        let max_kibibytes = u32::try_from(kibibytes).unwrap_or(u32::MAX).clamp(1, 1 << 24);
        Self {
            doubts: Mutex::default(),
            witnesses: Mutex::new(Witnesses::new(config.elasticsearch.strategy == Strategy::DataStream)),
            turns: Default::default(),
            accepted: AtomicU64::new(0),
            documents: Arc::new(Semaphore::new(MAX_DOCUMENTS)),
            kibibytes: Arc::new(Semaphore::new(max_kibibytes as usize)),
            max_kibibytes,
            open: Mutex::default(),
            condition,
            metrics,
            topic: config.kafka.topic.clone(),
        }
    }

    /// Returns what `judgement` on `chunk` says that each index accepted.
    pub(super) fn tally(work: &Work<'_>, chunk: &[usize], judgement: &Judgement) -> Vec<Tally> {
        let Judgement::Items(fates) = judgement else { return Vec::new() };
        let mut tallies: Vec<Tally> = Vec::with_capacity(1);
        for (item, fate) in chunk.iter().zip(fates) {
            let (written, present) = match fate {
                Fate::Indexed => (1, 0),
                Fate::Duplicate(_) => (0, 1),
                _ => continue,
            };
            let index = work.index_of(*item);
            match tallies.iter_mut().rfind(|tally| Arc::ptr_eq(&tally.index, &index) || *tally.index == *index) {
                Some(tally) => {
                    tally.written += written;
                    tally.present += present;
                }
                None => tallies.push(Tally { index, written, present, item: *item }),
            }
        }
        tallies
    }

    /// Weighs what was accepted, and those that `work` has set aside except for the first `known`. Returns the block,
    /// if an index is at fault and nothing else gets in either.
    pub(super) fn weigh(&self, work: &Work<'_>, batch: &Batch, known: usize, tallies: Vec<Tally>) -> Option<Block> {
        let refused = work.set_aside_since(known);
        let (mut doubts, now) = (self.doubts(), now());
        if !tallies.is_empty() {
            self.accepted.fetch_add(1, Ordering::Relaxed);
        }
        for set_aside in refused {
            doubts.refuse(&set_aside.index, &Cause::of(&set_aside.refusal), document_of(&batch.items[set_aside.item]));
        }
        for tally in tallies {
            let item = &batch.items[tally.item];
            let lines = &batch.body[item.body.clone()];
            doubts.accept(&tally.index, tally.written, tally.present, now);
            let has_witness = self.witnesses().offer(&tally.index, lines, now);
            doubts.set_witness(&tally.index, has_witness);
        }
        let blamed =
            refused.iter().find(|set_aside| doubts.blames(&set_aside.index, &Cause::of(&set_aside.refusal)))?;
        if !doubts.is_alone(&blamed.index, now) {
            return None;
        }
        Some(Block::of_index(&blamed.index, &blamed.refusal))
    }

    /// Takes those that were set aside, except for the first `known`, back into `work` when there are so many that it
    /// is no wonder: the index is at fault.
    pub(super) fn keep(work: &mut Work<'_>, known: usize, progress: &mut Progress) {
        if work.waiting() + progress.set_aside > MANY {
            work.take_back(known, progress);
        }
    }

    /// Returns the block, if a request to `index` that is refused as a whole is refused as all are.
    pub(super) fn known_block(&self, index: &str, refusal: &Refusal) -> Option<Block> {
        self.doubts().blames(index, &Cause::of(refusal)).then(|| Block::of_index(index, refusal))
    }

    /// Returns what other requests of the topic show about one to `index` that fails as a whole.
    pub(super) fn others(&self, index: &str) -> Others {
        let accepted = self.accepted.load(Ordering::Relaxed);
        Others { accepted, has_witness: self.witnesses().get(index).is_some() }
    }

    /// Waits for room, and takes the document that `set_aside` speaks of out of `batch`.
    pub(super) async fn single_out(self: &Arc<Self>, batch: &Batch, set_aside: &SetAside) -> Lone {
        let lone = batch.only(set_aside.item, Arc::clone(&set_aside.index));
        let bytes = lone.held_bytes();
        let kibibytes = u32::try_from(bytes.div_ceil(1_024)).unwrap_or(u32::MAX).min(self.max_kibibytes);
        let budget = [permits(&self.documents, 1).await, permits(&self.kibibytes, kibibytes).await];
        let document = document_of(&batch.items[set_aside.item]);
        let cause = Cause::of(&set_aside.refusal);
        let case = Case::new(Arc::clone(&set_aside.index), cause.clone(), &self.doubts(), now());
        let open = Open { since: case.first(), bytes, index: Arc::clone(&set_aside.index), cause };
        self.lock_open().insert(document, open);
        self.measure();
        Lone {
            batch: lone,
            document,
            case,
            attempts: set_aside.attempts,
            is_logged: false,
            undecided: Arc::clone(self),
            _budget: budget,
        }
    }

    /// Notes what became of the witness of `index`. Returns whether it was accepted again.
    fn hear(&self, index: &Arc<str>, fate: Fate) -> bool {
        let mut doubts = self.doubts();
        match fate {
            Fate::Indexed => doubts.accept(index, 1, 0, now()),
            Fate::Duplicate(_) => doubts.accept(index, 0, 1, now()),
            Fate::Doubtful(refusal) | Fate::Faulted(refusal) | Fate::NotMapped(refusal) | Fate::Refused(refusal) => {
                doubts.refuse_witness(index, &Cause::of(&refusal));
                return false;
            }
            Fate::Retry(_) | Fate::Blocked(_) | Fate::IndexMissing(_) => return false,
        }
        self.accepted.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// Sets the metrics, and readiness.
    fn measure(&self) {
        let open = self.lock_open();
        let bytes = open.values().map(|open| open.bytes).sum();
        let oldest = open.values().min_by_key(|open| open.since);
        let age = oldest.map_or(Duration::ZERO, |oldest| now().saturating_duration_since(oldest.since));
        let topic = [self.topic.as_str()];
        self.metrics.doubtful_documents.with_label_values(&topic).set(as_i64(open.len()));
        self.metrics.doubtful_bytes.with_label_values(&topic).set(as_i64(bytes));
        self.metrics.doubtful_age.with_label_values(&topic).set(age.as_secs_f64());
        match oldest.filter(|_| age >= PATIENCE) {
            None => self.condition.met(),
            Some(Open { index, cause: Cause { status, error_type }, .. }) => self.condition.unmet(format!(
                "{} documents wait, one for {} s: {index:?} answers {status} {error_type}, and no other document shows \
                 whether the document or the index is at fault; see docs/refusals.md",
                open.len(),
                age.as_secs(),
            )),
        }
    }

    fn doubts(&self) -> MutexGuard<'_, Doubts> {
        self.doubts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn witnesses(&self) -> MutexGuard<'_, Witnesses> {
        self.witnesses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_open(&self) -> MutexGuard<'_, BTreeMap<Document, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lone {
    /// Returns the document, as a batch of its own.
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// Returns the bytes it holds.
    pub fn held_bytes(&self) -> usize {
        self.batch.held_bytes()
    }
}

impl Drop for Lone {
    fn drop(&mut self) {
        self.undecided.lock_open().remove(&self.document);
        self.undecided.doubts().forget(self.case.index(), self.document);
        self.undecided.measure();
    }
}

fn document_of(item: &Item) -> Document {
    (item.origin.partition, item.origin.offset)
}

/// The semaphores are never closed, so there is no error to expect; if there were one, room for ever would be the wrong
/// answer.
async fn permits(semaphore: &Arc<Semaphore>, count: u32) -> OwnedSemaphorePermit {
    match Arc::clone(semaphore).acquire_many_owned(count).await {
        Ok(permit) => permit,
        Err(_) => std::future::pending().await,
    }
}
