//! Caches the [`Table`] of backing indices. Reads it from Elasticsearch every few seconds, and at once if a caller
//! waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use service::admin::Condition;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::list::{self, ReadError};
use super::lists::{Listed, Lists};
use super::now_millis;
use crate::config::{Config, Expired, Strategy};
use crate::elasticsearch::Client;
use crate::index::{Index, Known};
use crate::metrics::PlacementMetrics;
use crate::placement::calendar::Calendar;
use crate::placement::table::{FoundIndex, Table};
use crate::placement::time::{millis, tolerance};
use seen::Seen;

mod dated;
mod report;
mod seen;

/// The table is read at least this many times per margin, so that one reading suits a record that has just arrived.
const READS_PER_MARGIN: u32 = 4;
/// The shortest wait before a waiting caller reads the table again.
const LEAST_WAIT: Duration = Duration::from_millis(20);
/// How long the table is kept fresh after the last document. A topic without documents sends no requests.
const IN_USE: Duration = Duration::from_secs(60);
/// How often the retention is read from the policy while there are documents.
const RETENTION_INTERVAL: Duration = Duration::from_secs(60);

/// Caches the table of one alias or data stream.
#[derive(Debug)]
pub struct BackingIndexCache {
    client: Arc<Client>,
    index: Arc<Index>,
    strategy: Strategy,
    expired: Expired,
    margin: Duration,
    interval: Duration,
    max_ahead: i64,
    calendar: Calendar,
    started: Instant,
    /// When there were last documents, in milliseconds after `started`.
    used: AtomicU64,
    read: ArcSwapOption<Read>,
    /// When the table was requested, in milliseconds since the Unix epoch.
    read_at: AtomicI64,
    /// The oldest index if its creation date does not tell, with the time since when it has received documents.
    since: Mutex<Option<(Arc<str>, Option<i64>)>>,
    seen: Seen,
    lists: Arc<Lists>,
    /// Allows one request at a time. Callers that wait meanwhile share its answer.
    turn: Mutex<()>,
    condition: Condition,
    metrics: PlacementMetrics,
}

/// A table and when it was requested.
#[derive(Debug)]
struct Read {
    table: Arc<Table>,
    asked: Instant,
}

impl BackingIndexCache {
    /// Creates the cache of `elasticsearch.index_name`'s table. `condition` is unmet while the table cannot be read
    /// or used.
    pub fn new(
        config: &Config,
        client: Arc<Client>,
        index: Arc<Index>,
        condition: Condition,
        metrics: PlacementMetrics,
        lists: Arc<Lists>,
    ) -> Self {
        let settings = &config.elasticsearch;
        let placement = &settings.placement;
        let interval = placement.refresh_interval.min(placement.margin / READS_PER_MARGIN);
        let calendar = Calendar::new(&settings.index_name, placement, index.retention());
        condition.met();
        Self {
            client,
            index,
            strategy: settings.strategy,
            expired: placement.expired,
            margin: placement.margin,
            interval,
            max_ahead: millis(placement.max_ahead),
            calendar,
            started: Instant::now(),
            used: AtomicU64::new(0),
            read: ArcSwapOption::empty(),
            read_at: AtomicI64::new(i64::MIN),
            since: Mutex::default(),
            seen: Seen::default(),
            lists,
            turn: Mutex::new(()),
            condition,
            metrics,
        }
    }

    /// Returns the table as last read.
    pub fn table(&self) -> Option<Arc<Table>> {
        self.read.load().as_ref().map(|read| Arc::clone(&read.table))
    }

    /// Returns when the table was requested, in milliseconds since the Unix epoch. Changes with each table.
    pub fn read_at(&self) -> i64 {
        self.read_at.load(Ordering::Relaxed)
    }

    /// Returns the calendar of the strategy `time`.
    pub fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// Notes that there are documents, so that the table is kept fresh.
    pub fn note_use(&self) {
        let millis = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.used.store(millis, Ordering::Relaxed);
    }

    fn is_in_use(&self) -> bool {
        let used = Duration::from_millis(self.used.load(Ordering::Relaxed));
        self.started.elapsed().saturating_sub(used) <= IN_USE
    }

    /// Returns the index of the table.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Returns whether the strategy has a table.
    pub fn is_needed(&self) -> bool {
        matches!(self.strategy, Strategy::Rollover | Strategy::DataStream)
    }

    /// Reads what has to be known before the first record is placed; tries until it is.
    pub async fn begin(&self) {
        if self.is_needed() {
            self.renewed().await;
        }
        self.look_for_copies().await;
    }

    /// Reads the table, or the retention in the policy, again and again while there are documents. Runs until it is
    /// dropped.
    pub async fn run(&self) {
        let interval = if self.is_needed() { self.interval } else { RETENTION_INTERVAL };
        let mut write = self.table().map(|table| Arc::clone(&table.write().name));
        loop {
            tokio::time::sleep(until_next(interval, self.lists.phase())).await;
            if !self.is_in_use() {
                continue;
            }
            if !self.is_needed() {
                self.look_at_dated().await;
                continue;
            }
            let table = self.renewed().await;
            if let Err(error) = self.index.rejoin(&table).await {
                tracing::debug!(index = self.index.name(), %error, "Whether backing indices were made again is not known.");
            }
            if write.as_ref() != Some(&table.write().name) {
                self.index.check_new(&table.write().name).await;
                write = Some(Arc::clone(&table.write().name));
            }
        }
    }

    /// Returns a table that was requested after this call. Tries until there is one; if that takes long, an operator
    /// must act.
    pub async fn renewed(&self) -> Arc<Table> {
        let mut failures = 0;
        loop {
            let error = match self.read().await {
                Ok(table) => return table,
                Err(error) => error,
            };
            failures += 1;
            self.note(&error, failures);
            match error {
                ReadError::Missing => self.index.ensure(Known::Missing).await,
                ReadError::Send(_) | ReadError::Refused { .. } | ReadError::Table(_) => {}
            }
            tokio::time::sleep(self.interval).await;
        }
    }

    /// A table that was asked for at most two intervals ago. What it does not hold may be there by now: who finds
    /// something missing by it asks for one that is [`renewed`](Self::renewed).
    pub async fn fresh(&self) -> Arc<Table> {
        if let Some(read) = self.read.load().as_ref()
            && read.asked.elapsed() <= self.interval * 2
        {
            return Arc::clone(&read.table);
        }
        self.renewed().await
    }

    /// Waits until the table may be used for placement time `time`. Gives up if `time` is further ahead than
    /// `elasticsearch.placement.max_ahead`.
    pub async fn until_valid(&self, time: i64) {
        loop {
            let table = self.renewed().await;
            let early = time.saturating_sub(table.valid_until());
            if early <= 0 || time > now_millis().saturating_add(self.max_ahead) {
                return;
            }
            let wait = Duration::from_millis(u64::try_from(early).unwrap_or(0));
            tokio::time::sleep(wait.max(LEAST_WAIT)).await;
        }
    }

    /// Reads the table once, or returns one that another caller has requested since this call.
    async fn read(&self) -> Result<Arc<Table>, ReadError> {
        let called = Instant::now();
        let _turn = self.turn.lock().await;
        if let Some(read) = self.read.load().as_ref()
            && read.asked >= called
        {
            return Ok(Arc::clone(&read.table));
        }
        let name = self.index.name();
        let Listed { found, asked, read_at } =
            match self.lists.read(name, self.strategy, self.client.is_opensearch()).await {
                // No document has arrived yet.
                Err(ReadError::Missing) if self.strategy == Strategy::Time => Listed::none(),
                listed => listed?,
            };
        let table = Arc::new(self.table_of(found, read_at).await?);
        self.note_doubt(&table);
        self.read.store(Some(Arc::new(Read { table: Arc::clone(&table), asked })));
        self.read_at.store(table.read_at(), Ordering::Relaxed);
        self.condition.met();
        self.measure();
        Ok(table)
    }

    async fn table_of(&self, found: Vec<FoundIndex>, read_at: i64) -> Result<Table, ReadError> {
        let name = self.index.name();
        match self.strategy {
            Strategy::DataStream => return Ok(self.seen.table_of(found, read_at, self.margin)?),
            Strategy::Time => return Ok(Table::dated(&self.calendar, found, read_at)),
            Strategy::Rollover | Strategy::Single => {}
        }
        if self.expired == Expired::Oldest {
            return Ok(Table::new(name, found, None, read_at, self.margin)?);
        }
        let table = Table::new(name, found.clone(), None, read_at, self.margin)?;
        let Some(oldest) = table.unknown_oldest() else { return Ok(table) };
        let since = self.since(&oldest.name).await?;
        Ok(Table::new(name, found, since, read_at, self.margin)?)
    }

    /// Returns a placement time from which no document can belong to the index before `oldest`, according to the
    /// documents in `oldest`. That index receives no documents, so one query is enough.
    async fn since(&self, oldest: &Arc<str>) -> Result<Option<i64>, ReadError> {
        let mut known = self.since.lock().await;
        if let Some((name, since)) = &*known
            && name == oldest
        {
            return Ok(*since);
        }
        let first = match list::first_ingested(&self.client, oldest).await {
            // It passes, or a part of the index cannot be searched for now. It is looked at again with the next list.
            Err(ReadError::Refused { status: 408 | 429 | 500.., .. }) => return Ok(None),
            Err(ReadError::Refused { status: 400..=499, body }) => {
                tracing::warn!(
                    index = &**oldest,
                    reason = body,
                    "Cannot read the date of the first document in the oldest backing index; deleted documents that \
                     are older may come back."
                );
                None
            }
            first => first?,
        };
        let since = first.map(|first| first.saturating_add(tolerance(self.margin)));
        *known = Some((Arc::clone(oldest), since));
        Ok(since)
    }
}

/// Returns the time until the clock shows a multiple of `interval` after `phase`. All caches of a process then read
/// at the same time, in one request.
fn until_next(interval: Duration, phase: i64) -> Duration {
    let interval = millis(interval).max(1);
    let wait = interval - now_millis().saturating_sub(phase).rem_euclid(interval);
    Duration::from_millis(u64::try_from(wait).unwrap_or(1))
}
