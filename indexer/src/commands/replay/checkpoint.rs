//! Keeps the progress of a replay in Kafka: the committed offsets of its consumer group, and in their metadata the
//! range that was chosen at the start. So a replay that was killed continues where it was, on any machine and with
//! the same range.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use kafka::position::{NextOffset, Partition};
use topic_id::TopicId;

use crate::consume::identity;

/// The start of each note.
const MARK: &str = "replay";

/// The note in the metadata of each committed offset, after the topic's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Note {
    /// When the replay began, in milliseconds since the Unix epoch. Notes of earlier replays do not count.
    pub(super) run: i64,
    /// A hash of its arguments.
    pub(super) asked: String,
    /// The range of offsets that it reads.
    pub(super) range: Range<i64>,
}

/// The committed offset of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Committed {
    pub(super) next: NextOffset,
    pub(super) topic: Option<TopicId>,
    pub(super) note: Option<Note>,
}

/// The progress of a replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Checkpoint {
    pub(super) run: i64,
    pub(super) asked: String,
    pub(super) topic: Option<TopicId>,
    pub(super) ranges: BTreeMap<Partition, Range<i64>>,
    /// The number of settled offsets.
    pub(super) settled: u64,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Range { start, end } = self.range;
        write!(f, "{MARK} run={} asked={} from={start} to={end}", self.run, self.asked)
    }
}

impl Note {
    fn parse(text: &str) -> Option<Self> {
        let fields = text.strip_prefix(MARK)?;
        let fields: BTreeMap<&str, &str> =
            fields.split_whitespace().filter_map(|field| field.split_once('=')).collect();
        let number = |name: &str| fields.get(name)?.parse::<i64>().ok();
        Some(Self {
            run: number("run")?,
            asked: (*fields.get("asked")?).to_owned(),
            range: number("from")?..number("to")?,
        })
    }
}

impl Committed {
    /// Parses a committed offset and its metadata.
    pub(super) fn new(next: NextOffset, metadata: &str) -> Self {
        Self { next, topic: identity::id_in(metadata), note: metadata.split(';').find_map(Note::parse) }
    }
}

impl Checkpoint {
    /// Returns the replay that began last according to the committed offsets, or `None`.
    pub(super) fn of(committed: &BTreeMap<Partition, Committed>) -> Option<Self> {
        let notes = || committed.iter().filter_map(|(partition, it)| Some((*partition, it, it.note.as_ref()?)));
        let (_, _, last) = notes().max_by_key(|(_, _, note)| note.run)?;
        let mut checkpoint =
            Self { run: last.run, asked: last.asked.clone(), topic: None, ranges: BTreeMap::new(), settled: 0 };
        for (partition, it, note) in notes().filter(|(_, _, note)| note.run == last.run) {
            checkpoint.topic = checkpoint.topic.or(it.topic);
            let settled = it.next.0.clamp(note.range.start, note.range.end) - note.range.start;
            checkpoint.settled += u64::try_from(settled).unwrap_or(0);
            checkpoint.ranges.insert(partition, note.range.clone());
        }
        Some(checkpoint)
    }

    /// Returns the number of its offsets.
    pub(super) fn total(&self) -> u64 {
        total(&self.ranges)
    }

    /// Returns whether everything is settled.
    pub(super) fn is_complete(&self) -> bool {
        self.settled >= self.total()
    }

    /// Returns the note for each partition.
    pub(super) fn notes(&self) -> BTreeMap<Partition, String> {
        let note = |range: &Range<i64>| Note { run: self.run, asked: self.asked.clone(), range: range.clone() };
        self.ranges.iter().map(|(partition, range)| (*partition, note(range).to_string())).collect()
    }
}

/// Returns the number of offsets in `ranges`.
pub(super) fn total(ranges: &BTreeMap<Partition, Range<i64>>) -> u64 {
    ranges.values().map(|range| u64::try_from(range.end - range.start).unwrap_or(0)).sum()
}

#[cfg(test)]
mod tests;
