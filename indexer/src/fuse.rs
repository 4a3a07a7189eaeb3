//! The fuse of the dead-letter topic. When nearly every record turns out to be a dead letter, the fault is probably
//! not in the events but in a deployment (a wrong schema or mapping). Going on would only move the whole topic into
//! the dead-letter topic, so the fuse blows. Pure.

use std::collections::VecDeque;
use std::fmt;

use crate::config::Fuse as Settings;

/// Counts records and dead letters, batch by batch.
#[derive(Debug)]
pub struct Fuse {
    settings: Settings,
    window: VecDeque<Tally>,
    records: u64,
    dead: u64,
    consecutive: u64,
}

/// The counts of one batch.
#[derive(Clone, Copy, Debug)]
struct Tally {
    records: u64,
    dead: u64,
}

/// Why the fuse has blown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Blown {
    /// This many records in a row were dead letters.
    Consecutive(u64),
    /// This many of the records in the window were dead letters.
    Ratio {
        /// Dead letters in the window.
        dead: u64,
        /// Records in the window.
        records: u64,
    },
}

impl Fuse {
    /// Returns a fuse that has not blown.
    pub fn new(settings: Settings) -> Self {
        Self { settings, window: VecDeque::new(), records: 0, dead: 0, consecutive: 0 }
    }

    /// Counts a batch of `records`, of which `dead` are dead letters. Returns the reason if the fuse blows. A batch
    /// without dead letters never blows it.
    pub fn count(&mut self, records: u64, dead: u64) -> Option<Blown> {
        self.slide(Tally { records, dead });
        self.consecutive = match dead {
            dead if dead == records => self.consecutive + dead,
            // The good records interrupt the row.
            dead if self.is_over(records, dead) => 0,
            dead => dead,
        };
        if dead == 0 {
            return None;
        }
        if self.consecutive >= self.settings.max_consecutive {
            return Some(Blown::Consecutive(self.consecutive));
        }
        let is_full = self.records >= self.settings.window;
        let too_many = self.dead as f64 > self.settings.max_ratio * self.records as f64;
        (is_full && too_many).then_some(Blown::Ratio { dead: self.dead, records: self.records })
    }

    /// Returns whether a batch of `records`, of which `dead` are dead letters, shows no fault in a deployment: most of
    /// its records are accepted, and the config tolerates the share of the others.
    pub fn is_over(&self, records: u64, dead: u64) -> bool {
        dead.saturating_mul(2) <= records && dead as f64 <= self.settings.max_ratio * records as f64
    }

    /// Forgets all counts.
    pub fn reset(&mut self) {
        *self = Self::new(self.settings);
    }

    fn slide(&mut self, tally: Tally) {
        self.window.push_back(tally);
        self.records += tally.records;
        self.dead += tally.dead;
        while let Some(first) = self.window.front()
            && self.records - first.records >= self.settings.window
        {
            self.records -= first.records;
            self.dead -= first.dead;
            self.window.pop_front();
        }
    }
}

impl fmt::Display for Blown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Consecutive(dead) => write!(f, "{dead} records in a row would be dead letters"),
            Self::Ratio { dead, records } => write!(f, "{dead} of the last {records} records would be dead letters"),
        }
    }
}

#[cfg(test)]
mod tests;
