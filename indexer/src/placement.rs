//! Decides which index a document goes to, as a pure function of its placement time and the [`Table`] of backing
//! indices (P4).
//!
//! Every indexer that places a record finds the same backing index: early or late, after a restart, in a replay or
//! close to failure. There the second `create` of the id is answered 409. To achieve this, a table is used only for
//! placement times that no backing index unknown to it can take: see [`Table::valid_until`]. The rules, their price
//! and the remaining uncertainty are in `docs/placement.md`.
//!
//! [`table`] is the list of backing indices, [`time`] the placement time, and [`pattern`] the names of the strategy
//! `time`. All of it is pure; [`backing`](crate::backing) reads the table from Elasticsearch.

use std::sync::Arc;

use crate::config::Expired;
use crate::message::target::{Age, NoPlacement, Route, Target};

pub use calendar::{Calendar, Retention};
pub(crate) use names::Role;
pub use pattern::Pattern;
pub(crate) use series::Series;
pub use table::{Backing, FoundIndex, Table, TableError, Uncertainty};

pub mod calendar;
pub(crate) mod names;
pub mod pattern;
pub mod router;
mod series;
pub mod table;
pub mod time;
pub mod times;

/// The placement of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// In the backing index of this number in [`Table::backing`].
    In(usize),
    /// In a backing index that has been deleted: the document is older than the oldest index.
    Expired,
    /// Unknown: the table is too old, and there may be a newer backing index.
    NotYet,
}

/// Returns where the document of placement time `time` (milliseconds since the Unix epoch) goes: to the newest
/// backing index whose start is not after `time`. A start is the index's creation plus the margin, so every table
/// that may be used for `time` gives the same answer.
pub fn place(table: &Table, time: i64) -> Placed {
    if time > table.valid_until() {
        return Placed::NotYet;
    }
    match table.backing().partition_point(|backing| backing.start <= time) {
        0 => Placed::Expired,
        after => Placed::In(after - 1),
    }
}

/// Returns the index of placement time `time` by `table`, as a target in the first index set, and the first and the
/// last placement time with the same target.
///
/// # Errors
/// [`NoPlacement`], if the table is too old, or if the document's own index is deleted and `expired` is not
/// [`Expired::Oldest`].
pub fn by_table(table: &Table, time: i64, expired: Expired) -> Result<(Target, i64, i64), NoPlacement> {
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
