//! What is left to send of one batch. Pure.
//!
//! It begins with the whole batch. A chunk that is too large or refused as a whole is cut in two, down to the one
//! document whose fault it is; of a chunk that is answered item by item, those that failed for now join what is left.

use std::collections::{HashMap, HashSet, VecDeque};

use super::body::Moved;
use super::limiter::RequestBudget;
use super::outcome::{BlockKind, Fate, Judgement, Refusal};
use super::verify::Suspect;
use super::{Delivered, Refused, body};
use crate::batch::Batch;

pub use doubtful::SetAside;
pub(super) use progress::Progress;
use whole::{Others, Whole};

mod doubtful;
mod placement;
mod progress;
mod proof;
pub(super) mod whole;

/// How many times a document is sent that Elasticsearch fails at (5xx), before it is set aside; and a request, before
/// it is cut.
const FAULTS: u32 = 2;
/// How many times a document is sent whose index is answered to be missing, although it was made each time.
const MISSES: u32 = 5;

/// What is left to send and what has become of the rest.
#[derive(Debug)]
pub(super) struct Work<'a> {
    batch: &'a Batch,
    /// Halves of chunks that were cut in two, each of which has to be a request of its own.
    halves: VecDeque<Vec<usize>>,
    /// All others.
    left: VecDeque<usize>,
    /// Those whose ids have to be looked up first.
    look_ups: VecDeque<usize>,
    /// Those that were sent to an index which is missing or takes no documents: they are placed again, where the
    /// strategy knows of that.
    unplaced: Vec<usize>,
    /// Those that the index does not know all fields of, and that are sent again now that the mapping is up to date.
    adopted: HashSet<usize>,
    moved: Moved,
    /// The generation of the write index before which an id was looked up and not found.
    checked: HashMap<usize, u64>,
    /// Those that are written, but looked up before that counts.
    written: HashSet<usize>,
    /// The generation of a data stream's write index that the next request counts on, and whether it turned out to be
    /// another.
    generation: Option<u64>,
    is_doubtful: bool,
    reroutes: bool,
    /// Those whose id is taken, whose proof is wanted, and how often what had the id was gone.
    suspects: VecDeque<Suspect>,
    proves: bool,
    gone: HashMap<usize, u8>,
    /// Whether it is a document that was set aside before.
    is_alone: bool,
    /// How many whole requests in a row Elasticsearch has failed at.
    faults: u32,
    /// Those that were in requests which failed as a whole, and what others show.
    whole: Whole,
    others: Others,
    attempts: Vec<u32>,
    delivered: Delivered,
}

impl<'a> Work<'a> {
    /// Returns all of `batch`. With `reroutes`, what is sent to an index that is missing or takes no documents is to be
    /// placed again.
    pub(super) fn new(batch: &'a Batch, reroutes: bool) -> Self {
        let is_looked_up =
            |item: &usize| batch.targets.get(batch.items[*item].target as usize).is_some_and(|t| t.look_up);
        let (look_ups, left) = (0..batch.items.len()).partition(is_looked_up);
        Self {
            batch,
            halves: VecDeque::new(),
            left,
            look_ups,
            unplaced: Vec::new(),
            adopted: HashSet::new(),
            moved: Moved::new(),
            checked: HashMap::new(),
            written: HashSet::new(),
            generation: None,
            is_doubtful: false,
            reroutes,
            suspects: VecDeque::new(),
            proves: false,
            gone: HashMap::new(),
            is_alone: false,
            faults: 0,
            whole: Whole::default(),
            others: Others::default(),
            attempts: vec![0; batch.items.len()],
            delivered: Delivered::default(),
        }
    }

    pub(super) fn is_done(&self) -> bool {
        let is_sent = self.halves.is_empty() && self.left.is_empty() && self.unplaced.is_empty();
        is_sent && self.look_ups.is_empty() && self.suspects.is_empty()
    }

    /// Returns the items of the next request, as many as there is room for, but at least one; none when all is settled.
    pub(super) fn take(&mut self, budget: RequestBudget) -> Option<Vec<usize>> {
        let chunk = match self.halves.pop_front() {
            Some(mut half) => {
                let rest = half.split_off(self.fitting(&half, budget));
                if !rest.is_empty() {
                    self.halves.push_front(rest);
                }
                half
            }
            None => {
                self.left.make_contiguous();
                let fitting = self.fitting(self.left.as_slices().0, budget);
                self.left.drain(..fitting).collect()
            }
        };
        if chunk.is_empty() {
            return None;
        }
        for item in &chunk {
            self.attempts[*item] = self.attempts[*item].saturating_add(1);
        }
        Some(chunk)
    }

    /// Takes note of what became of `chunk`.
    pub(super) fn apply(&mut self, chunk: Vec<usize>, judgement: Judgement) -> Progress {
        let mut progress = Progress::default();
        match judgement {
            Judgement::Items(fates) => {
                self.faults = 0;
                self.apply_each(&chunk, fates, &mut progress);
            }
            Judgement::Retry(failure) => self.failed_whole(chunk, failure, &mut progress),
            Judgement::Blocked(block) => {
                progress.block = Some(block);
                progress.is_blocked = true;
                self.again(chunk, &mut progress);
            }
            Judgement::IndexMissing => {
                progress.index_missing = true;
                self.again(chunk, &mut progress);
            }
            Judgement::TooLarge => {
                progress.too_large = true;
                let refusal = Refusal::too_large(body::size(self.batch, &chunk));
                if let Some(item) = self.cut(chunk) {
                    self.refuse(item, refusal, &mut progress);
                }
            }
            Judgement::Refused(refusal) => {
                if let Some(item) = self.cut(chunk) {
                    self.refuse(item, refusal, &mut progress);
                }
            }
            Judgement::Faulted(refusal) if !self.is_alone && self.faults < FAULTS => {
                self.faults += 1;
                progress.failure = Some(refusal.into());
                self.again(chunk, &mut progress);
            }
            Judgement::Doubtful(refusal) | Judgement::Faulted(refusal) => {
                if let Some(item) = self.cut_by_index(chunk) {
                    self.set_aside(item, refusal, &mut progress);
                }
            }
        }
        progress
    }

    pub(super) fn into_delivered(self) -> Delivered {
        self.delivered
    }

    fn apply_each(&mut self, chunk: &[usize], fates: Vec<Fate>, progress: &mut Progress) {
        debug_assert_eq!(chunk.len(), fates.len(), "an answer of another length is no answer");
        let mut again = Vec::new();
        for (item, fate) in chunk.iter().zip(fates) {
            if self.apply_one(*item, fate, progress) {
                again.push(*item);
            }
        }
        self.again(again, progress);
    }

    /// Applies what became of one document. Returns whether it has to be sent again.
    fn apply_one(&mut self, item: usize, fate: Fate, progress: &mut Progress) -> bool {
        match fate {
            Fate::Indexed | Fate::Duplicate(_) if self.is_doubtful => {
                self.doubt(item, fate == Fate::Indexed, progress);
            }
            Fate::Indexed => self.settle_indexed(progress),
            Fate::Duplicate(index) => self.taken(item, index.as_deref(), progress),
            Fate::Refused(refusal) => self.refuse(item, refusal, progress),
            Fate::Doubtful(refusal) => self.set_aside(item, refusal, progress),
            Fate::Faulted(refusal) if self.is_alone || self.attempts[item] >= FAULTS => {
                self.set_aside(item, refusal, progress);
            }
            Fate::IndexMissing(refusal) if self.is_alone || self.attempts[item] >= MISSES => {
                progress.index_missing = true;
                self.set_aside(item, refusal, progress);
            }
            Fate::NotMapped(refusal) => {
                progress.not_mapped = true;
                if self.adopted.insert(item) {
                    return true;
                }
                self.set_aside(item, refusal, progress);
            }
            Fate::Faulted(refusal) => {
                progress.failure = Some(refusal.into());
                return true;
            }
            Fate::Retry(failure) => {
                progress.failure = Some(failure);
                return true;
            }
            Fate::Blocked(block) => {
                let is_index = matches!(block.kind, BlockKind::Index | BlockKind::Closed);
                progress.block = Some(block);
                let is_moved = self.reroutes && is_index;
                progress.is_blocked |= !is_moved;
                return !self.place_again_if(is_moved, item);
            }
            Fate::IndexMissing(_) => {
                progress.index_missing = true;
                return !self.place_again_if(self.reroutes, item);
            }
        }
        false
    }

    /// Has `item` placed again if `is_moved`. Returns that.
    fn place_again_if(&mut self, is_moved: bool, item: usize) -> bool {
        if is_moved {
            self.unplaced.push(item);
        }
        is_moved
    }

    fn settle_indexed(&mut self, progress: &mut Progress) {
        progress.settled += 1;
        progress.indexed += 1;
        self.delivered.indexed += 1;
    }

    pub(super) fn settle_duplicate(&mut self, progress: &mut Progress) {
        progress.settled += 1;
        progress.duplicates += 1;
        self.delivered.duplicates += 1;
    }

    fn again(&mut self, items: Vec<usize>, progress: &mut Progress) {
        if !items.is_empty() {
            progress.failed += items.len();
            self.left.extend(items);
        }
    }

    /// Cuts `chunk` in two; returns the one document that it is, if so.
    fn cut(&mut self, mut chunk: Vec<usize>) -> Option<usize> {
        if let [item] = chunk[..] {
            return Some(item);
        }
        let second = chunk.split_off(chunk.len() / 2);
        self.halves.push_front(second);
        self.halves.push_front(chunk);
        None
    }

    fn refuse(&mut self, item: usize, refusal: Refusal, progress: &mut Progress) {
        progress.settled += 1;
        progress.refused += 1;
        progress.in_failure_store += u64::from(refusal.in_failure_store);
        self.delivered.refused.push(Refused {
            item,
            status: refusal.status,
            error_type: refusal.error_type,
            reason: refusal.reason,
            attempts: self.attempts[item],
        });
    }
}

#[cfg(test)]
mod tests;
