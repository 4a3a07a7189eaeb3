//! `dead-letters list`: groups letters by what is wrong.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;

use serde::Serialize;

use super::filter::Filter;
use super::letter::{Kind, Letter};
use super::marks::{LetterState, Marks, is_mark};
use crate::commands::log::{LogError, LogReader};
use crate::commands::plain::plain;
use crate::commands::position::RecordPosition;
use crate::commands::times;

/// The number of examples per group.
const EXAMPLES: usize = 3;
/// The most groups per topic. Further letters are counted in one common group.
const MAX_GROUPS: usize = 500;

/// The contents of all topics.
#[derive(Debug, Serialize)]
pub struct Listed {
    /// Each topic that was read.
    pub topics: Vec<Topic>,
}

/// The contents of one topic.
#[derive(Debug, Serialize)]
pub struct Topic {
    /// The name of the topic.
    pub topic: String,
    /// The kind of its letters.
    pub kind: Kind,
    /// Whether the topic exists.
    pub exists: bool,
    /// The number of open letters, which nothing has been done about. Like the other counts, it covers only letters
    /// that pass the filters.
    pub open: u64,
    /// The number of redriven letters.
    pub redriven: u64,
    /// The number of dropped letters.
    pub dropped: u64,
    /// The open letters by group, the largest group first.
    pub groups: Vec<Group>,
}

/// Letters with the same problem.
#[derive(Debug, Serialize)]
pub struct Group {
    /// The number of letters.
    pub count: u64,
    /// The error type, a short word.
    pub error_type: String,
    /// The stage that refused them: decode, index or receive.
    pub stage: String,
    /// The topic they came from; for a quarantined body, the source.
    pub origin: String,
    /// When the first letter was written.
    pub first: String,
    /// When the last letter was written.
    pub last: String,
    /// How many of them had been redriven and failed again.
    pub redriven_before: u64,
    /// Some of the letters, with different reasons if possible.
    pub examples: Vec<Example>,
}

/// One letter of a group.
#[derive(Debug, Serialize)]
pub struct Example {
    /// The position of the letter.
    pub letter: RecordPosition,
    /// The event's id.
    pub key: Option<String>,
    /// The reason in words.
    pub reason: String,
}

/// The key of a group: error type, stage, origin.
type Name = (String, String, String);

/// A group while it is being counted.
#[derive(Default)]
struct Counted {
    count: u64,
    redriven_before: u64,
    first: Option<i64>,
    last: Option<i64>,
    examples: Vec<Example>,
}

/// Reads `topic` and groups the letters that `filter` selects. A topic that does not exist has none.
///
/// # Errors
/// [`LogError`].
pub(super) fn list(reader: &LogReader, topic: &str, kind: Kind, filter: &Filter) -> Result<Topic, LogError> {
    let mut listed =
        Topic { topic: topic.to_owned(), kind, exists: true, open: 0, redriven: 0, dropped: 0, groups: Vec::new() };
    let parts = match reader.parts(topic) {
        Ok(parts) => parts,
        Err(LogError::Missing(_)) => return Ok(Topic { exists: false, ..listed }),
        Err(error) => return Err(error),
    };
    let marks = Marks::read(reader, topic, &parts)?;
    let mut groups: BTreeMap<Name, Counted> = BTreeMap::new();
    reader.scan::<LogError>(topic, &parts, |record| {
        let letter = Letter::of(topic, kind, record);
        if is_mark(record) || !filter.takes(&letter) {
            return Ok(ControlFlow::Continue(()));
        }
        match marks.state(record.partition.0, record.offset.0) {
            LetterState::Redriven => listed.redriven += 1,
            LetterState::Dropped => listed.dropped += 1,
            LetterState::Open => {
                listed.open += 1;
                count(&mut groups, &letter);
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    listed.groups = groups.into_iter().map(|(name, counted)| counted.group(name)).collect();
    listed.groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    Ok(listed)
}

fn count(groups: &mut BTreeMap<Name, Counted>, letter: &Letter) {
    let origin = letter.origin_topic().or(letter.source()).unwrap_or("unknown");
    let mut name = (letter.error_type().to_owned(), letter.stage().to_owned(), origin.to_owned());
    if groups.len() >= MAX_GROUPS && !groups.contains_key(&name) {
        name = ("(others)".to_owned(), String::new(), String::new());
    }
    groups.entry(name).or_default().add(letter);
}

impl Counted {
    fn add(&mut self, letter: &Letter) {
        self.count += 1;
        self.redriven_before += u64::from(letter.redrives() > 0);
        if let Some(written) = letter.written {
            self.first = Some(self.first.map_or(written, |first| first.min(written)));
            self.last = Some(self.last.map_or(written, |last| last.max(written)));
        }
        if self.examples.len() < EXAMPLES && self.examples.iter().all(|example| example.reason != letter.reason()) {
            let reason = letter.reason().to_owned();
            self.examples.push(Example { letter: letter.at.clone(), key: letter.key_text(), reason });
        }
    }

    fn group(self, (error_type, stage, origin): Name) -> Group {
        Group {
            count: self.count,
            error_type,
            stage,
            origin,
            first: self.first.map(times::text).unwrap_or_default(),
            last: self.last.map(times::text).unwrap_or_default(),
            redriven_before: self.redriven_before,
            examples: self.examples,
        }
    }
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, topic) in self.topics.iter().enumerate() {
            f.write_str(if number > 0 { "\n" } else { "" })?;
            topic.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            Kind::DeadLetter => "dead letters",
            Kind::Quarantined => "quarantine",
        };
        if !self.exists {
            return write!(f, "{} ({what}): the topic does not exist", self.topic);
        }
        let Self { topic, open, redriven, dropped, .. } = self;
        write!(f, "{topic} ({what}): {open} open, {redriven} redriven, {dropped} dropped")?;
        self.groups.iter().try_for_each(|group| group.fmt(f))
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, first, last, .. } = self;
        let (error_type, stage, origin) = (plain(&self.error_type), plain(&self.stage), plain(&self.origin));
        write!(f, "\n{count:>8}  {error_type} ({stage}) from {origin}, {first} to {last}")?;
        if self.redriven_before > 0 {
            write!(f, ", {} of them redriven before", self.redriven_before)?;
        }
        for Example { letter, key, reason } in &self.examples {
            let key = plain(key.as_deref().unwrap_or("no key"));
            write!(f, "\n{:10}{letter} ({key}): {}", "", plain(reason))?;
        }
        Ok(())
    }
}
