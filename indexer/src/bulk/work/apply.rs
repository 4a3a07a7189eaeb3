//! Applies an answer to the remaining work: each document is settled, sent again, looked up, or set aside. Pure.

use std::sync::Arc;

use super::Work;
use crate::bulk::body;
use crate::bulk::outcome::{BlockKind, BulkFailure, Fate, Judgement, Refusal, Trouble};
use crate::bulk::progress::{Ending, Progress, Repair};
use crate::bulk::verify::Suspect;

/// The bytes from which a document that is too large for a request is at fault. A proxy that refuses a smaller one may
/// have a limit that is wrong, and refuse all.
const SURELY_LARGE: usize = 1 << 20;

/// Applies `judgement` on `chunk` to `work`.
pub(in crate::bulk) fn apply(work: &mut Work<'_>, chunk: Vec<usize>, judgement: Judgement) -> Progress {
    let mut progress = Progress::default();
    match judgement {
        Judgement::Items(fates) => apply_each(work, &chunk, fates, &mut progress),
        Judgement::Retry(failure) => fail_whole(work, chunk, failure, &mut progress),
        Judgement::Blocked(block) => {
            progress.blockage.note(block, false);
            work.again(chunk, &mut progress);
        }
        Judgement::IndexMissing => {
            progress.repairs.insert(Repair::Index);
            work.again(chunk, &mut progress);
        }
        Judgement::TooLarge => {
            progress.ending = Ending::TooLarge;
            let bytes = body::size(work.batch, &chunk);
            let refusal = Refusal::too_large(bytes);
            match work.queue.cut(chunk) {
                Some(item) if bytes < SURELY_LARGE => work.set_aside(item, refusal, &mut progress),
                Some(item) => work.refuse(item, refusal, &mut progress),
                None => {}
            }
        }
        Judgement::Faulted(refusal) if work.attempts.fault() => {
            progress.failure = Some(refusal.into());
            work.again(chunk, &mut progress);
        }
        Judgement::Doubtful(refusal) | Judgement::Faulted(refusal) => {
            if let Some(item) = cut_by_index(work, chunk) {
                work.set_aside(item, refusal, &mut progress);
            }
        }
    }
    progress
}

/// Handles a request of `chunk` that failed as a whole. All of it is sent again, unless it is the one document that
/// all these failed requests had in common.
fn fail_whole(work: &mut Work<'_>, chunk: Vec<usize>, failure: BulkFailure, progress: &mut Progress) {
    // Overload is never a document's fault.
    let is_suspect = failure.trouble != Trouble::Overload;
    if let Some(item) = chunk.first().filter(|_| is_suspect) {
        progress.ending = Ending::Failed(work.destinations.of(*item));
    }
    let is_at_fault = is_suspect && work.attempts.fail_whole(&chunk);
    match chunk[..] {
        [item] if is_at_fault => work.set_aside(item, Refusal::of_whole(&failure), progress),
        _ => work.again(chunk, progress),
    }
    progress.failure = Some(failure);
}

/// Splits `chunk`, which was refused as a whole: by index, because a cluster may refuse requests that name another
/// index than their path, or else in halves. Returns the document if `chunk` holds only one.
fn cut_by_index(work: &mut Work<'_>, chunk: Vec<usize>) -> Option<usize> {
    if work.destinations.of_all(&chunk).is_some() {
        return work.queue.cut(chunk);
    }
    work.queue.put_first(work.destinations.parts(chunk));
    None
}

fn apply_each(work: &mut Work<'_>, chunk: &[usize], fates: Vec<Fate>, progress: &mut Progress) {
    debug_assert_eq!(chunk.len(), fates.len(), "an answer of another length is no answer");
    let failed = fates.iter().filter(|fate| matches!(fate, Fate::Retry(_))).count();
    work.attempts.answered(failed);
    let mut again = Vec::new();
    for (item, fate) in chunk.iter().zip(fates) {
        if apply_one(work, *item, fate, progress) {
            again.push(*item);
        }
    }
    work.again(again, progress);
}

/// Applies the outcome of one document. Returns whether it must be sent again.
fn apply_one(work: &mut Work<'_>, item: usize, fate: Fate, progress: &mut Progress) -> bool {
    match fate {
        Fate::Indexed | Fate::Duplicate(_) if work.look_ups.is_doubtful() => {
            progress.counts.doubtful += 1;
            work.look_ups.doubt(item, fate == Fate::Indexed);
        }
        Fate::Indexed => work.delivered.index(&mut progress.counts),
        Fate::Dropped => {
            progress.counts.dropped += 1;
            progress.dropped_by.get_or_insert_with(|| work.destinations.of(item));
        }
        Fate::Duplicate(index) => take(work, item, index.as_deref(), progress),
        Fate::Refused(refusal) => work.refuse(item, refusal, progress),
        Fate::Doubtful(refusal) => work.set_aside(item, refusal, progress),
        Fate::Faulted(refusal) if work.attempts.has_faulted(item) => work.set_aside(item, refusal, progress),
        Fate::IndexMissing(refusal) if work.attempts.has_missed(item) => {
            progress.repairs.insert(Repair::Index);
            work.set_aside(item, refusal, progress);
        }
        Fate::NotMapped(refusal) => {
            progress.repairs.insert(Repair::Mapping);
            if work.attempts.adopt(item) {
                return true;
            }
            work.set_aside(item, refusal, progress);
        }
        Fate::Faulted(refusal) => {
            progress.failure = Some(refusal.into());
            return true;
        }
        Fate::Retry(failure) => return fail_one(work, item, failure, progress),
        Fate::Blocked(block) => {
            let is_index = matches!(block.kind, BlockKind::Index | BlockKind::Closed);
            let is_moved = work.destinations.reroutes() && is_index;
            work.obstructed.note_sent(item, work.destinations.of(item), &block);
            progress.blockage.note(block, is_moved);
            return !work.destinations.place_again_if(is_moved, item);
        }
        Fate::IndexMissing(_) => {
            progress.repairs.insert(Repair::Index);
            return !work.destinations.place_again_if(work.destinations.reroutes(), item);
        }
    }
    false
}

/// Handles the failure for now of `item`. A document that fails again and again does not hold up its batch: it is set
/// aside. Returns whether it must be sent again.
fn fail_one(work: &mut Work<'_>, item: usize, failure: BulkFailure, progress: &mut Progress) -> bool {
    let is_stuck = work.attempts.is_stuck(item, failure.trouble);
    if is_stuck {
        work.set_aside(item, Refusal::of_item(&failure), progress);
    }
    progress.failure = Some(failure);
    !is_stuck
}

/// Handles the answer 409 for `item`, whose id a document in `index` has; `None` means the index it was sent to.
fn take(work: &mut Work<'_>, item: usize, index: Option<&str>, progress: &mut Progress) {
    if !work.proofs.are_wanted() {
        return work.delivered.duplicate(&mut progress.counts);
    }
    let sent_to = work.destinations.of(item);
    let index = index.filter(|index| *index != &*sent_to).map_or(sent_to, Arc::from);
    work.suspect(Suspect { item, index }, progress);
}
