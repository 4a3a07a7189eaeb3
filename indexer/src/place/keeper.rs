//! Keeps the [`Table`] of backing indices: reads it from Elasticsearch every few seconds, and at once where somebody waits for it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use serde::Deserialize;
use shared::admin::Condition;
use shared::config::{Config, Strategy};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::barrier::Barrier;
use super::table::{Found, Table, TableError};
use super::time::millis;
use crate::bulk::elasticsearch::{Answer, Client, Method, Request, SendError};
use crate::bulk::outcome::request_error_type;
use crate::index::{Index, Known};
use crate::metrics::PlaceMetrics;

/// The table is read at least so many times a margin, so that one of them fits a record that has just arrived.
const READS_PER_MARGIN: u32 = 4;
/// Nobody who waits asks more often than this.
const LEAST_WAIT: Duration = Duration::from_millis(20);
/// So many questions in a row may go wrong before readiness says so.
const TOLERATED_FAILURES: u32 = 2;
/// A record that is placed later than this from now is not waited for: no clock of a receiver is that wrong, save one that is wrong.
pub const FUTURE: i64 = 3_600_000;

/// What is looked at of each backing index.
const FILTER_PATH: &str = "*.aliases,*.settings.index.creation_date,*.settings.index.blocks,\
    *.settings.index.verified_before_close";

const QUERY: [(&str, &str); 2] = [("features", "aliases,settings"), ("filter_path", FILTER_PATH)];

/// Keeps the table of one alias or data stream.
#[derive(Debug)]
pub struct Keeper {
    client: Arc<Client>,
    index: Arc<Index>,
    path: String,
    strategy: Strategy,
    margin: Duration,
    interval: Duration,
    read: ArcSwapOption<Read>,
    barrier: Barrier,
    /// One question at a time; who waits meanwhile gets its answer.
    turn: Mutex<()>,
    condition: Condition,
    metrics: PlaceMetrics,
    topic: String,
}

/// A table and when the question for it was asked.
#[derive(Debug)]
struct Read {
    table: Arc<Table>,
    asked: Instant,
}

/// Why there is no new table.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// No answer.
    #[error("{0}")]
    Send(#[from] SendError),
    /// The alias is not there.
    #[error("there is no alias or data stream of this name")]
    Missing,
    /// Another answer than the list.
    #[error("the question was answered {status}: {body}")]
    Refused {
        /// The status.
        status: u16,
        /// The body's beginning.
        body: String,
    },
    /// The list cannot be used.
    #[error("{0}")]
    Table(#[from] TableError),
}

impl ReadError {
    /// What `answer` says, as far as it fits.
    pub(super) fn refused(answer: &Answer) -> Self {
        Self::Refused { status: answer.status, body: answer.beginning() }
    }
}

impl Keeper {
    /// The keeper of `elasticsearch.index_name`'s table. `condition` is unmet while it cannot be read or used.
    pub fn new(
        config: &Config,
        client: Arc<Client>,
        index: Arc<Index>,
        condition: Condition,
        metrics: PlaceMetrics,
    ) -> Self {
        let settings = &config.elasticsearch;
        let placement = &settings.placement;
        let interval = placement.refresh_interval.min(placement.margin / READS_PER_MARGIN);
        condition.met();
        Self {
            client,
            path: format!("/{}", index.name()),
            index,
            strategy: settings.strategy,
            margin: placement.margin,
            interval,
            read: ArcSwapOption::empty(),
            barrier: Barrier::default(),
            turn: Mutex::new(()),
            condition,
            metrics,
            topic: config.kafka.topic.clone(),
        }
    }

    /// The table, as it was read last.
    pub fn table(&self) -> Option<Arc<Table>> {
        self.read.load().as_ref().map(|read| Arc::clone(&read.table))
    }

    /// Whether the strategy has a table.
    pub fn is_needed(&self) -> bool {
        matches!(self.strategy, Strategy::Rollover | Strategy::DataStream)
    }

    /// Reads the table again and again, as long as it is polled.
    pub async fn run(&self) {
        if !self.is_needed() {
            return;
        }
        loop {
            let table = self.renewed().await;
            if let Err(error) = self.index.rejoin(&table).await {
                tracing::debug!(index = self.index.name(), %error, "Whether backing indices were made again is not known.");
            }
            tokio::time::sleep(self.interval).await;
        }
    }

    /// A table that was asked for after this call; tries until there is one. Somebody has to mend it where that takes long.
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

    /// A table that was asked for at most two intervals ago.
    pub async fn fresh(&self) -> Arc<Table> {
        if let Some(read) = self.read.load().as_ref()
            && read.asked.elapsed() <= self.interval * 2
        {
            return Arc::clone(&read.table);
        }
        self.renewed().await
    }

    /// Waits until the table may be used for placement time `time`; gives up when that is more than an hour away. Gives when that table
    /// was read, in milliseconds since the Unix epoch.
    pub async fn until_valid(&self, time: i64) -> i64 {
        loop {
            let table = self.renewed().await;
            let early = time.saturating_sub(table.valid_until());
            if early <= 0 || time > table.read_at().saturating_add(FUTURE) {
                return table.read_at();
            }
            let wait = Duration::from_millis(u64::try_from(early).unwrap_or(0));
            tokio::time::sleep(wait.clamp(LEAST_WAIT, self.interval)).await;
        }
    }

    /// One question. A table that somebody else asked for after this call is as good.
    async fn read(&self) -> Result<Arc<Table>, ReadError> {
        let called = Instant::now();
        let _turn = self.turn.lock().await;
        if let Some(read) = self.read.load().as_ref()
            && read.asked >= called
        {
            return Ok(Arc::clone(&read.table));
        }
        // Both clocks are read before the question: what comes after it must not count as known.
        let (asked, read_at) = (Instant::now(), now_millis());
        self.barrier.pass(&self.client).await?;
        let request = Request {
            method: Method::Get,
            path: &self.path,
            // OpenSearch does not know `features`: it only spares Elasticsearch the mappings.
            query: if self.client.is_opensearch() { &QUERY[1..] } else { &QUERY },
            content_type: "application/json",
            body: Bytes::new(),
        };
        let answer = self.client.send(&request).await?;
        let table = Arc::new(Table::new(found(&answer, self.index.name(), self.strategy)?, read_at, self.margin)?);
        self.read.store(Some(Arc::new(Read { table: Arc::clone(&table), asked })));
        self.condition.met();
        self.measure();
        Ok(table)
    }

    fn note(&self, error: &ReadError, failures: u32) {
        self.measure();
        let is_state = matches!(error, ReadError::Table(_) | ReadError::Missing);
        if is_state || failures > TOLERATED_FAILURES {
            self.condition.unmet(format!(
                "the backing indices of {:?} cannot be told: {error}; new documents wait",
                self.index.name()
            ));
        }
        // The first, then with every doubling.
        if failures.is_power_of_two() {
            tracing::warn!(
                index = self.index.name(),
                %error,
                attempts = failures,
                "The backing indices cannot be told; documents wait until they can. Nothing is lost."
            );
        }
    }

    fn measure(&self) {
        if let Some(table) = self.table() {
            let age = now_millis().saturating_sub(table.read_at()).max(0);
            self.metrics.table_age.with_label_values(&[&self.topic]).set(age as f64 / 1_000.0);
        }
    }
}

#[derive(Deserialize)]
struct IndexAnswer {
    #[serde(default)]
    aliases: HashMap<String, AliasAnswer>,
    settings: SettingsAnswer,
}

#[derive(Deserialize)]
struct AliasAnswer {
    is_write_index: Option<bool>,
}

#[derive(Deserialize)]
struct SettingsAnswer {
    index: IndexSettingsAnswer,
}

#[derive(Deserialize)]
struct IndexSettingsAnswer {
    creation_date: String,
    #[serde(default)]
    blocks: BlocksAnswer,
    /// "true" of a closed index.
    verified_before_close: Option<String>,
}

/// Settings are texts. `read_only_allow_delete`, the disk's flood stage, is left out: it passes by itself.
#[derive(Default, Deserialize)]
struct BlocksAnswer {
    write: Option<String>,
    read_only: Option<String>,
}

/// The backing indices of an answer.
fn found(answer: &Answer, alias: &str, strategy: Strategy) -> Result<Vec<Found>, ReadError> {
    if answer.status == 404 && request_error_type(&answer.body).as_deref() == Some("index_not_found_exception") {
        return Err(ReadError::Missing);
    }
    if answer.status != 200 {
        return Err(ReadError::refused(answer));
    }
    let refused = |why: String| ReadError::Refused { status: answer.status, body: why };
    let indices: HashMap<String, IndexAnswer> =
        serde_json::from_slice(&answer.body).map_err(|error| refused(error.to_string()))?;
    let alone = indices.len() == 1;
    let mut all = Vec::with_capacity(indices.len());
    for (name, index) in indices {
        let is_write = match index.aliases.get(alias) {
            // An alias of one index writes to it, unless it says that it does not (Elasticsearch reference, "Aliases").
            Some(entry) => entry.is_write_index.unwrap_or(alone),
            None => false,
        };
        let created = index.settings.index.creation_date.parse();
        let created = created.map_err(|_| refused(format!("{name} has no creation date")))?;
        let is_set = |block: Option<String>| block.is_some_and(|value| value == "true");
        let blocks = index.settings.index.blocks;
        let is_closed = is_set(index.settings.index.verified_before_close);
        let writable = !is_set(blocks.write) && !is_set(blocks.read_only) && !is_closed;
        all.push(Found { name, created, writable, is_write });
    }
    if strategy == Strategy::DataStream
        && let Some(newest) = all.iter_mut().max_by(|a, b| a.name.cmp(&b.name))
    {
        newest.is_write = true;
    }
    Ok(all)
}

fn now_millis() -> i64 {
    millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}
