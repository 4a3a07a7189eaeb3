//! The worlds that the tests explore: each model with few records and few faults, so that all of them together take
//! seconds.

use crate::doubt::{Doubt, Fault, Manner};
use crate::ledger::{Entry, Ledger};
use crate::placement::Placement;
use crate::swap::Swap;
use crate::throttle::Requests;

/// Returns a partition with a record that waits and an offset without a record, and two indexers.
pub fn waiting() -> Ledger {
    use Entry::{Control, Document, Waiting};
    Ledger { logs: vec![vec![Document, Waiting, Control]], moves: 1, refusals: 1, broken: None }
}

/// Returns a partition with a doubtful document that is lost and comes back.
pub fn lost_partition() -> Ledger {
    use Entry::{Document, Doubtful};
    Ledger { logs: vec![vec![Document, Doubtful]], moves: 1, refusals: 0, broken: None }
}

/// Returns two partitions that share batches, one with a doubtful document.
pub fn shared_batches() -> Ledger {
    use Entry::{Doubtful, Tombstone};
    Ledger { logs: vec![vec![Doubtful], vec![Tombstone]], moves: 1, refusals: 0, broken: None }
}

/// Returns a good document and a bad one, in an index that breaks and of which a node is at fault.
pub fn unknown_refusals() -> Doubt {
    Doubt { others: 5, ..doubt(Manner::Unknown, &[true, false], &[Fault::Index, Fault::Node]) }
}

/// Returns a good document and two bad ones, in an index that breaks.
pub fn bad_documents() -> Doubt {
    doubt(Manner::Unknown, &[true, false, false], &[Fault::Index])
}

/// Returns refusals that a full shard gives too.
pub fn full_shard() -> Doubt {
    Doubt { others: 5, ..doubt(Manner::LikeFullShard, &[true, false], &[Fault::Index, Fault::FullShard]) }
}

/// Returns refusals with 500, and outages.
pub fn outages() -> Doubt {
    doubt(Manner::Server, &[true, false], &[Fault::Outage])
}

fn doubt(manner: Manner, documents: &[bool], faults: &[Fault]) -> Doubt {
    let (documents, faults) = (documents.to_vec(), faults.to_vec());
    Doubt { manner, documents, others: 1, faults, breaks: 1, flaws: 1, broken: None }
}

/// Returns two tasks that share the limit, and one that asks for requests beside it.
pub fn requests() -> Requests {
    Requests { tasks: vec![(2, true), (1, true), (1, false)], breaks: 1, failures: 4, drops: 1, broken: None }
}

/// Returns the same event twice, around a rollover.
pub fn repeated_event() -> Placement {
    Placement {
        events: [0, 0],
        times: vec![5],
        skews: vec![[-1, 1], [1, -1]],
        rollovers: 1,
        closes: false,
        is_handed_over: false,
        end: 6,
        broken: None,
    }
}

/// Returns two events with one id, around a rollover.
pub fn two_events() -> Placement {
    Placement { events: [0, 1], skews: vec![[1, -1]], ..repeated_event() }
}

/// Returns the same event twice, late: its index has a write block, and a partition changes hands around a rollover.
pub fn closed_index() -> Placement {
    Placement {
        times: vec![1],
        skews: vec![[1, -1]],
        rollovers: 2,
        closes: true,
        is_handed_over: true,
        end: 5,
        ..repeated_event()
    }
}

/// Returns a replay that is killed once, and an alias that rolls over.
pub fn replay() -> Swap {
    Swap { records: 4, kills: 1, rolls_over: true, broken: None }
}
