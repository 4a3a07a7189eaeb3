//! What the decoder asks for each record: which index. It remembers the last answer and for which times it holds, so that it is asked
//! of the table, or made of the pattern, only when it changes.

use std::sync::Arc;

use config::{Elasticsearch, Expired, PlacementTime, Strategy};

use super::calendar::Calendar;
use super::keeper::now_millis;
use super::time::Source;
use super::{Keeper, Placed, Table, place, time};

/// An index that documents are sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its name.
    pub index: Arc<str>,
    /// Whether the documents have to be looked up rather than written: see [`Backing::writable`](super::Backing::writable).
    pub look_up: bool,
    /// How old it is.
    pub age: Age,
}

/// How old the index is that a document lands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// It is the newest one, or the only one there is.
    Current,
    /// The one before.
    Previous,
    /// One before that.
    Older,
    /// Its own is deleted, and this is the oldest one left.
    Expired,
}

impl Age {
    /// Every age, for metrics.
    pub const ALL: [Self; 4] = [Self::Current, Self::Previous, Self::Older, Self::Expired];

    /// A short fixed word for metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Previous => "previous",
            Self::Older => "older",
            Self::Expired => "expired",
        }
    }

    /// That of backing index `number` of `count`.
    fn of(number: usize, count: usize) -> Self {
        match count - number {
            0 | 1 => Self::Current,
            2 => Self::Previous,
            _ => Self::Older,
        }
    }
}

/// Why there is no index for a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPlace {
    /// The table has to be read anew first.
    NotYet,
    /// Its index is deleted, and the config says that it is not indexed.
    Skip,
    /// Its index is deleted, and the config says that it is a dead letter.
    DeadLetter,
    /// It is so far in the future that it is not waited for.
    Future,
}

/// Finds the index of each record of one topic.
#[derive(Debug)]
pub struct Placer {
    how: How,
    by: PlacementTime,
    tolerance: i64,
    max_ahead: i64,
    current: Target,
    /// The first and the last placement time that `current` is right for; none while they cross.
    from: i64,
    until: i64,
    /// When the table was read that `current` is made of.
    read_at: i64,
}

#[derive(Debug)]
enum How {
    /// One name for all.
    Fixed,
    Table {
        keeper: Arc<Keeper>,
        expired: Expired,
    },
    Calendar(Calendar),
}

impl Placer {
    /// By the strategy of `settings`. `keeper` has the table, where there is one.
    pub fn new(settings: &Elasticsearch, keeper: &Arc<Keeper>) -> Self {
        let placement = &settings.placement;
        let how = match settings.strategy {
            Strategy::Single | Strategy::DataStream => How::Fixed,
            Strategy::Rollover => How::Table { keeper: Arc::clone(keeper), expired: placement.expired },
            Strategy::Time => How::Calendar(keeper.calendar().clone()),
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

    /// Whether the event's own timestamp is of use.
    pub fn wants_event_time(&self) -> bool {
        self.by == PlacementTime::Event
    }

    /// The placement time of a record whose event's own timestamp and whose own are given.
    pub fn time(&self, event: Option<i64>, record: Option<i64>) -> i64 {
        time::placement_time(event, record, self.tolerance)
    }

    /// Where that comes from. `has_field`: the schema has the field of the event's own timestamp.
    pub fn source(&self, has_field: bool, event: Option<i64>, record: Option<i64>) -> Source {
        match (self.by, has_field) {
            (PlacementTime::Record, _) => Source::Record,
            (PlacementTime::Event, false) => Source::Missing,
            (PlacementTime::Event, true) => Source::of(event, record, self.tolerance),
        }
    }

    /// The index of placement time `time`.
    ///
    /// # Errors
    /// [`NoPlace`].
    pub fn place(&mut self, time: i64) -> Result<&Target, NoPlace> {
        if time < self.from || time > self.until || self.is_outdated() {
            self.find(time)?;
        }
        Ok(&self.current)
    }

    /// Whether there is another table than the one that `current` is made of: its index may be no longer the newest, or writable.
    fn is_outdated(&self) -> bool {
        match &self.how {
            How::Fixed | How::Calendar(_) => false,
            How::Table { keeper, .. } => keeper.read_at() != self.read_at,
        }
    }

    fn find(&mut self, time: i64) -> Result<(), NoPlace> {
        match &self.how {
            How::Fixed => {}
            How::Calendar(calendar) => {
                let (target, from, until) = calendar.place(time, now_millis())?;
                (self.current, self.from, self.until) = (target, from, until);
            }
            How::Table { keeper, expired } => {
                if time > now_millis().saturating_add(self.max_ahead) {
                    return Err(NoPlace::Future);
                }
                let table = keeper.table().ok_or(NoPlace::NotYet)?;
                let found = by_table(&table, time, *expired)?;
                (self.current, self.from, self.until) = found;
                self.read_at = table.read_at();
            }
        }
        Ok(())
    }
}

/// The index of `time` by `table`, and the first and the last placement time that the same goes for.
pub(crate) fn by_table(table: &Table, time: i64, expired: Expired) -> Result<(Target, i64, i64), NoPlace> {
    let backing = table.backing();
    let (number, age) = match (place(table, time), expired) {
        (Placed::In(number), _) => (number, Age::of(number, backing.len())),
        (Placed::NotYet, _) => return Err(NoPlace::NotYet),
        (Placed::Expired, Expired::Oldest) => (0, Age::Expired),
        (Placed::Expired, Expired::Skip) => return Err(NoPlace::Skip),
        (Placed::Expired, Expired::DeadLetter) => return Err(NoPlace::DeadLetter),
    };
    let index = &backing[number];
    let target = Target { index: Arc::clone(&index.name), look_up: !index.writable, age };
    let next = backing.get(number + 1).map_or(i64::MAX, |next| next.start.saturating_sub(1));
    match age {
        Age::Expired => Ok((target, i64::MIN, index.start.saturating_sub(1).min(table.valid_until()))),
        Age::Current | Age::Previous | Age::Older => Ok((target, index.start, next.min(table.valid_until()))),
    }
}
