//! Selects the letters for a command.

use clap::Args;

use super::letter::{Kind, Letter};
use crate::commands::position::RecordPosition;
use crate::commands::times::{Moment, moment};

/// The filters. A letter must pass all filters that are given.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Filter {
    /// Letters of this error type (`dl.error-type`, such as unknown-schema), or with this text in their reason.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Letters whose record came from this topic.
    #[arg(long)]
    pub(crate) topic: Option<String>,
    /// Letters that were written at this time or later: 2026-01-31T08:00:00Z, 2026-01-31, or 2h for two hours ago.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) from: Option<Moment>,
    /// Letters that were written before this time.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) to: Option<Moment>,
    /// Letters of the event with this id, which is the record's key. May be given several times.
    #[arg(long, value_name = "ID")]
    pub(crate) key: Vec<String>,
    /// Letters of events that this source of the receiver accepted.
    #[arg(long)]
    pub(crate) source: Option<String>,
    /// The letters at these positions: TOPIC:PARTITION:OFFSET, as `list` shows them. May be given several times.
    #[arg(long, value_name = "TOPIC:PARTITION:OFFSET")]
    pub(crate) letter: Vec<RecordPosition>,
}

impl Filter {
    /// Returns whether `letter` passes the filters.
    pub(crate) fn takes(&self, letter: &Letter) -> bool {
        let is = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_ref().is_none_or(|wanted| found == Some(wanted.as_str()))
        };
        let fits_reason = |text: &String| letter.error_type() == text || letter.reason().contains(text.as_str());
        let written = letter.written.unwrap_or(0);
        self.reason.as_ref().is_none_or(fits_reason)
            && is(&self.topic, letter.origin_topic())
            && is(&self.source, letter.source())
            && self.from.is_none_or(|from| written >= from.0)
            && self.to.is_none_or(|to| written < to.0)
            && (self.key.is_empty() || letter.key_text().is_some_and(|key| self.key.contains(&key)))
            && (self.letter.is_empty() || self.letter.contains(&letter.at))
    }
}

/// Selects the topics for a command.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Which {
    /// The quarantine of the receiver, instead of the dead letters of the indexer.
    #[arg(long)]
    pub(crate) quarantine: bool,
    /// The quarantine's topic, if a source has its own. The default is the topic in the config.
    #[arg(long, value_name = "TOPIC", requires = "quarantine")]
    pub(crate) quarantine_topic: Option<String>,
}

impl Which {
    /// Returns the topic to read, and the kind of its letters.
    pub(crate) fn topic<'a>(&'a self, kafka: &'a config::Kafka) -> (&'a str, Kind) {
        let quarantine = self.quarantine_topic.as_ref().unwrap_or(&kafka.quarantine_topic);
        if self.quarantine { (quarantine, Kind::Quarantined) } else { (&kafka.dead_letter_topic, Kind::DeadLetter) }
    }
}

#[cfg(test)]
mod tests;
