//! Whether a document that is there already is the same event. A duplicate is proven, not assumed (P4).
//!
//! `create` that is answered 409, and an id that was found in an older backing index, say that *something* has the id.
//! The stored document says what. The rules, in this order:
//!
//! 1. Its `_ingested_at` is the record's timestamp: it is this record, read again.
//! 2. The rest of it is equal: the sender has repeated the event.
//! 3. The index changes documents (`handling`), or somebody has changed this one (its version is not 1): only fields
//!    that both have are compared. Where there are none, nothing can be proven, and it counts as a duplicate (`none` in
//!    the metric).
//! 4. Else it is another event: an id conflict, which is a dead letter.
//!
//! The first rule is not enough for two records of one batch with the same id and the same timestamp, as the events
//! of one request have: there, and for a record that was redriven, the contents decide. What is compared how is in
//! [`compare`]; [`stored`] reads.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::outcome::{Block, BulkFailure};
use crate::batch::{Batch, Item};
use crate::config::{Config, OnDuplicate, VerifyDuplicates};
use crate::elasticsearch::Client;
use crate::metrics::VerifyMetrics;
use compare::Shared;
use handling::{Handling, Handlings};
use own::{is_as_sent, own_document};
use parts::{by_index, parts, take, twins};
use stored::{Document, Part};

pub(super) use settle::Conflicts;

mod compare;
mod handling;
mod instant;
mod own;
mod parts;
mod settle;
mod stored;

/// Bytes of one answer, at most. A longer one is not read, and half as many documents are asked for.
const MAX_ANSWER_BYTES: usize = 16 << 20;
/// It may have so many in any case, or nearly each document would be asked for alone.
const LEAST_ANSWER_BYTES: usize = 256 << 10;
/// The id conflicts of this time are one line in the log.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// Finds out, for one topic, what is stored under ids that are taken.
#[derive(Debug)]
pub(super) struct Verify {
    client: Arc<Client>,
    how: VerifyDuplicates,
    /// Bytes of one answer: those of all requests in flight together are no more than what the topic may hold.
    max_answer_bytes: usize,
    topic: String,
    handlings: Handlings,
    metrics: VerifyMetrics,
    logged: Mutex<Logged>,
}

/// When id conflicts were last logged, and how many there were since.
#[derive(Debug, Default)]
struct Logged {
    at: Option<Instant>,
    since: u64,
}

/// A document whose id is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Suspect {
    /// The item's index in the batch.
    pub(super) item: usize,
    /// The index that holds a document of its id.
    pub(super) index: Arc<str>,
}

/// What is stored under the id of a suspect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The same event.
    Same(Proof),
    /// Another event. With the stored document's `_ingested_at`, where it has one.
    Other(Option<String>),
    /// Nothing any more.
    Gone,
}

/// What proves that a document is the same event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// The record's timestamp.
    Record,
    /// The fields.
    Content,
    /// Nothing: the index does not keep what could.
    None,
}

/// Why nothing could be found out. The documents are looked at again.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Obstacle {
    /// It failed for now.
    Failed(BulkFailure),
    /// An operator must fix something first.
    Block(Block),
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(failure) => write!(f, "{}: {}", failure.trouble.as_str(), failure.detail),
            Self::Block(block) => block.fmt(f),
        }
    }
}

impl From<BulkFailure> for Obstacle {
    fn from(failure: BulkFailure) -> Self {
        Self::Failed(failure)
    }
}

impl Proof {
    /// Returns the label for `penstock_indexer_duplicates_total`.
    fn as_str(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Content => "content",
            Self::None => "none",
        }
    }
}

impl Verify {
    /// For the topic of `config`; none where nothing is proven: by config, and with `keep_last`, where the later event
    /// of an id is meant to replace the earlier one.
    pub(super) fn new(config: &Config, client: &Arc<Client>, metrics: &VerifyMetrics) -> Option<Self> {
        let settings = &config.elasticsearch;
        let proves =
            settings.verify_duplicates != VerifyDuplicates::Never && settings.on_duplicate == OnDuplicate::KeepFirst;
        proves.then(|| Self { how: settings.verify_duplicates, ..Self::always(config, client, metrics) })
    }

    /// For the topic of `config`, whatever the config says: for one who only wants to know.
    pub(super) fn always(config: &Config, client: &Arc<Client>, metrics: &VerifyMetrics) -> Self {
        let indexer = &config.indexer;
        let bytes = usize::try_from(indexer.max_in_flight_bytes.as_u64()).unwrap_or(usize::MAX);
        let share = bytes / indexer.max_in_flight_requests.max(1);
        Self {
            client: Arc::clone(client),
            how: VerifyDuplicates::Always,
            max_answer_bytes: share.clamp(LEAST_ANSWER_BYTES, MAX_ANSWER_BYTES),
            topic: config.kafka.topic.clone(),
            handlings: Handlings::default(),
            metrics: metrics.clone(),
            logged: Mutex::default(),
        }
    }

    /// Returns what is stored under the ids of `suspects` of `batch`, in their order.
    ///
    /// # Errors
    /// [`Obstacle`], when it is not found out for all of them.
    pub(super) async fn prove(&self, batch: &Batch, suspects: &[Suspect]) -> Result<Vec<Verdict>, Obstacle> {
        let twins = twins(batch);
        let mut verdicts = vec![Verdict::Gone; suspects.len()];
        for (index, mut numbers) in by_index(suspects) {
            if self.how == VerifyDuplicates::ByTimestamp {
                let mut open = Vec::new();
                for part in parts(batch, suspects, &numbers, Part::Timestamp) {
                    let proven = self.ask(batch, suspects, &index, part, Part::Timestamp, &twins).await?;
                    open.extend(take(proven, &mut verdicts));
                }
                numbers = open;
            }
            for part in parts(batch, suspects, &numbers, Part::Whole) {
                let proven = self.ask(batch, suspects, &index, part, Part::Whole, &twins).await?;
                take(proven, &mut verdicts);
            }
        }
        Ok(verdicts)
    }

    /// Returns what is stored in `index` under the ids of those suspects that `numbers` names; none for those of whom
    /// the timestamp does not say it.
    async fn ask(
        &self,
        batch: &Batch,
        suspects: &[Suspect],
        index: &Arc<str>,
        numbers: &[usize],
        part: Part,
        twins: &HashSet<usize>,
    ) -> Result<Vec<(usize, Option<Verdict>)>, Obstacle> {
        let mut proven = Vec::with_capacity(numbers.len());
        let mut open = vec![numbers];
        while let Some(numbers) = open.pop() {
            let items: Vec<usize> = numbers.iter().map(|number| suspects[*number].item).collect();
            let max_bytes = if let [_] = items[..] { usize::MAX } else { self.max_answer_bytes };
            let Some(answer) = stored::ask(&self.client, index, batch, &items, part, max_bytes).await? else {
                let (first, second) = numbers.split_at(numbers.len() / 2);
                open.extend([second, first]);
                continue;
            };
            if is_as_sent(&answer, batch, &items, part, twins) {
                proven.extend(numbers.iter().map(|number| (*number, Some(Verdict::Same(Proof::Record)))));
                continue;
            }
            let Some(documents) = stored::read(index, &answer, items.len())? else {
                proven.extend(numbers.iter().map(|number| (*number, Some(Verdict::Gone))));
                continue;
            };
            for ((number, item), document) in numbers.iter().zip(items).zip(&documents) {
                let is_twin = twins.contains(&item);
                let verdict = match part {
                    Part::Timestamp => by_timestamp(&batch.items[item], document, is_twin),
                    Part::Whole => Some(self.judge(batch, item, document, index, is_twin).await?),
                };
                proven.push((*number, verdict));
            }
        }
        Ok(proven)
    }

    async fn judge(
        &self,
        batch: &Batch,
        item: usize,
        document: &Document<'_>,
        index: &Arc<str>,
        is_twin: bool,
    ) -> Result<Verdict, BulkFailure> {
        if !document.found {
            return Ok(Verdict::Gone);
        }
        let Some(source) = document.source else { return Ok(Verdict::Same(Proof::None)) };
        let item = &batch.items[item];
        let ours = own_document(batch, item);
        // As it nearly always is: the bytes of this record.
        if source.get().as_bytes() == ours {
            return Ok(Verdict::Same(Proof::Record));
        }
        let ours = std::str::from_utf8(ours).unwrap_or_default();
        let (Some(ours), Some(stored)) = (compare::members(ours), compare::members(source.get())) else {
            return Ok(Verdict::Same(Proof::None));
        };
        let ingested_at = compare::ingested_at(&stored);
        if !is_twin && is_of_record(item, ingested_at.as_deref()) {
            return Ok(Verdict::Same(Proof::Record));
        }
        if compare::is_same(&ours, &stored) {
            return Ok(Verdict::Same(Proof::Content));
        }
        let is_first_version = document.version.is_none_or(|version| version == 1);
        if is_first_version && self.handlings.of(&self.client, index).await? == Handling::Verbatim {
            return Ok(Verdict::Other(ingested_at));
        }
        Ok(match compare::shared(&ours, &stored) {
            Shared::Equal => Verdict::Same(Proof::Content),
            Shared::Nothing => Verdict::Same(Proof::None),
            Shared::Different => Verdict::Other(ingested_at),
        })
    }

    /// Returns whether another line may go into the log, and of how many conflicts it speaks.
    fn may_log(&self, conflicts: u64) -> Option<u64> {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        logged.since += conflicts;
        if logged.at.is_some_and(|at| at.elapsed() < LOG_INTERVAL) {
            return None;
        }
        logged.at = Some(Instant::now());
        Some(std::mem::take(&mut logged.since))
    }
}

/// Returns what the timestamp alone says; `None` if it does not say that it is this record.
fn by_timestamp(item: &Item, document: &Document<'_>, is_twin: bool) -> Option<Verdict> {
    if !document.found {
        return Some(Verdict::Gone);
    }
    let members = compare::members(document.source?.get())?;
    let is_proof = !is_twin && is_of_record(item, compare::ingested_at(&members).as_deref());
    is_proof.then_some(Verdict::Same(Proof::Record))
}

/// Returns whether a document of `ingested_at` was made of the record of `item`.
fn is_of_record(item: &Item, ingested_at: Option<&str>) -> bool {
    let (Some(millis), Some(ingested_at)) = (item.origin.timestamp, ingested_at) else { return false };
    let mut json = Vec::with_capacity(32);
    avro::write_timestamp_millis(millis, &mut json);
    json.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(&json) == ingested_at.as_bytes()
}

#[cfg(test)]
mod tests;
