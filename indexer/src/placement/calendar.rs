//! The indices of the strategy `time`: a name by the placement time, unless the lifecycle deletes an index of that name
//! at once. Pure.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use config::{Expired, Placement};

use super::pattern::Pattern;
use super::time::millis;
use crate::message::target::{Age, NoPlace, Target};

/// A day in milliseconds.
const DAY: i64 = 86_400_000;

/// How long the lifecycle keeps an index after the date in its name; for ever, if nobody said.
#[derive(Debug)]
pub struct Retention(AtomicI64);

/// Which index a document lands in, by its placement time and by what the lifecycle keeps.
#[derive(Clone, Debug)]
pub struct Calendar {
    pattern: Pattern,
    expired: Expired,
    retention: Arc<Retention>,
    max_ahead: i64,
}

/// The index of a placement time, and the first and the last placement time for which it may be remembered.
pub(crate) type Found = (Target, i64, i64);

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
            max_ahead: millis(placement.max_ahead),
        }
    }

    /// Returns the index that documents of `now` (milliseconds since the Unix epoch) go to.
    pub fn current(&self, now: i64) -> String {
        self.pattern.name(now)
    }

    /// Returns the names of the indices.
    pub fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// Returns whether the index `name` is the one of the name `own`, or was made of it.
    pub fn is_of(name: &str, own: &str) -> bool {
        name.strip_suffix(own).is_some_and(|prefix| prefix.is_empty() || prefix.ends_with('-'))
    }

    /// Returns the index of placement time `time` at the time `now`, both in milliseconds since the Unix epoch.
    ///
    /// An index whose date and retention are past is deleted as soon as it is made. What belongs there is expired. With
    /// `expired: oldest` it goes to the oldest index that stays for now.
    pub(crate) fn place(&self, time: i64, now: i64) -> Result<Found, NoPlace> {
        if time > now.saturating_add(self.max_ahead) {
            return Err(NoPlace::Future);
        }
        let kept_from = self.kept_from(now);
        if time < kept_from {
            return match self.expired {
                Expired::Oldest => Ok((self.target(kept_from, Age::Expired), i64::MAX, i64::MIN)),
                Expired::Skip => Err(NoPlace::Skip),
                Expired::DeadLetter => Err(NoPlace::DeadLetter),
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
        Target { index: Arc::from(self.pattern.name(time)), look_up: false, age }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-28T10:00:00Z
    const NOW: i64 = 1_795_860_000_000;

    fn calendar(expired: Expired, days: Option<i64>) -> Calendar {
        let retention = Retention::default();
        retention.set(days.map(|days| days * DAY));
        let placement = Placement { expired, ..Placement::default() };
        Calendar::new("e", &placement, Arc::new(retention))
    }

    fn name(calendar: &Calendar, time: i64) -> String {
        calendar.place(time, NOW).unwrap().0.index.to_string()
    }

    #[test]
    fn what_the_lifecycle_would_delete_at_once_is_expired() {
        for expired in [Expired::Skip, Expired::DeadLetter] {
            let calendar = calendar(expired, Some(7));
            let no_place = if expired == Expired::Skip { NoPlace::Skip } else { NoPlace::DeadLetter };
            for time in [0, 1_767_323_045, NOW - 10 * DAY, NOW - 7 * DAY, -5, i64::MIN] {
                assert_eq!(calendar.place(time, NOW), Err(no_place), "{time}");
            }
            assert_eq!(name(&calendar, NOW - 6 * DAY), "e-2026.11.22");
        }
    }

    #[test]
    fn with_oldest_it_goes_to_the_oldest_index_that_stays() {
        let calendar = calendar(Expired::Oldest, Some(7));
        let (target, from, until) = calendar.place(0, NOW).unwrap();
        assert_eq!((&*target.index, target.age), ("e-2026.11.22", Age::Expired));
        assert!(from > until, "it is not remembered: tomorrow it is another one");
    }

    #[test]
    fn without_a_policy_that_deletes_every_time_has_its_index() {
        let calendar = calendar(Expired::Skip, None);
        assert_eq!(name(&calendar, 0), "e-1970.01.01");
        for (time, age) in [(NOW, Age::Current), (NOW - DAY, Age::Previous), (NOW - 2 * DAY, Age::Older)] {
            assert_eq!(calendar.place(time, NOW).unwrap().0.age, age);
        }
    }

    #[test]
    fn today_is_kept_however_short_the_retention() {
        let calendar = calendar(Expired::DeadLetter, Some(0));
        assert_eq!(name(&calendar, NOW), "e-2026.11.28");
    }

    #[test]
    fn what_is_far_ahead_has_no_index() {
        assert_eq!(calendar(Expired::Oldest, None).place(NOW + DAY, NOW), Err(NoPlace::Future));
    }
}
