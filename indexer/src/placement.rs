//! Where a document lands: the index as a pure function of its placement time and the [`Table`] of backing indices
//! (P4).
//!
//! Whoever places a record, early or late, restarted, replaying or half-dead, finds the same backing index, and there
//! `create` on the id is answered 409 the second time. For that, a table is used only for placement times that no
//! backing index unknown to it can take: see [`Table::valid_until`]. The rules, their price and what remains uncertain
//! are in `docs/placement.md`.
//!
//! [`table`] is the list of backing indices, [`time`] the placement time, [`pattern`] the names of the strategy `time`.
//! All of it is pure; what reads the table from Elasticsearch is in [`backing`](crate::backing).

use std::sync::Arc;

use crate::config::Expired;
use crate::message::target::{Age, NoPlacement, Route, Target};

pub use calendar::{Calendar, Retention};
pub(crate) use kinship::Kinship;
pub(crate) use names::Kin;
pub use pattern::Pattern;
pub use table::{Backing, Doubt, FoundIndex, Table, TableError};

pub mod calendar;
mod kinship;
pub(crate) mod names;
pub mod pattern;
pub mod router;
pub mod table;
pub mod time;
pub mod times;

/// Where a document lands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// In the backing index of this number in [`Table::backing`].
    In(usize),
    /// In a backing index that was deleted: it is older than the oldest that is left.
    Expired,
    /// The table is too old to say: there may be a newer backing index by now.
    NotYet,
}

/// Returns where the document of placement time `time` (milliseconds since the Unix epoch) lands: in the newest backing
/// index whose start is not after it. A start is the index's creation and the margin, so the answer is the same by
/// every table that may be used for `time`.
pub fn place(table: &Table, time: i64) -> Placed {
    if time > table.valid_until() {
        return Placed::NotYet;
    }
    match table.backing().partition_point(|backing| backing.start <= time) {
        0 => Placed::Expired,
        after => Placed::In(after - 1),
    }
}

/// Returns the index of `time` by `table` of the first index set, and the first and the last placement time that the same goes for.
pub(crate) fn by_table(table: &Table, time: i64, expired: Expired) -> Result<(Target, i64, i64), NoPlacement> {
    let backing = table.backing();
    let (number, age) = match (place(table, time), expired) {
        (Placed::In(number), _) => (number, Age::of(number, backing.len())),
        (Placed::NotYet, _) => return Err(NoPlacement::NotYet),
        (Placed::Expired, Expired::Oldest) => (0, Age::Expired),
        (Placed::Expired, Expired::Skip) => return Err(NoPlacement::Skip),
        (Placed::Expired, Expired::DeadLetter) => return Err(NoPlacement::DeadLetter),
    };
    let index = &backing[number];
    let route = Route::default();
    let target = Target { index: Arc::clone(&index.name), route, look_up: !index.writable, age };
    let next = backing.get(number + 1).map_or(i64::MAX, |next| next.start.saturating_sub(1));
    match age {
        Age::Expired => Ok((target, i64::MIN, index.start.saturating_sub(1).min(table.valid_until()))),
        Age::Current | Age::Previous | Age::Older => Ok((target, index.start, next.min(table.valid_until()))),
    }
}

#[cfg(test)]
mod tests;
