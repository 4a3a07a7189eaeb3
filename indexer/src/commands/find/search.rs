//! Searches Kafka for the records and letters of an event.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use kafka::headers::{HEADER_REDRIVE_ORIGIN, HEADER_REQUEST_ID, HEADER_SOURCE};

use super::partitioner::partition_of;
use super::story;
use super::wanted::{Wanted, letter_id};
use crate::commands::dead_letters::letter::{Kind, Letter};
use crate::commands::dead_letters::marks::{Marks, is_mark};
use crate::commands::log::{LogError, LogReader, Part};
use crate::commands::plain::bytes;
use crate::commands::position::RecordPosition;
use crate::commands::times::{self, Moment};
use crate::config::Config;
use crate::document::id_of;
use crate::message::record::{First, Record};

/// The most records that one search reports, and the most letters.
const MAX_FOUND: usize = 200;

/// The results from Kafka, by the `_id` of the document.
#[derive(Debug, Default)]
pub(super) struct FoundRecords {
    /// The records.
    pub(super) records: BTreeMap<String, Vec<story::Record>>,
    /// The letters.
    pub(super) letters: BTreeMap<String, Vec<story::Letter>>,
    /// Whether there were more results.
    pub(super) is_cut: bool,
}

/// A letter with the topic of its record and the id of its document.
pub(super) struct FoundLetter {
    topic: Option<String>,
    id: String,
    letter: story::Letter,
}

impl FoundRecords {
    /// Returns the ids of all results.
    pub(super) fn ids(&self) -> impl Iterator<Item = String> {
        self.records.keys().chain(self.letters.keys()).cloned()
    }

    /// Takes the letters of `topic` from `letters`, and those without a topic.
    pub(super) fn take_letters(&mut self, topic: &str, letters: &mut Option<Vec<FoundLetter>>) {
        let Some(all) = letters.take() else { return };
        let (own, others): (Vec<FoundLetter>, Vec<FoundLetter>) =
            all.into_iter().partition(|letter| letter.topic.as_ref().is_none_or(|of| of == topic));
        for FoundLetter { id, letter, .. } in own {
            self.letters.entry(id).or_default().push(letter);
        }
        *letters = Some(others);
    }
}

/// Searches the topic of `config` for the records of `wanted`, from `since` on. Uses the position if the id is one,
/// then searches the partition of the key, and then all partitions.
///
/// # Errors
/// [`LogError`].
pub(super) fn records(config: &Config, wanted: &Wanted, since: Moment) -> Result<FoundRecords, LogError> {
    let (reader, topic) = (LogReader::new(config)?, &config.kafka.topic);
    let parts = reader.parts(topic)?;
    let committed = reader.committed(topic, parts.iter().map(|part| part.partition))?;
    let is_committed =
        |partition, offset| committed.get(&partition).copied().flatten().is_some_and(|next| offset < next);
    let mut found = FoundRecords::default();
    let mut count = 0;
    let mut search = |parts: &[Part], found: &mut FoundRecords| {
        reader.scan::<LogError>(topic, parts, |record| {
            if wanted.is_record(topic, record) {
                count += 1;
                let report = record_of(topic, record, is_committed(record.partition.0, record.offset.0));
                found.records.entry(id_of(topic, record)).or_default().push(report);
            }
            found.is_cut = count >= MAX_FOUND;
            Ok(if found.is_cut { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })
    };
    if let Some(first) = wanted.position(topic) {
        let (partition, from) = (first.partition.0, first.offset.0);
        let is_there = |part: &&Part| part.partition == partition && (part.from..part.to).contains(&from);
        let one: Vec<Part> = parts.iter().filter(is_there).map(|part| Part { from, to: from + 1, ..*part }).collect();
        search(&one, &mut found)?;
    }
    let partitions: Vec<i32> = wanted.keys().iter().map(|key| partition_of(key.as_bytes(), parts.len())).collect();
    let (likely, others): (Vec<Part>, Vec<Part>) =
        reader.since(topic, parts, since.0)?.into_iter().partition(|part| partitions.contains(&part.partition));
    if found.records.is_empty() {
        search(&likely, &mut found)?;
    }
    if found.records.is_empty() {
        search(&others, &mut found)?;
    }
    Ok(found)
}

fn record_of(topic: &str, record: &Record<'_>, committed: bool) -> story::Record {
    let header = |name: &str| record.headers.get(name).map(bytes);
    story::Record {
        at: RecordPosition { topic: topic.to_owned(), partition: record.partition.0, offset: record.offset.0 },
        received: First::of(topic, record).timestamp.map(times::text),
        source: header(HEADER_SOURCE),
        request_id: header(HEADER_REQUEST_ID),
        redriven_from: header(HEADER_REDRIVE_ORIGIN),
        committed,
    }
}

/// Searches the dead-letter topic and the quarantine of `config` for the letters of `wanted`, from `since` on. Also
/// returns the problems of topics that cannot be read.
///
/// # Errors
/// [`LogError`], if the client cannot be created.
pub(super) fn letters(
    config: &Config,
    wanted: &Wanted,
    since: Moment,
) -> Result<(Vec<FoundLetter>, Vec<String>), LogError> {
    let reader = LogReader::new(config)?;
    let kafka = &config.kafka;
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for (topic, kind) in [(&kafka.dead_letter_topic, Kind::DeadLetter), (&kafka.quarantine_topic, Kind::Quarantined)] {
        match letters_in(&reader, topic, kind, wanted, since) {
            Ok(letters) => found.extend(letters),
            // Without a quarantine in a receiver, the topic does not exist.
            Err(LogError::Missing(_)) if kind == Kind::Quarantined => {}
            Err(error) => problems.push(error.to_string()),
        }
    }
    Ok((found, problems))
}

fn letters_in(
    reader: &LogReader,
    topic: &str,
    kind: Kind,
    wanted: &Wanted,
    since: Moment,
) -> Result<Vec<FoundLetter>, LogError> {
    let parts = reader.parts(topic)?;
    let parts = reader.since(topic, parts, since.0)?;
    let marks = Marks::read(reader, topic, &parts)?;
    let mut found = Vec::new();
    reader.scan::<LogError>(topic, &parts, |record| {
        let letter = Letter::of(topic, kind, record);
        if !is_mark(record) && wanted.is_letter(&letter) {
            let state = marks.state(record.partition.0, record.offset.0);
            let id = letter_id(&letter).or_else(|| letter.key_text());
            let id = id.or_else(|| letter.request_id().map(str::to_owned)).unwrap_or_default();
            found.push(FoundLetter {
                topic: letter.origin_topic().map(str::to_owned),
                id,
                letter: letter_of(letter, state),
            });
        }
        Ok(if found.len() >= MAX_FOUND { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok(found)
}

fn letter_of(letter: Letter, state: crate::commands::dead_letters::marks::LetterState) -> story::Letter {
    story::Letter {
        kind: letter.kind,
        state,
        written: letter.written.map(times::text),
        source: letter.source().map(str::to_owned),
        request_id: letter.request_id().map(str::to_owned),
        error_type: letter.error_type().to_owned(),
        reason: letter.reason().to_owned(),
        at: letter.at,
    }
}
