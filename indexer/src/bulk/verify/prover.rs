//! Reads what is stored under ids that are taken, and judges whether it is the same event.

use std::collections::HashSet;
use std::sync::Arc;

use super::compare::{self, Shared};
use super::handling::{Handling, Handlings};
use super::own::{is_as_sent, own_document};
use super::parts::{by_index, parts, take};
use super::stored::{self, Document, Part};
use super::verdict::{Proof, Suspect, Verdict};
use crate::batch::{Batch, Item};
use crate::bulk::outcome::Obstacle;
use crate::config::{Config, VerifyDuplicates};
use crate::elasticsearch::Client;

/// The most bytes of one answer. A longer answer is not read, and half as many documents are requested.
const MAX_ANSWER_BYTES: usize = 16 << 20;
/// The least limit for an answer. With a smaller one, nearly each document would need its own request.
const LEAST_ANSWER_BYTES: usize = 256 << 10;
/// Finds out what is stored under ids that are taken.
#[derive(Debug)]
pub(in crate::bulk) struct Prover {
    client: Arc<Client>,
    how: VerifyDuplicates,
    /// The most bytes of one answer, so that all requests in flight together stay within the topic's limit.
    max_answer_bytes: usize,
    handlings: Handlings,
}

impl Prover {
    /// Creates a prover for the topic of `config` that reads what the rule `how` needs.
    pub(in crate::bulk) fn new(config: &Config, client: &Arc<Client>, how: VerifyDuplicates) -> Self {
        let indexer = &config.indexer;
        let bytes = usize::try_from(indexer.max_in_flight_bytes.as_u64()).unwrap_or(usize::MAX);
        let share = bytes / indexer.max_in_flight_requests.max(1);
        Self {
            client: Arc::clone(client),
            how,
            max_answer_bytes: share.clamp(LEAST_ANSWER_BYTES, MAX_ANSWER_BYTES),
            handlings: Handlings::default(),
        }
    }

    /// Returns what is stored under the ids of `suspects` of `batch`, in their order.
    ///
    /// # Errors
    /// [`Obstacle`], if some documents could not be checked.
    pub(in crate::bulk) async fn prove(&self, batch: &Batch, suspects: &[Suspect]) -> Result<Vec<Verdict>, Obstacle> {
        let twins = batch.twins();
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

    /// Returns what is stored in `index` under the ids of the suspects in `numbers`. The verdict is `None` if the
    /// timestamp does not prove it.
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
    ) -> Result<Verdict, Obstacle> {
        if !document.found {
            return Ok(Verdict::Gone);
        }
        let Some(source) = document.source else { return Ok(Verdict::Same(Proof::None)) };
        let item = &batch.items[item];
        let ours = own_document(batch, item);
        // The usual case: the bytes of this record.
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
}

/// Returns the verdict by timestamp alone, or `None` if the timestamp does not prove that it is this record.
fn by_timestamp(item: &Item, document: &Document<'_>, is_twin: bool) -> Option<Verdict> {
    if !document.found {
        return Some(Verdict::Gone);
    }
    let members = compare::members(document.source?.get())?;
    let is_proof = !is_twin && is_of_record(item, compare::ingested_at(&members).as_deref());
    is_proof.then_some(Verdict::Same(Proof::Record))
}

/// Returns whether a document with `ingested_at` comes from the record of `item`.
fn is_of_record(item: &Item, ingested_at: Option<&str>) -> bool {
    let (Some(millis), Some(ingested_at)) = (item.origin.timestamp, ingested_at) else { return false };
    let mut json = Vec::with_capacity(32);
    avro::write_timestamp_millis(millis, &mut json);
    json.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(&json) == ingested_at.as_bytes()
}
