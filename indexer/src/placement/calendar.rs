//! The indices of the strategy `time`: the placement time gives the name, unless the lifecycle would delete that
//! index immediately. Pure.

use std::collections::HashSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::pattern::Pattern;
use super::time::millis;
use crate::config::{Expired, Placement};
use crate::message::target::{Age, NoPlacement, Route, Target};

/// A day in milliseconds.
const DAY: i64 = 86_400_000;

/// How long the lifecycle keeps an index after the date in its name. Unlimited until it is set.
#[derive(Debug)]
pub struct Retention(AtomicI64);

/// The names of indices that exist only as copies: restored, cloned or reindexed under another name.
#[derive(Debug, Default)]
struct Copies(RwLock<HashSet<String>>);

/// Decides which index a document goes to, by its placement time and the lifecycle's retention.
#[derive(Clone, Debug)]
pub struct Calendar {
    pattern: Pattern,
    expired: Expired,
    retention: Arc<Retention>,
    copies: Arc<Copies>,
    max_ahead: i64,
}

/// The index of a placement time, with the first and the last placement time for which it may be cached.
pub(crate) type DatedPlacement = (Target, i64, i64);

impl Default for Retention {
    fn default() -> Self {
        Self(AtomicI64::new(i64::MAX))
    }
}

impl Retention {
    /// Sets the retention in milliseconds; `None` means unlimited.
    pub fn set(&self, millis: Option<i64>) {
        self.0.store(millis.unwrap_or(i64::MAX), Ordering::Relaxed);
    }

    /// Returns the retention in milliseconds, or `None` if it is unlimited.
    pub fn get(&self) -> Option<i64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|millis| *millis < i64::MAX)
    }
}

impl Calendar {
    /// Creates the calendar of `index` with the names of the config and this `retention`.
    pub fn new(index: &str, placement: &Placement, retention: Arc<Retention>) -> Self {
        Self {
            pattern: Pattern::new(index, &placement.time_pattern),
            expired: placement.expired,
            retention,
            copies: Arc::default(),
            max_ahead: millis(placement.max_ahead),
        }
    }

    /// Returns the index that documents of the time `now` (milliseconds since the Unix epoch) go to.
    pub fn current(&self, now: i64) -> String {
        self.pattern.name(now)
    }

    /// Sets the `names` of indices that exist only as copies. Documents for such an index are looked up in its copy,
    /// because the first one written would create an index of that name beside it.
    pub fn note_copies(&self, names: HashSet<String>) {
        *self.copies.0.write().unwrap_or_else(PoisonError::into_inner) = names;
    }

    fn is_copied(&self, name: &str) -> bool {
        self.copies.0.read().unwrap_or_else(PoisonError::into_inner).contains(name)
    }

    /// Returns the pattern of the names.
    pub fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// Returns the index of placement time `time` at the time `now`, both in milliseconds since the Unix epoch.
    ///
    /// If the retention of an index has passed, it would be deleted as soon as it is created. Its documents are
    /// expired. With `expired: oldest` they go to the oldest index that is kept.
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
        // The oldest index that is kept, and the current index, change with the clock.
        match age {
            Age::Current => Ok((target, from, until)),
            Age::Previous | Age::Older | Age::Expired => Ok((target, i64::MAX, i64::MIN)),
        }
    }

    /// Returns the first placement time whose index the lifecycle keeps. Ages count from midnight of the date in the
    /// name, even if the name has finer units. Today's index never counts as expired.
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
