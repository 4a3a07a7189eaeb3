//! Where a document lands: the index as a pure function of its placement time and the [`Table`] of backing indices (P4).
//!
//! Whoever places a record, early or late, restarted, replaying or half-dead, finds the same backing index, and there `create` on the id
//! is answered 409 the second time. For that, a table is used only for placement times that no backing index unknown to it can take:
//! see [`Table::valid_until`]. The rules, their price and what remains uncertain are in `docs/placement.md`.
//!
//! [`table`] is the list of backing indices, [`time`] the placement time, [`pattern`] the names of the strategy `time`; `placer` is what the
//! decoder asks for each record, [`keeper`] reads the table from Elasticsearch once the `barrier` is passed. All but those two are pure.

pub use calendar::{Calendar, Retention};
pub use keeper::Keeper;
pub use list::ReadError;
pub use lists::Lists;
pub(crate) use names::Kin;
pub use pattern::Pattern;
pub(crate) use placer::by_table;
pub use placer::{Age, NoPlace, Placer, Target};
pub use table::{Backing, Doubt, Found, Table, TableError};

mod barrier;
mod calendar;
pub mod keeper;
mod list;
mod lists;
mod names;
pub mod pattern;
mod placer;
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

/// Where the document of placement time `time` (milliseconds since the Unix epoch) lands: in the newest backing index whose start is
/// not after it. A start is the index's creation and the margin, so the answer is the same by every table that may be used for `time`.
pub fn place(table: &Table, time: i64) -> Placed {
    if time > table.valid_until() {
        return Placed::NotYet;
    }
    match table.backing().partition_point(|backing| backing.start <= time) {
        0 => Placed::Expired,
        after => Placed::In(after - 1),
    }
}

#[cfg(test)]
mod tests;
