//! Chooses the index of each record for the decoder. It caches the last index of each index set, with the placement
//! times for which it is right, so that table and pattern are used only when the index changes.

use std::sync::Arc;

use crate::backing::BackingIndexCache;
use crate::backing::ServerClock;
use crate::backing::now_millis;
use crate::config::{Elasticsearch, Expired, PlacementTime, Strategy};
use crate::message::target::{Age, NoPlacement, Route, Target};
use crate::placement::calendar::Calendar;
use crate::placement::time::Source;
use crate::placement::{by_table, time};

/// Finds the index of each record of one topic.
#[derive(Debug)]
pub struct Placer {
    time_from: PlacementTime,
    tolerance: i64,
    max_ahead: i64,
    /// Confirms that a record is too far ahead; `None` if this host's clock alone decides.
    clock: Option<Arc<ServerClock>>,
    /// One for each index set, by its number.
    sets: Vec<SetPlacer>,
}

/// Finds the index of each record of one index set.
#[derive(Debug)]
struct SetPlacer {
    rule: Rule,
    current: Target,
    /// The first and the last placement time for which `current` is right. There is no such time if `from` is after
    /// `until`.
    from: i64,
    until: i64,
    /// When the table for `current` was requested.
    read_at: i64,
}

/// How the index follows from the placement time.
#[derive(Debug)]
enum Rule {
    /// One name for all documents.
    Fixed,
    Table {
        index_cache: Arc<BackingIndexCache>,
        expired: Expired,
    },
    Calendar(Calendar),
}

impl Placer {
    /// Creates a placer by the strategy of `settings`. `index_caches` has the cache of each index set, in their order.
    pub fn new<'a>(
        settings: &Elasticsearch,
        index_caches: impl IntoIterator<Item = &'a Arc<BackingIndexCache>>,
    ) -> Self {
        let placement = &settings.placement;
        let sets = (0..).map(Route).zip(index_caches).map(|(route, cache)| SetPlacer::new(settings, route, cache));
        Self {
            time_from: placement.time,
            max_ahead: time::millis(placement.max_ahead),
            tolerance: time::tolerance(placement.margin),
            clock: None,
            sets: sets.collect(),
        }
    }

    /// Returns the placer with `clock`, which must confirm that a record is too far ahead.
    #[must_use]
    pub fn confirmed_by(self, clock: Arc<ServerClock>) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// Returns whether the event's own timestamp is used.
    pub fn wants_event_time(&self) -> bool {
        self.time_from == PlacementTime::Event
    }

    /// Returns the placement time for the event's own timestamp and the record's.
    pub fn time(&self, event: Option<i64>, record: Option<i64>) -> i64 {
        time::placement_time(event, record, self.tolerance)
    }

    /// Returns the source of the placement time. `has_field` says whether the schema has the timestamp field.
    pub fn source(&self, has_field: bool, event: Option<i64>, record: Option<i64>) -> Source {
        match (self.time_from, has_field) {
            (PlacementTime::Record, _) => Source::Record,
            (PlacementTime::Event, false) => Source::Missing,
            (PlacementTime::Event, true) => Source::of(event, record, self.tolerance),
        }
    }

    /// Returns the index of placement time `time` in the index set `route`.
    ///
    /// # Errors
    /// [`NoPlacement`].
    pub fn place(&mut self, route: Route, time: i64) -> Result<&Target, NoPlacement> {
        // Every route has one.
        let set = self.sets.get_mut(usize::from(route.0)).ok_or(NoPlacement::NotYet)?;
        match set.place(time, self.max_ahead) {
            Err(NoPlacement::Future) if self.clock.as_ref().is_some_and(|clock| !clock.confirms(time)) => {
                Err(NoPlacement::NotYet)
            }
            placed => placed,
        }
    }
}

impl SetPlacer {
    fn new(settings: &Elasticsearch, route: Route, index_cache: &Arc<BackingIndexCache>) -> Self {
        let rule = match settings.strategy {
            Strategy::Single | Strategy::DataStream => Rule::Fixed,
            Strategy::Rollover => {
                Rule::Table { index_cache: Arc::clone(index_cache), expired: settings.placement.expired }
            }
            Strategy::Time => Rule::Calendar(index_cache.calendar().clone()),
        };
        let (from, until) = match rule {
            Rule::Fixed => (i64::MIN, i64::MAX),
            Rule::Table { .. } | Rule::Calendar(_) => (i64::MAX, i64::MIN),
        };
        let current = Target { index: Arc::from(index_cache.index().name()), route, look_up: false, age: Age::Current };
        Self { rule, current, from, until, read_at: i64::MIN }
    }

    fn place(&mut self, time: i64, max_ahead: i64) -> Result<&Target, NoPlacement> {
        if time < self.from || time > self.until || self.is_outdated() {
            self.find(time, max_ahead)?;
        }
        Ok(&self.current)
    }

    /// Returns whether there is a newer table than that of `current`, whose index may no longer be the newest or
    /// writable.
    fn is_outdated(&self) -> bool {
        match &self.rule {
            Rule::Fixed | Rule::Calendar(_) => false,
            Rule::Table { index_cache, .. } => index_cache.read_at() != self.read_at,
        }
    }

    fn find(&mut self, time: i64, max_ahead: i64) -> Result<(), NoPlacement> {
        let (target, from, until) = match &self.rule {
            Rule::Fixed => return Ok(()),
            Rule::Calendar(calendar) => calendar.place(time, now_millis())?,
            Rule::Table { index_cache, expired } => {
                if time > now_millis().saturating_add(max_ahead) {
                    return Err(NoPlacement::Future);
                }
                let table = index_cache.table().ok_or(NoPlacement::NotYet)?;
                let found = by_table(&table, time, *expired)?;
                self.read_at = table.read_at();
                found
            }
        };
        self.current = Target { route: self.current.route, ..target };
        (self.from, self.until) = (from, until);
        Ok(())
    }
}
