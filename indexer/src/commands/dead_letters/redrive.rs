//! `dead-letters redrive`: writes the records of letters to their original topics again, to be decoded by today's
//! schema and rules.
//!
//! A redriven record has the key, value and headers of the original, and the header `redrive.origin`, from which its
//! document gets the original id and time ([`First`]). Record and mark are written in one transaction
//! ([`transactions`](super::transactions)), so that no letter is redriven twice.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use kafka::headers::{HEADER_ID_SCOPE, HEADER_REDRIVE_COUNT, HEADER_REDRIVE_ORIGIN, HEADER_SOURCE};
use rdkafka::message::{Header, OwnedHeaders};

use super::DeadLetterError;
use super::filter::Filter;
use super::letter::{Kind, Letter};
use super::marks::{LetterState, Marks, Offsets, Sent, is_mark};
use super::outcome::Redriven;
use super::transactions::{Landed, Outgoing, TransactionError, Transactions};
use crate::commands::log::{LogReader, Part};
use crate::commands::position::RecordPosition;
use crate::config::Config;
use crate::message::record::First;

/// The most letters in one transaction.
const MAX_LETTERS: usize = 100;
/// The most bytes of letters in one transaction. A single letter may be larger.
const MAX_BYTES: usize = 4 << 20;

/// How often a record is written again that librdkafka dropped because the previous transaction had failed.
const MAX_PURGES: u32 = 3;

/// The options of a redrive.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct How {
    /// Write nothing, and count.
    pub(super) dry_run: bool,
    /// The most records per second.
    pub(super) rate: Option<u32>,
    /// Whether ids are qualified by the source.
    pub(super) scope_ids: bool,
}

/// Runs one redrive.
pub(super) struct Redrive<'a> {
    config: &'a Config,
    /// The topics that records may go to, with their numbers of partitions.
    topics: BTreeMap<String, usize>,
    how: How,
    /// Reads the original records of letters that have only a part of them.
    originals: LogReader,
    transactions: Option<Transactions>,
    began: Instant,
    batch: Vec<Ready>,
    /// The records redriven in this run: one record may have two letters.
    taken: Sent,
    sent: Sent,
    report: Redriven,
}

/// A letter whose record can be written.
struct Ready {
    /// The position of the letter.
    at: RecordPosition,
    /// Where the record goes.
    topic: String,
    /// The record's original partition; `None` if the topic has fewer partitions now.
    partition: Option<i32>,
    first: First,
    /// How often it was redriven before.
    redrives: u32,
    /// Whether another letter of this run has the same record.
    is_repeat: bool,
    /// The letter with its complete record.
    letter: Letter,
}

impl<'a> Redrive<'a> {
    /// Prepares to redrive letters from the dead-letter topic of `config` to the topics that the indexer consumes.
    ///
    /// # Errors
    /// [`DeadLetterError`], if Kafka fails.
    pub(super) fn begin(config: &'a Config, how: How) -> Result<Self, DeadLetterError> {
        let originals = LogReader::new(config)?;
        let mut topics = BTreeMap::new();
        for of_topic in config.of_topics() {
            let partitions = originals.parts(&of_topic.kafka.topic)?.len();
            topics.insert(of_topic.kafka.topic, partitions);
        }
        // This must come before the marks are read: another redrive can no longer commit what it has begun.
        let begin = || Transactions::begin(config, &config.kafka.dead_letter_topic);
        let transactions = if how.dry_run { None } else { Some(begin()?) };
        Ok(Self {
            config,
            topics,
            how,
            originals,
            transactions,
            began: Instant::now(),
            batch: Vec::new(),
            taken: Sent::new(),
            sent: Sent::new(),
            report: Redriven { dry_run: how.dry_run, ..Redriven::default() },
        })
    }

    /// Redrives the open letters that `filter` selects. Calls `progress` with the numbers of letters read and records
    /// written. Returns the report so far, and the positions of the records.
    ///
    /// # Errors
    /// [`DeadLetterError`]. Letters redriven before that are marked.
    pub(super) fn run(
        mut self,
        reader: &LogReader,
        filter: &Filter,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<(Redriven, Sent), DeadLetterError> {
        let topic = self.config.kafka.dead_letter_topic.clone();
        let parts = reader.parts(&topic)?;
        let marks = Marks::read(reader, &topic, &parts)?;
        reader.scan::<DeadLetterError>(&topic, &parts, |record| {
            self.report.read += 1;
            let is_open = marks.state(record.partition.0, record.offset.0) == LetterState::Open && !is_mark(record);
            if is_open {
                let letter = Letter::of(&topic, Kind::DeadLetter, record);
                if filter.takes(&letter) {
                    self.take(letter)?;
                }
            }
            progress(self.report.read, self.report.redriven);
            Ok(ControlFlow::Continue(()))
        })?;
        self.send()?;
        Ok((self.report, self.sent))
    }

    /// Adds `letter` to the batch, and sends the batch if it is full.
    fn take(&mut self, letter: Letter) -> Result<(), DeadLetterError> {
        self.report.letters += 1;
        let error_type = letter.error_type().to_owned();
        let ready = match self.ready(letter) {
            Ok(ready) => ready,
            Err(why) => return self.report.refuse(why),
        };
        *self.report.by_type.entry(error_type).or_default() += 1;
        self.batch.push(ready);
        let most = self.how.rate.map_or(MAX_LETTERS, |rate| MAX_LETTERS.min(rate as usize).max(1));
        let bytes: usize = self.batch.iter().map(|ready| ready.letter.bytes()).sum();
        if self.batch.len() >= most || bytes >= MAX_BYTES { self.send() } else { Ok(()) }
    }

    /// Returns what to write for `letter`, or why that is impossible.
    fn ready(&mut self, letter: Letter) -> Result<Ready, String> {
        const NAMELESS: &str = "the letter does not name its record (dl.topic, dl.partition, dl.offset)";
        let (position, first) = letter.record_position().zip(letter.first()).ok_or(NAMELESS)?;
        let RecordPosition { topic, partition, offset } = position.clone();
        let Some(partitions) = self.topics.get(&topic).copied() else {
            return Err(format!("topic {topic} is not consumed by this config (kafka.topic, indexer.topics)"));
        };
        let (at, redrives) = (letter.at.clone(), letter.redrives());
        let letter = if letter.is_cut() { self.whole(&letter, &position)? } else { letter };
        // A crash of an indexer may leave two letters of one record.
        let is_repeat = !self.taken.entry((topic.clone(), partition)).or_default().insert(offset);
        let is_there = usize::try_from(first.partition.0).is_ok_and(|number| number < partitions);
        let partition = is_there.then_some(first.partition.0);
        Ok(Ready { at, topic, partition, first, redrives, is_repeat, letter })
    }

    /// Returns `letter` with key, value and headers of its record, which must still be in its topic.
    fn whole(&self, letter: &Letter, position: &RecordPosition) -> Result<Letter, String> {
        const GONE: &str = "the letter lacks a part of its record, and the record is no longer in its topic";
        let RecordPosition { topic, partition, offset } = position;
        let one = [Part { partition: *partition, from: *offset, to: offset + 1 }];
        let mut found = None;
        let scanned = self.originals.scan::<DeadLetterError>(topic, &one, |record| {
            found = (record.offset.0 == *offset).then(|| Letter::of(topic, Kind::DeadLetter, record));
            Ok(ControlFlow::Break(()))
        });
        scanned.map_err(|error| error.to_string())?;
        let original = found.ok_or(GONE)?;
        // In a re-created topic, another record has this position. The letter of a redriven record has the time of
        // its first writing.
        let timestamp = letter.header("dl.timestamp").and_then(|timestamp| timestamp.parse().ok());
        let is_it = original.redrives() > 0 || original.written == timestamp;
        is_it.then_some(original).ok_or_else(|| GONE.to_owned())
    }

    /// Sends the batch in one transaction, or one by one if Kafka refuses one of its records.
    fn send(&mut self) -> Result<(), DeadLetterError> {
        let batch = std::mem::take(&mut self.batch);
        match self.write(&batch) {
            Err(TransactionError::Record(_) | TransactionError::Purged(_)) if batch.len() > 1 => {
                for ready in &batch {
                    self.send_one(ready)?;
                }
            }
            outcome => self.note(outcome)?,
        }
        self.keep_rate();
        Ok(())
    }

    fn send_one(&mut self, ready: &Ready) -> Result<(), DeadLetterError> {
        let mut outcome = self.write(std::slice::from_ref(ready));
        for _ in 0..MAX_PURGES {
            if !matches!(outcome, Err(TransactionError::Purged(_))) {
                break;
            }
            outcome = self.write(std::slice::from_ref(ready));
        }
        self.note(outcome)
    }

    fn note(&mut self, outcome: Result<(), TransactionError>) -> Result<(), DeadLetterError> {
        match outcome {
            Ok(()) => Ok(()),
            Err(TransactionError::Record(error)) => self.report.refuse(format!("its topic does not take it: {error}")),
            Err(TransactionError::Purged(error)) => self.report.refuse(format!("it was not sent; try again: {error}")),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes the records of `batch`, and the marks of its letters.
    fn write(&mut self, batch: &[Ready]) -> Result<(), TransactionError> {
        let new: Vec<&Ready> = batch.iter().filter(|ready| !ready.is_repeat).collect();
        if let Some(transactions) = &self.transactions
            && !batch.is_empty()
        {
            let letters = &self.config.kafka.dead_letter_topic;
            let records =
                new.iter().map(|ready| ready.outgoing(self.how.scope_ids)).chain(marks_of(batch, letters)).collect();
            let landed = transactions.write(letters, records)?;
            for (ready, Landed { partition, offset }) in new.iter().zip(landed) {
                self.sent.entry((ready.topic.clone(), partition)).or_default().insert(offset);
            }
        }
        self.report.redriven += new.len() as u64;
        self.report.repeated += (batch.len() - new.len()) as u64;
        Ok(())
    }

    /// Waits until the rate allows more records.
    fn keep_rate(&self) {
        let Some(rate) = self.how.rate.filter(|_| !self.how.dry_run) else { return };
        let due = Duration::from_secs_f64(self.report.redriven as f64 / f64::from(rate.max(1)));
        std::thread::sleep(due.saturating_sub(self.began.elapsed()));
    }
}

impl Ready {
    /// Returns the record, with its original position and the number of redrives in its headers. With `scope_ids`,
    /// its id is qualified by its source.
    fn outgoing(&self, scope_ids: bool) -> Outgoing<'_> {
        let mut headers = OwnedHeaders::new();
        for (key, value) in self.letter.record_headers() {
            if ![HEADER_REDRIVE_ORIGIN, HEADER_REDRIVE_COUNT, HEADER_ID_SCOPE].contains(&key) {
                headers = headers.insert(Header { key, value });
            }
        }
        let scope =
            self.letter.header(HEADER_ID_SCOPE).or_else(|| self.letter.header(HEADER_SOURCE).filter(|_| scope_ids));
        if let Some(scope) = scope {
            headers = headers.insert(Header { key: HEADER_ID_SCOPE, value: Some(scope) });
        }
        let origin = self.first.header(&self.topic);
        let count = self.redrives.saturating_add(1).to_string();
        headers = headers.insert(Header { key: HEADER_REDRIVE_ORIGIN, value: Some(&origin) });
        headers = headers.insert(Header { key: HEADER_REDRIVE_COUNT, value: Some(&count) });
        Outgoing {
            topic: &self.topic,
            partition: self.partition,
            key: self.letter.key.as_deref(),
            value: self.letter.value.as_deref().map(Cow::Borrowed),
            headers,
        }
    }
}

/// Returns the marks for the letters of `batch` in the topic `letters`: one per partition.
fn marks_of<'a>(batch: &[Ready], letters: &'a str) -> Vec<Outgoing<'a>> {
    let mut offsets: BTreeMap<i32, Offsets> = BTreeMap::new();
    for ready in batch {
        offsets.entry(ready.at.partition).or_default().insert(ready.at.offset);
    }
    offsets
        .into_iter()
        .map(|(partition, offsets)| Outgoing::mark(letters, partition, LetterState::Redriven, &offsets))
        .collect()
}
