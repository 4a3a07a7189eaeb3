//! `dead-letters drop`: gives open letters up.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;

use serde::Serialize;

use super::DeadLetterError;
use super::filter::{Filter, Which};
use super::letter::Letter;
use super::marks::{LetterState, Marks, Offsets, is_mark};
use super::transactions::{Outgoing, Transactions};
use crate::commands::log::LogReader;
use crate::commands::plain::plain;
use crate::config::Config;

/// The result of a drop.
#[derive(Debug, Serialize)]
pub(super) struct Dropped {
    /// The topic of the letters.
    topic: String,
    /// Whether the letters are marked; otherwise nothing has changed.
    done: bool,
    /// The number of letters.
    letters: u64,
    /// The letters by error type.
    by_type: BTreeMap<String, u64>,
}

/// Marks the open letters that `filter` selects as dropped if `is_meant`; otherwise only counts them.
///
/// # Errors
/// [`DeadLetterError`].
pub(super) fn run(config: &Config, which: &Which, filter: &Filter, is_meant: bool) -> Result<Dropped, DeadLetterError> {
    let reader = LogReader::new(config)?;
    let (topic, kind) = which.topic(&config.kafka);
    // This must come before the letters are read, so that no redrive can take one of them.
    let transactions = is_meant.then(|| Transactions::begin(config, topic)).transpose()?;
    let parts = reader.parts(topic)?;
    let marks = Marks::read(&reader, topic, &parts)?;
    let mut dropped = Dropped { topic: topic.to_owned(), done: is_meant, letters: 0, by_type: BTreeMap::new() };
    let mut offsets: BTreeMap<i32, Offsets> = BTreeMap::new();
    reader.scan::<DeadLetterError>(topic, &parts, |record| {
        let letter = Letter::of(topic, kind, record);
        let is_open = !is_mark(record) && marks.state(record.partition.0, record.offset.0) == LetterState::Open;
        if is_open && filter.takes(&letter) {
            dropped.letters += 1;
            *dropped.by_type.entry(letter.error_type().to_owned()).or_default() += 1;
            offsets.entry(record.partition.0).or_default().insert(record.offset.0);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    if let Some(transactions) = transactions.filter(|_| !offsets.is_empty()) {
        for (partition, offsets) in &offsets {
            for part in offsets.pieces() {
                transactions.write(topic, vec![Outgoing::mark(topic, *partition, LetterState::Dropped, &part)])?;
            }
        }
    }
    Ok(dropped)
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { topic, letters, .. } = self;
        match self.done {
            true => write!(f, "{letters} letters of {topic} dropped")?,
            false => write!(f, "nothing is dropped: use --yes to drop these {letters} letters of {topic}")?,
        }
        self.by_type.iter().try_for_each(|(error_type, count)| write!(f, "\n{count:>8}  {}", plain(error_type)))
    }
}
