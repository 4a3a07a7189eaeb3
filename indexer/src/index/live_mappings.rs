//! The mappings of the indices as the server has them, and how the known fields get there.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use prometheus::core::AtomicI64;
use serde_json::{Value, json};

use super::known_fields::KnownFields;
use super::logged::Logged;
use super::mapping::compare::{Conflict, compare, merge};
use super::mapping::nest::nested;
use super::requests::{RequestError, Requests};
use super::resources;
use crate::metrics::SharedGauge;

/// For how many indices it is remembered how many fields conflict.
const MAX_CONFLICTING: usize = 10_000;

/// Completes the mappings of indices, and reports fields that have another type there.
#[derive(Debug)]
pub(super) struct LiveMappings {
    requests: Requests,
    fields: Arc<KnownFields>,
    /// `penstock_indexer_mapping_conflicts`.
    gauge: SharedGauge<AtomicI64>,
    /// How many fields of each index have another type there than in the schemas.
    conflicts: Mutex<HashMap<String, usize>>,
    logged: Logged,
}

impl LiveMappings {
    /// Creates the mappings that get `fields`, and report conflicts by the metric `gauge`. Sends nothing.
    pub(super) fn new(requests: &Requests, fields: &Arc<KnownFields>, gauge: SharedGauge<AtomicI64>) -> Self {
        let (requests, fields) = (requests.clone(), Arc::clone(fields));
        Self { requests, fields, gauge, conflicts: Mutex::default(), logged: Logged::default() }
    }

    /// Adds the known fields that `live`, the mapping of `index`, lacks. Returns whether something was added, and
    /// `live`.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(super) async fn complete(
        &self,
        index: &str,
        live: Option<Value>,
        is_current: bool,
    ) -> Result<(bool, Option<Value>), RequestError> {
        let Some(live) = live else { return Ok((false, None)) };
        let contradicting = self.fields.contradicting();
        let wanted = self.fields.mapping();
        let difference = compare(&wanted, &live);
        let of_others = contradicting.iter().flat_map(|other| compare(other, &live).conflicts);
        self.log_conflicts(index, difference.conflicts.into_iter().chain(of_others).collect());
        let Some(mut addition) = difference.addition else { return Ok((false, Some(live))) };
        if live["properties"]["_ingested_at"].is_null() {
            add_rules(&wanted, &mut addition);
        }
        match self.add_to_index(index, &live, &addition).await {
            Ok(()) => {
                let fields: Vec<&str> = difference.missing.iter().map(|(path, _)| path.as_str()).collect();
                tracing::info!(index, fields = fields.join(" "), "Added fields to the mapping.");
                Ok((true, Some(live)))
            }
            Err(error) if error.is_bad_request() || error.is_denied() => {
                self.log_refused(index, &error);
                Ok((false, Some(live)))
            }
            // An old index that is closed to changes receives no documents.
            Err(error) if error.is_block() && !is_current => {
                self.log_refused(index, &error);
                Ok((false, Some(live)))
            }
            Err(error) => Err(error),
        }
    }

    async fn add_to_index(&self, index: &str, live: &Value, addition: &Value) -> Result<(), RequestError> {
        let limit = resources::fields_limit(&merge(live, addition, &BTreeMap::new()));
        if let Some(limit) = limit.filter(|_| resources::fields_limit(live) != limit)
            && self.allowed_fields(index).await?.is_none_or(|allowed| allowed < limit)
        {
            let settings = json!({ "index.mapping.total_fields.limit": limit });
            self.requests.put(&format!("/{index}/_settings"), &settings).await?;
        }
        self.requests.put(&format!("/{index}/_mapping"), addition).await
    }

    /// Returns how many fields `index` may have, if its settings say so and may be read. An operator may have raised
    /// the limit for dynamic fields.
    async fn allowed_fields(&self, index: &str) -> Result<Option<usize>, RequestError> {
        let path = format!("/{index}/_settings?filter_path=*.settings.index.mapping.total_fields.limit");
        let answer = match self.requests.get(&path).await {
            Err(error) if error.is_denied() => return Ok(None),
            answer => answer?.unwrap_or_default(),
        };
        // The index may have another name than the alias that leads to it.
        let settings = answer.as_object().and_then(|indices| indices.values().next()).cloned().unwrap_or_default();
        let limit = &settings["settings"]["index"]["mapping"]["total_fields"]["limit"];
        Ok(limit.as_str().and_then(|limit| limit.parse().ok()))
    }

    /// Logs, once, that the role may not read mappings.
    pub(super) fn log_unreadable(&self, index: &str, error: &RequestError) {
        if self.logged.is_new(format!("may not read: {error}")) {
            tracing::warn!(index, %error, "The role may not read the mapping; add the fields of new schemas by hand.");
        }
    }

    /// Logs, once, that no fields could be added to `index`.
    pub(super) fn log_refused(&self, index: &str, error: &RequestError) {
        if self.logged.is_new(format!("{index} {error}")) {
            tracing::error!(index, %error, "Cannot add fields to the mapping; documents that need them wait until it works (docs/refusals.md).");
        }
    }

    fn log_conflicts(&self, index: &str, conflicts: BTreeSet<Conflict>) {
        for Conflict { path, wanted, live } in &conflicts {
            if self.logged.is_new(format!("{index} {path} {wanted} {live}")) {
                tracing::error!(
                    index,
                    field = path,
                    schema_type = wanted,
                    index_type = live,
                    "A field has another type in the index than in the schema; values that do not fit become dead \
                     letters."
                );
            }
        }
        let all = self.note_conflicts(index, conflicts.len());
        self.gauge.set(i64::try_from(all).unwrap_or(i64::MAX));
    }

    /// Notes how many fields of `index` have another type there than in the schemas. Returns the total over all
    /// indices.
    fn note_conflicts(&self, index: &str, count: usize) -> usize {
        let mut conflicts = self.conflicts.lock().unwrap_or_else(PoisonError::into_inner);
        match count {
            0 => drop(conflicts.remove(index)),
            _ if conflicts.len() < MAX_CONFLICTING => drop(conflicts.insert(index.to_owned(), count)),
            _ => {}
        }
        conflicts.values().sum()
    }
}

/// Returns the mapping of the index `name`, or `None` if it does not exist.
///
/// # Errors
/// [`RequestError`].
pub(super) async fn read(requests: &Requests, name: &str) -> Result<Option<Value>, RequestError> {
    let answer = requests.get(&format!("/{name}/_mapping")).await?;
    let Some(Value::Object(indices)) = answer else { return Ok(None) };
    // The name of a shrunken index has become an alias; then this is the mapping of the one index behind it.
    Ok(indices
        .into_iter()
        .next()
        .map(|(_, mut index)| index.get_mut("mappings").map(Value::take).unwrap_or_default())
        .map(nested))
}

/// Adds the other settings of `wanted`, for example `dynamic`, because the index was not created with our template.
fn add_rules(wanted: &Value, addition: &mut Value) {
    for (key, value) in wanted.as_object().into_iter().flatten() {
        if addition.get(key).is_none() {
            addition[key] = value.clone();
        }
    }
}
