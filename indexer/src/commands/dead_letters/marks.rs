//! Stores the states of letters as marks in the letters' own topic.
//!
//! A mark is a record with the header `penstock.mark` (`redriven` or `dropped`) and offsets as JSON in its value. It
//! is in the partition of its letters and after them, so retention never deletes it before them. A redrive writes the
//! mark in the same transaction as the records. Commands first read all marks and then the letters.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use rdkafka::message::{Header, OwnedHeaders};
use serde::{Deserialize, Serialize};

use crate::commands::log::{LogError, LogReader, Part};
use crate::message::record::Record;

/// The header of a mark.
pub(crate) const HEADER_MARK: &str = "penstock.mark";

/// The most ranges of offsets in one mark, about 20 KiB.
const MAX_RANGES: usize = 1_000;

/// The state of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LetterState {
    /// Nothing has been done about it.
    Open,
    /// Its record was written to its topic again.
    Redriven,
    /// An operator has given it up.
    Dropped,
}

/// A set of offsets, stored as ranges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offsets(BTreeMap<i64, i64>);

impl Offsets {
    /// Adds `offset`. Returns whether it was new.
    pub(crate) fn insert(&mut self, offset: i64) -> bool {
        let is_new = !self.contains(offset);
        self.insert_range(offset, offset);
        is_new
    }

    /// Adds the offsets from `from` to `to`, both included.
    fn insert_range(&mut self, from: i64, to: i64) {
        if from > to {
            return;
        }
        let (mut from, mut to) = (from, to);
        // Ranges that touch the new one are merged with it.
        while let Some((start, end)) =
            self.0.range(..=to.saturating_add(1)).next_back().map(|(start, end)| (*start, *end))
            && end.saturating_add(1) >= from
        {
            self.0.remove(&start);
            (from, to) = (from.min(start), to.max(end));
        }
        self.0.insert(from, to);
    }

    /// Returns whether the set contains `offset`.
    pub(crate) fn contains(&self, offset: i64) -> bool {
        self.0.range(..=offset).next_back().is_some_and(|(_, end)| *end >= offset)
    }

    /// Returns the number of offsets in the set.
    pub(crate) fn count(&self) -> u64 {
        self.0.iter().map(|(from, to)| to.abs_diff(*from) + 1).sum()
    }

    /// Divides the set into pieces that each fit into one mark.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = Self> {
        let ranges: Vec<(i64, i64)> = self.0.iter().map(|(from, to)| (*from, *to)).collect();
        let pieces: Vec<Self> = ranges.chunks(MAX_RANGES).map(|piece| Self(piece.iter().copied().collect())).collect();
        pieces.into_iter()
    }

    /// Returns the number of offsets in the set from `from` on.
    pub(crate) fn count_from(&self, from: i64) -> u64 {
        self.0.iter().filter(|(_, to)| **to >= from).map(|(start, to)| to.abs_diff((*start).max(from)) + 1).sum()
    }
}

/// The positions of the redriven records, by topic and partition.
pub(super) type Sent = BTreeMap<(String, i32), Offsets>;

/// The value of a mark.
#[derive(Debug, Deserialize, Serialize)]
struct Body {
    /// Ranges of offsets in the mark's own partition, including both ends.
    offsets: Vec<(i64, i64)>,
}

/// The marks of one topic.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    redriven: BTreeMap<i32, Offsets>,
    dropped: BTreeMap<i32, Offsets>,
}

impl Marks {
    /// Reads the marks in `parts` of `topic`.
    ///
    /// # Errors
    /// [`LogError`].
    pub(crate) fn read(reader: &LogReader, topic: &str, parts: &[Part]) -> Result<Self, LogError> {
        let mut marks = Self::default();
        reader.scan::<LogError>(topic, parts, |record| {
            marks.note(record);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(marks)
    }

    /// Notes `record` if it is a mark.
    fn note(&mut self, record: &Record<'_>) {
        let of_state = match record.headers.get(HEADER_MARK) {
            Some(b"redriven") => &mut self.redriven,
            Some(b"dropped") => &mut self.dropped,
            Some(_) | None => return,
        };
        let Some(Body { offsets }) = record.value.and_then(|value| serde_json::from_slice(value).ok()) else { return };
        let marked = of_state.entry(record.partition.0).or_default();
        for (from, to) in offsets {
            // A mark cannot apply to letters that do not exist yet.
            marked.insert_range(from, to.min(record.offset.0));
        }
    }

    /// Returns the state of the letter at `offset` of `partition`.
    pub(crate) fn state(&self, partition: i32, offset: i64) -> LetterState {
        let is_in = |marks: &BTreeMap<i32, Offsets>| marks.get(&partition).is_some_and(|marks| marks.contains(offset));
        if is_in(&self.redriven) {
            LetterState::Redriven
        } else if is_in(&self.dropped) {
            LetterState::Dropped
        } else {
            LetterState::Open
        }
    }
}

/// Returns whether `record` is a mark, not a letter.
pub(crate) fn is_mark(record: &Record<'_>) -> bool {
    record.headers.get(HEADER_MARK).is_some()
}

/// Returns headers and value of a mark that sets `offsets` of one partition to `state`.
pub(super) fn mark(state: LetterState, offsets: &Offsets) -> (OwnedHeaders, String) {
    let word = match state {
        LetterState::Open => "open",
        LetterState::Redriven => "redriven",
        LetterState::Dropped => "dropped",
    };
    let body = Body { offsets: offsets.0.iter().map(|(from, to)| (*from, *to)).collect() };
    let value = serde_json::to_string(&body).unwrap_or_default();
    (OwnedHeaders::new().insert(Header { key: HEADER_MARK, value: Some(word) }), value)
}

#[cfg(test)]
mod tests;
