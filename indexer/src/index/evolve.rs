//! New fields reach template and indices before the first document that has them.
//!
//! Fields are added one index at a time, since placement may choose any of them; Elasticsearch merges what several indexers add. The
//! template has no such merge: each reads it, adds what it and the newest index know, and looks again afterwards. Whoever writes last has
//! looked at an index to which all others had added theirs before, so nothing is lost.
//!
//! A field that an index has with another type stays as it is there: documents that fit go in, the others are dead letters with
//! Elasticsearch's reason. In the template the wider type wins, so that the next index takes both.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::{Map, Value, json};

use super::managed::{Decision, Live, Managed, decide, hash};
use super::mapping::compare::{Conflict, Difference, compare, merge};
use super::requests::RequestError;
use super::{Index, resources};

/// How many times template and indices are looked at: more than there are indexers that add fields at the same moment.
const MAX_ROUNDS: usize = 20;
/// How many conflicts are remembered as told.
const MAX_TOLD: usize = 1_000;

/// The conflicts of one look at the indices: by the index's name.
type Conflicts = BTreeSet<(String, Conflict)>;

impl Index {
    /// Adds all known fields to the template and to each index, until nothing is missing.
    pub(super) async fn evolve(&self) -> Result<(), RequestError> {
        for _ in 0..MAX_ROUNDS {
            let live = match self.live_mappings().await {
                Err(error) if error.is_denied() => {
                    tracing::warn!(index = self.name(), %error, "The mapping may not be read: fields of new schemas have to be added by hand.");
                    return Ok(());
                }
                live => live?,
            };
            let in_indices = self.add_to_indices(&live).await?;
            let in_template = self.add_to_template(newest(&live).and_then(|name| live.get(name))).await?;
            if !(in_indices || in_template) || self.requests.is_dry_run() {
                return Ok(());
            }
        }
        tracing::warn!(index = self.name(), "The mapping was changed by others each time it was looked at.");
        Ok(())
    }

    /// What the template and each index lack of the known fields, and where they contradict them.
    pub(crate) async fn differences(&self) -> Result<Vec<(String, Difference)>, RequestError> {
        let known = self.known_mapping();
        let template = resources::component_template(&self.settings_here(), &known);
        let mut differences = Vec::new();
        let name = format!("component template {}", template.name);
        match template.live(&self.requests).await? {
            Some(live) => differences.push((name, compare(&known, &live.content["template"]["mappings"]))),
            None => differences.push((name, compare(&known, &Value::Null))),
        }
        for (index, mapping) in self.live_mappings().await? {
            differences.push((format!("index {index}"), compare(&known, &mapping)));
        }
        Ok(differences)
    }

    /// The mappings of all its indices, the newest last.
    pub(super) async fn live_mappings(&self) -> Result<BTreeMap<String, Value>, RequestError> {
        let answer = self.requests.get(&format!("/{}/_mapping", self.name())).await?.unwrap_or_default();
        let Value::Object(indices) = answer else { return Ok(BTreeMap::new()) };
        let mapping = |mut index: Value| index.get_mut("mappings").map(Value::take).unwrap_or_default();
        Ok(indices.into_iter().map(|(name, index)| (name, mapping(index))).collect())
    }

    /// Whether something was added.
    async fn add_to_indices(&self, live: &BTreeMap<String, Value>) -> Result<bool, RequestError> {
        let (wanted, contradicting) = self.known();
        let newest = newest(live);
        let mut added = false;
        let mut conflicts = Conflicts::new();
        for (index, mapping) in live {
            let difference = compare(&wanted, mapping);
            let of_others = contradicting.iter().flat_map(|other| compare(other, mapping).conflicts);
            let all = difference.conflicts.into_iter().chain(of_others);
            conflicts.extend(all.map(|conflict| (index.clone(), conflict)));
            let Some(addition) = difference.addition else { continue };
            match self.add_to_index(index, mapping, &addition).await {
                Ok(()) => {
                    let fields: Vec<&str> = difference.missing.iter().map(|(path, _)| path.as_str()).collect();
                    tracing::info!(index, fields = fields.join(" "), "Fields were added to the mapping.");
                    added = true;
                }
                Err(error) if error.is_bad_request() || error.is_denied() => self.tell_refused(index, &error),
                // Nobody writes to an old index that is closed to changes.
                Err(error) if error.is_block() && newest != Some(index) => self.tell_refused(index, &error),
                Err(error) => return Err(error),
            }
        }
        self.tell_conflicts(&conflicts);
        Ok(added)
    }

    /// The mapping of all schemas, and those of the schemas that contradict it.
    fn known(&self) -> (Value, Vec<Value>) {
        let contradicting = self.state().contradicting.clone();
        (self.known_mapping(), contradicting.into_iter().map(|mapping| self.for_server(mapping)).collect())
    }

    async fn add_to_index(&self, index: &str, live: &Value, addition: &Value) -> Result<(), RequestError> {
        let limit = resources::fields_limit(&merge(live, addition, &BTreeMap::new()));
        if let Some(limit) = limit.filter(|_| resources::fields_limit(live) != limit) {
            let settings = json!({ "index.mapping.total_fields.limit": limit });
            self.requests.put(&format!("/{index}/_settings"), &settings).await?;
        }
        self.requests.put(&format!("/{index}/_mapping"), addition).await
    }

    fn tell_refused(&self, index: &str, error: &RequestError) {
        if self.state().is_new(format!("{index} {error}")) {
            tracing::error!(index, %error, "Fields could not be added to the mapping; documents that need them wait until they are (docs/refusals.md).");
        }
    }

    fn tell_conflicts(&self, conflicts: &Conflicts) {
        self.metrics.mapping_conflicts.set(i64::try_from(conflicts.len()).unwrap_or(i64::MAX));
        for (index, Conflict { path, wanted, live }) in conflicts {
            if self.state().is_new(format!("{index} {path} {wanted} {live}")) {
                tracing::error!(
                    index,
                    field = path,
                    schema_type = wanted,
                    index_type = live,
                    "A field has another type in the index than in the schema; what does not fit becomes a dead letter."
                );
            }
        }
    }

    /// Adds all known fields to the component template, and those of the newest index. Gives whether it was changed.
    async fn add_to_template(&self, newest: Option<&Value>) -> Result<bool, RequestError> {
        let known = self.known_mapping();
        let template = resources::component_template(&self.settings_here(), &known);
        let live = match template.live(&self.requests).await {
            Err(error) if error.is_denied() => return Ok(false),
            live => live?,
        };
        let newest = newest.map(without_free_names).unwrap_or_default();
        let wanted = self.wanted_template(&known, &newest, live.as_ref());
        let Some((decision, wanted, theirs)) = wanted else { return Ok(false) };
        match wanted.put(&self.requests, theirs.then_some(live.as_ref()).flatten()).await {
            Err(error) if error.is_denied() => return Ok(false),
            put => put?,
        }
        wanted.tell(decision, &self.requests);
        Ok(true)
    }

    /// What the template should be, if it is not so: what it has stays, whoever put it there, and what is known comes to it.
    fn wanted_template(&self, known: &Value, newest: &Value, live: Option<&Live>) -> Option<(Decision, Managed, bool)> {
        let chosen = &self.settings.mapping.config.fields;
        let settings = self.settings_here();
        let of = |mapping: &Value| resources::component_template(&settings, mapping);
        let Some(live) = live else {
            return Some((Decision::Make, of(&merge(known, newest, &BTreeMap::new())), false));
        };
        let theirs = !self.force && (live.is_theirs() || live.is_newer());
        let mapping = &live.content["template"]["mappings"];
        let merged = if self.force {
            merge(known, newest, &BTreeMap::new())
        } else if theirs {
            merge(&merge(mapping, known, chosen), newest, &BTreeMap::new())
        } else {
            let mut merged = merge(&merge(mapping, known, chosen), newest, &BTreeMap::new());
            for (key, value) in known.as_object().into_iter().flatten().filter(|(key, _)| is_setting(key)) {
                merged[key] = value.clone();
            }
            merged
        };
        let mut wanted = of(&merged);
        if theirs {
            keep_settings(&mut wanted.content, &live.content);
        }
        let same = hash(&wanted.content) == hash(&live.content);
        let leave = match theirs {
            true => same,
            false => decide(&wanted.content, Some(live), self.force) == Decision::Leave || same && !live.is_theirs(),
        };
        (!leave).then_some((Decision::Update, wanted, theirs))
    }
}

impl super::State {
    /// Whether this is told for the first time.
    pub(super) fn is_new(&mut self, told: String) -> bool {
        if self.told.len() >= MAX_TOLD {
            self.told = HashSet::new();
        }
        self.told.insert(told)
    }
}

/// The newest of several indices by its name: the numbers and dates at the ends of names follow one another. Those that were shrunk have
/// other names, and are old.
fn newest(live: &BTreeMap<String, Value>) -> Option<&String> {
    live.keys().rfind(|name| !name.starts_with("shrink-")).or(live.keys().next_back())
}

/// Keys of a mapping that are neither fields nor lists of them.
fn is_setting(key: &str) -> bool {
    !matches!(key, "properties" | "dynamic_templates")
}

/// The settings of `live`, save for the limit of fields, which follows the fields.
fn keep_settings(wanted: &mut Value, live: &Value) {
    let limit = wanted["template"]["settings"]["index"]["mapping"].take();
    let mut settings = live["template"]["settings"].clone();
    if !limit.is_null() {
        settings["index"]["mapping"] = limit;
    }
    match settings.is_null() {
        true => {
            if let Some(template) = wanted["template"].as_object_mut() {
                template.remove("settings");
            }
        }
        false => wanted["template"]["settings"] = settings,
    }
}

/// The fields of a live mapping that somebody put there, without those that Elasticsearch adds by itself: where names are free, there may be
/// any number of them, and they are no concern of a template.
fn without_free_names(mapping: &Value) -> Value {
    let is_free = |object: &Value| object.get("dynamic").is_some_and(|dynamic| *dynamic == true || *dynamic == "true");
    if is_free(mapping) {
        return json!({});
    }
    let mut properties = Map::new();
    for (name, field) in mapping.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let mut field = field.clone();
        match field.get("properties") {
            Some(_) if is_free(&field) => {
                if let Some(object) = field.as_object_mut() {
                    object.remove("properties");
                    object.insert("type".to_owned(), json!("object"));
                }
            }
            Some(_) => field["properties"] = without_free_names(&field)["properties"].take(),
            None => {}
        }
        properties.insert(name.clone(), field);
    }
    json!({ "properties": properties })
}
