//! The indices of the strategy `time`: a name by the placement time, unless the lifecycle deletes an index of that name
//! at once. Pure.

use std::collections::HashSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::pattern::Pattern;
use super::time::millis;
use crate::config::{Expired, Placement};
use crate::message::target::{Age, NoPlacement, Route, Target};

/// A day in milliseconds.
const DAY: i64 = 86_400_000;

/// How long the lifecycle keeps an index after the date in its name; for ever, if nobody said.
#[derive(Debug)]
pub struct Retention(AtomicI64);

/// The names of indices of which there is only a copy: restored, cloned or reindexed under another name.
#[derive(Debug, Default)]
struct Copies(RwLock<HashSet<String>>);

/// Which index a document lands in, by its placement time and by what the lifecycle keeps.
#[derive(Clone, Debug)]
pub struct Calendar {
    pattern: Pattern,
    expired: Expired,
    retention: Arc<Retention>,
    copies: Arc<Copies>,
    max_ahead: i64,
}

/// The index of a placement time, and the first and the last placement time for which it may be remembered.
pub(crate) type DatedPlacement = (Target, i64, i64);

impl Default for Retention {
    fn default() -> Self {
        Self(AtomicI64::new(i64::MAX))
    }
}

impl Retention {
    /// Notes how long, in milliseconds; none: for ever.
    pub fn set(&self, millis: Option<i64>) {
        self.0.store(millis.unwrap_or(i64::MAX), Ordering::Relaxed);
    }

    /// Returns how long, in milliseconds.
    pub fn get(&self) -> Option<i64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|millis| *millis < i64::MAX)
    }
}

impl Calendar {
    /// Returns the names of `index` by the config, kept as long as `retention` says.
    pub fn new(index: &str, placement: &Placement, retention: Arc<Retention>) -> Self {
        Self {
            pattern: Pattern::new(index, &placement.time_pattern),
            expired: placement.expired,
            retention,
            copies: Arc::default(),
            max_ahead: millis(placement.max_ahead),
        }
    }

    /// Returns the index that documents of `now` (milliseconds since the Unix epoch) go to.
    pub fn current(&self, now: i64) -> String {
        self.pattern.name(now)
    }

    /// Notes the `names` of indices of which there is only a copy. Documents that belong there are looked up in it; the
    /// first one written would make an index of that name beside it.
    pub fn note_copies(&self, names: HashSet<String>) {
        *self.copies.0.write().unwrap_or_else(PoisonError::into_inner) = names;
    }

    fn is_copied(&self, name: &str) -> bool {
        self.copies.0.read().unwrap_or_else(PoisonError::into_inner).contains(name)
    }

    /// Returns the names of the indices.
    pub fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// Returns the index of placement time `time` at the time `now`, both in milliseconds since the Unix epoch.
    ///
    /// An index whose date and retention are past is deleted as soon as it is made. What belongs there is expired. With
    /// `expired: oldest` it goes to the oldest index that stays for now.
    pub(crate) fn place(&self, time: i64, now: i64) -> Result<DatedPlacement, NoPlacement> {
        if time > now.saturating_add(self.max_ahead) {
            return Err(NoPlacement::Future);
        }
        let kept_from = self.kept_from(now);
        if time < kept_from {
            return match self.expired {
                Expired::Oldest => Ok((self.target(kept_from, Age::Expired), i64::MAX, i64::MIN)),
                Expired::Skip => Err(NoPlacement::Skip),
                Expired::DeadLetter => Err(NoPlacement::DeadLetter),
            };
        }
        let (from, until) = self.pattern.span(time);
        let age = self.age(from, now);
        let target = self.target(time, age);
        // Which index is the oldest that stays, and which is current, changes with the clock.
        match age {
            Age::Current => Ok((target, from, until)),
            Age::Previous | Age::Older | Age::Expired => Ok((target, i64::MAX, i64::MIN)),
        }
    }

    /// Returns the first placement time whose index the lifecycle keeps. Ages count from the date in the name, a day at
    /// its midnight, whatever finer units follow. Today's index is never called expired.
    fn kept_from(&self, now: i64) -> i64 {
        let Some(retention) = self.retention.get() else { return i64::MIN };
        let last_gone = now.saturating_sub(retention).div_euclid(DAY).saturating_mul(DAY);
        let today = now.div_euclid(DAY).saturating_mul(DAY);
        last_gone.saturating_add(DAY).min(today)
    }

    fn age(&self, from: i64, now: i64) -> Age {
        let (current, _) = self.pattern.span(now);
        let (previous, _) = self.pattern.span(current.saturating_sub(1));
        match from {
            _ if from >= current => Age::Current,
            _ if from >= previous => Age::Previous,
            _ => Age::Older,
        }
    }

    fn target(&self, time: i64, age: Age) -> Target {
        let name = self.pattern.name(time);
        let look_up = age != Age::Current && self.is_copied(&name);
        Target { index: Arc::from(name), route: Route::default(), look_up, age }
    }
}

#[cfg(test)]
mod tests;
