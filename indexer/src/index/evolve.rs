//! Brings new fields into the template and the indices before the first document that has them.
//!
//! A field that no known schema had is added to the index that new documents go to, and to the template for all
//! future indices. An older index gets it when a document is about to be sent there ([`Index::prepare`]). So a schema
//! without new fields costs no request, and a schema with new fields costs a few, however many indices there are.
//!
//! Elasticsearch merges the fields that several indexers add to an index. It does not merge templates: each indexer
//! reads the template, adds the fields that it and the newest index know, and checks again afterwards. The last
//! writer has read an index to which all others had already added their fields, so nothing is lost.
//!
//! If an index has a field with another type, the index keeps its type. Documents that fit are indexed; the others
//! become dead letters with Elasticsearch's reason. In the template the wider type wins, so that the next index
//! accepts both.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::{Value, json};

use super::mapping::compare::{Conflict, Difference, compare, merge};
use super::requests::RequestError;
use super::{Index, mapping, resources};
use crate::config::Strategy;

/// How many times template and indices are checked: more than there are indexers that add fields at the same moment.
const MAX_ROUNDS: usize = 20;
/// How many conflicts are remembered as logged.
const MAX_LOGGED: usize = 1_000;

/// For how many indices it is remembered which fields they have.
const MAX_PREPARED: usize = 10_000;

impl Index {
    /// Adds all known fields to the template and to the index that new documents go to, until nothing is missing.
    pub(super) async fn evolve(&self) -> Result<(), RequestError> {
        let version = self.state().version;
        self.evolve_to(version).await?;
        self.state().evolved = Some(version);
        Ok(())
    }

    async fn evolve_to(&self, version: u64) -> Result<(), RequestError> {
        for _ in 0..MAX_ROUNDS {
            let current = match self.current().await {
                Err(error) if error.is_denied() => return self.may_not_read(&error),
                current => current?,
            };
            let (in_index, live) = match &current {
                Some(name) => match self.live_mapping(name).await {
                    Err(error) if error.is_denied() => return self.may_not_read(&error),
                    live => self.complete(name, live?, true).await?,
                },
                None => (false, None),
            };
            let in_template = self.add_to_template(live.as_ref()).await?;
            if !(in_index || in_template) || self.requests.is_dry_run() {
                if let Some(name) = current {
                    self.state().note_prepared(name, version);
                }
                return Ok(());
            }
        }
        tracing::warn!(index = self.name(), "Other processes changed the mapping each time it was read.");
        Ok(())
    }

    /// Adds all known fields to every index that may still take documents.
    pub(super) async fn evolve_all(&self) -> Result<(), RequestError> {
        for name in self.own_indices().await? {
            let live = self.live_mapping(&name).await?;
            self.complete(&name, live, false).await?;
        }
        Ok(())
    }

    /// Adds all known fields to the older index `index`, unless it is known to have them.
    pub(super) async fn evolve_one(&self, index: &str) -> Result<(), RequestError> {
        let version = self.state().version;
        match self.live_mapping(index).await {
            Err(error) if error.is_denied() => self.may_not_read(&error)?,
            // Its documents are answered the same, and placed again. It is looked at again for the next ones.
            Err(error) if error.is_block() => {
                self.log_refused(index, &error);
                return Ok(());
            }
            // Its first document would create it with the other template.
            Ok(None) if self.settings.strategy == Strategy::Time && self.is_shadowed() => {
                self.make_dated(index).await?;
            }
            live => drop(self.complete(index, live?, false).await?),
        }
        self.state().note_prepared(index.to_owned(), version);
        Ok(())
    }

    #[expect(clippy::unnecessary_wraps, reason = "the outcome of those who ask")]
    fn may_not_read(&self, error: &RequestError) -> Result<(), RequestError> {
        if self.state().is_new(format!("may not read: {error}")) {
            tracing::warn!(index = self.name(), %error, "The role may not read the mapping; add the fields of new schemas by hand.");
        }
        Ok(())
    }

    /// Returns which known fields the template and each index lack, and which they contradict.
    pub(crate) async fn differences(&self) -> Result<Vec<(String, Difference)>, RequestError> {
        let known = self.known_mapping();
        let template = resources::component_template(&self.settings_here(), &known);
        let mut differences = Vec::new();
        let name = format!("component template {}", template.name);
        match template.live(&self.requests).await? {
            Some(live) => differences.push((name, compare(&known, &live.content["template"]["mappings"]))),
            None => differences.push((name, compare(&known, &Value::Null))),
        }
        for index in self.own_indices().await? {
            if let Some(mapping) = self.live_mapping(&index).await? {
                differences.push((format!("index {index}"), compare(&known, &mapping)));
            }
        }
        Ok(differences)
    }

    /// Returns the mapping of the index `name`, or `None` if it does not exist.
    pub(super) async fn live_mapping(&self, name: &str) -> Result<Option<Value>, RequestError> {
        let answer = self.requests.get(&format!("/{name}/_mapping")).await?;
        let Some(Value::Object(indices)) = answer else { return Ok(None) };
        // The name of a shrunken index has become an alias; then this is the mapping of the one index behind it.
        Ok(indices
            .into_iter()
            .next()
            .map(|(_, mut index)| index.get_mut("mappings").map(Value::take).unwrap_or_default())
            .map(mapping::nest::nested))
    }

    /// Adds the known fields that `live`, the mapping of `index`, lacks. Returns whether something was added, and
    /// `live`.
    async fn complete(
        &self,
        index: &str,
        live: Option<Value>,
        is_current: bool,
    ) -> Result<(bool, Option<Value>), RequestError> {
        let Some(live) = live else { return Ok((false, None)) };
        let (wanted, contradicting) = self.known();
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

    /// Returns the mapping of all schemas, and the mappings of the schemas that contradict it.
    fn known(&self) -> (Value, Vec<Value>) {
        let contradicting = self.state().contradicting.clone();
        (self.known_mapping(), contradicting.into_iter().map(|mapping| self.for_server(mapping)).collect())
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

    fn log_refused(&self, index: &str, error: &RequestError) {
        if self.state().is_new(format!("{index} {error}")) {
            tracing::error!(index, %error, "Cannot add fields to the mapping; documents that need them wait until it works (docs/refusals.md).");
        }
    }

    fn log_conflicts(&self, index: &str, conflicts: BTreeSet<Conflict>) {
        let mut state = self.state();
        for Conflict { path, wanted, live } in &conflicts {
            if state.is_new(format!("{index} {path} {wanted} {live}")) {
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
        let all = state.note_conflicts(index, conflicts.len());
        self.metrics.mapping_conflicts.set(i64::try_from(all).unwrap_or(i64::MAX));
    }
}

impl super::IndexState {
    /// Returns whether this text has not been logged before.
    pub(super) fn is_new(&mut self, logged: String) -> bool {
        if self.logged.len() >= MAX_LOGGED {
            self.logged = HashSet::new();
        }
        self.logged.insert(logged)
    }

    /// Notes that `index` has all fields that were known at `version`.
    fn note_prepared(&mut self, index: String, version: u64) {
        if self.prepared.len() >= MAX_PREPARED {
            self.prepared.clear();
        }
        self.prepared.insert(index, version);
    }

    /// Notes how many fields of `index` have another type there than in the schemas. Returns the total over all
    /// indices.
    fn note_conflicts(&mut self, index: &str, count: usize) -> usize {
        match count {
            0 => drop(self.conflicts.remove(index)),
            _ if self.conflicts.len() < MAX_PREPARED => drop(self.conflicts.insert(index.to_owned(), count)),
            _ => {}
        }
        self.conflicts.values().sum()
    }
}

/// Adds the other settings of `wanted`, for example `dynamic`, because the index was not created with our template.
fn add_rules(wanted: &Value, addition: &mut Value) {
    for (key, value) in wanted.as_object().into_iter().flatten() {
        if addition.get(key).is_none() {
            addition[key] = value.clone();
        }
    }
}
