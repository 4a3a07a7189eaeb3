//! Finds the index of each record for the decoder. Caches the last answer with the times for which it holds, so that
//! the table or the pattern is consulted only when the answer changes.

use std::sync::Arc;

use crate::backing::BackingIndexCache;
use crate::backing::now_millis;
use crate::config::{Elasticsearch, Expired, PlacementTime, Strategy};
use crate::message::target::{Age, NoPlacement, Target};
use crate::placement::calendar::Calendar;
use crate::placement::time::Source;
use crate::placement::{by_table, time};

/// Finds the index of each record of one topic.
#[derive(Debug)]
pub struct Placer {
    how: How,
    by: PlacementTime,
    tolerance: i64,
    max_ahead: i64,
    current: Target,
    /// The first and the last placement time for which `current` is right; none if `from` is after `until`.
    from: i64,
    until: i64,
    /// When the table for `current` was requested.
    read_at: i64,
}

#[derive(Debug)]
enum How {
    /// One name for all documents.
    Fixed,
    Table {
        index_cache: Arc<BackingIndexCache>,
        expired: Expired,
    },
    Calendar(Calendar),
}

impl Placer {
    /// Creates the placer for the strategy of `settings`. `index_cache` provides the table, if the strategy has one.
    pub fn new(settings: &Elasticsearch, index_cache: &Arc<BackingIndexCache>) -> Self {
        let placement = &settings.placement;
        let how = match settings.strategy {
            Strategy::Single | Strategy::DataStream => How::Fixed,
            Strategy::Rollover => How::Table { index_cache: Arc::clone(index_cache), expired: placement.expired },
            Strategy::Time => How::Calendar(index_cache.calendar().clone()),
        };
        let (from, until) = match how {
            How::Fixed => (i64::MIN, i64::MAX),
            How::Table { .. } | How::Calendar(_) => (i64::MAX, i64::MIN),
        };
        let current = Target { index: Arc::from(settings.index_name.as_str()), look_up: false, age: Age::Current };
        Self {
            how,
            by: placement.time,
            max_ahead: time::millis(placement.max_ahead),
            tolerance: time::tolerance(placement.margin),
            current,
            from,
            until,
            read_at: i64::MIN,
        }
    }

    /// Returns whether the event's own timestamp is used.
    pub fn wants_event_time(&self) -> bool {
        self.by == PlacementTime::Event
    }

    /// Returns the placement time for the event's own timestamp and the record's.
    pub fn time(&self, event: Option<i64>, record: Option<i64>) -> i64 {
        time::placement_time(event, record, self.tolerance)
    }

    /// Returns the source of the placement time. `has_field` says whether the schema has the timestamp field.
    pub fn source(&self, has_field: bool, event: Option<i64>, record: Option<i64>) -> Source {
        match (self.by, has_field) {
            (PlacementTime::Record, _) => Source::Record,
            (PlacementTime::Event, false) => Source::Missing,
            (PlacementTime::Event, true) => Source::of(event, record, self.tolerance),
        }
    }

    /// Returns the index of placement time `time`.
    ///
    /// # Errors
    /// [`NoPlacement`].
    pub fn place(&mut self, time: i64) -> Result<&Target, NoPlacement> {
        if time < self.from || time > self.until || self.is_outdated() {
            self.find(time)?;
        }
        Ok(&self.current)
    }

    /// Returns whether there is a newer table than that of `current`, whose index may no longer be the newest or
    /// writable.
    fn is_outdated(&self) -> bool {
        match &self.how {
            How::Fixed | How::Calendar(_) => false,
            How::Table { index_cache, .. } => index_cache.read_at() != self.read_at,
        }
    }

    fn find(&mut self, time: i64) -> Result<(), NoPlacement> {
        match &self.how {
            How::Fixed => {}
            How::Calendar(calendar) => {
                let (target, from, until) = calendar.place(time, now_millis())?;
                (self.current, self.from, self.until) = (target, from, until);
            }
            How::Table { index_cache, expired } => {
                if time > now_millis().saturating_add(self.max_ahead) {
                    return Err(NoPlacement::Future);
                }
                let table = index_cache.table().ok_or(NoPlacement::NotYet)?;
                let found = by_table(&table, time, *expired)?;
                (self.current, self.from, self.until) = found;
                self.read_at = table.read_at();
            }
        }
        Ok(())
    }
}
