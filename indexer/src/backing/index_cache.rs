//! Caches the [`Table`] of backing indices. Reads it from Elasticsearch every few seconds, and immediately if a caller
//! waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use service::admin::Condition;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::list::ReadError;
use super::lists::{Listed, Lists};
use super::now_millis;
use crate::config::{Config, Strategy};
use crate::elasticsearch::Client;
use crate::index::{Index, Known};
use crate::metrics::PlacementMetrics;
use crate::placement::calendar::Calendar;
use crate::placement::table::Table;
use crate::placement::time::millis;
use report::Report;
use table_builder::TableBuilder;
use usage::Usage;

mod report;
mod seen;
mod table_builder;
mod usage;

/// The table is read at least this many times per margin, so that one reading suits a record that has just arrived.
const READS_PER_MARGIN: u32 = 4;
/// The shortest wait before a waiting caller reads the table again.
const LEAST_WAIT: Duration = Duration::from_millis(20);
/// How often the retention is read from the policy while there are documents.
const RETENTION_INTERVAL: Duration = Duration::from_secs(60);

/// Caches the table of one alias or data stream.
#[derive(Debug)]
pub struct BackingIndexCache {
    client: Arc<Client>,
    index: Arc<Index>,
    strategy: Strategy,
    interval: Duration,
    max_ahead: i64,
    calendar: Calendar,
    builder: TableBuilder,
    usage: Usage,
    read: ArcSwapOption<Read>,
    /// When the table was requested, in milliseconds since the Unix epoch.
    read_at: AtomicI64,
    lists: Arc<Lists>,
    /// Allows one request at a time. Callers that wait meanwhile share its answer.
    turn: Mutex<()>,
    report: Report,
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
        let calendar = Calendar::new(&settings.index_name, placement, index.retention.value());
        Self {
            report: Report::new(settings.index_name.clone(), condition, metrics),
            builder: TableBuilder::new(settings, Arc::clone(&client)),
            client,
            index,
            strategy: settings.strategy,
            interval,
            max_ahead: millis(placement.max_ahead),
            calendar,
            usage: Usage::new(),
            read: ArcSwapOption::empty(),
            read_at: AtomicI64::new(i64::MIN),
            lists,
            turn: Mutex::new(()),
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
        self.usage.note();
    }

    /// Returns the index of the table.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Returns whether the strategy has a table.
    pub fn is_needed(&self) -> bool {
        matches!(self.strategy, Strategy::Rollover | Strategy::DataStream)
    }

    /// Reads everything that is needed before the first record is placed. Tries until it succeeds.
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
            if !self.usage.is_recent() {
                continue;
            }
            if !self.is_needed() {
                self.look_at_dated().await;
                continue;
            }
            let table = self.renewed().await;
            if let Err(error) = self.index.strays.rejoin(&table).await {
                tracing::debug!(index = self.index.name(), %error, "Cannot find out whether documents re-created backing indices.");
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
            self.report.failed(self.table().as_deref(), &error, failures);
            match error {
                ReadError::Missing => self.index.ensure(Known::Missing).await,
                ReadError::Send(_) | ReadError::Refused { .. } | ReadError::Table(_) => {}
            }
            tokio::time::sleep(self.interval).await;
        }
    }

    /// Returns a table that was requested at most two intervals ago. An index that it lacks may exist by now: a caller
    /// that misses one must use [`renewed`](Self::renewed).
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
        let table = Arc::new(self.builder.build(&self.calendar, found, read_at).await?);
        self.report.uncertainty(self.table().as_deref(), &table);
        self.read.store(Some(Arc::new(Read { table: Arc::clone(&table), asked })));
        self.read_at.store(table.read_at(), Ordering::Relaxed);
        self.report.read(&table);
        Ok(table)
    }

    /// Reads the retention in the policy, checks which template the next index of the strategy `time` is created with,
    /// and finds indices that exist only under another name. No table is needed to place a document.
    async fn look_at_dated(&self) {
        if let Err(error) = self.index.retention.read().await {
            tracing::debug!(index = self.index.name(), %error, "Cannot read the policy; the last known maximum age of an event counts.");
        }
        self.index.shadow.check().await;
        self.look_for_copies().await;
    }

    /// Finds the indices of the strategy `time` that exist only under another name. If they cannot be listed, the
    /// earlier result stays in force.
    pub async fn look_for_copies(&self) {
        if self.strategy != Strategy::Time {
            return;
        }
        match self.read().await {
            Ok(table) => self.calendar.note_copies(table.copied(self.calendar.pattern())),
            Err(error) => {
                tracing::debug!(index = self.index.name(), %error, "Cannot list the indices that exist only under another name.");
            }
        }
    }
}

/// Returns the time until the clock shows a multiple of `interval` after `phase`. All caches of a process then read
/// at the same time, in one request.
fn until_next(interval: Duration, phase: i64) -> Duration {
    let interval = millis(interval).max(1);
    let wait = interval - now_millis().saturating_sub(phase).rem_euclid(interval);
    Duration::from_millis(u64::try_from(wait).unwrap_or(1))
}
