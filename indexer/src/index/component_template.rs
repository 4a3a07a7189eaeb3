//! The component template, which holds mapping and settings, and gets the fields of new schemas.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::known_fields::KnownFields;
use super::managed::{Decision, Live, Managed, decide, hash};
use super::mapping::compare::{Difference, compare, merge};
use super::policy::Policy;
use super::requests::{RequestError, Requests};
use super::resources;

/// Creates the component template of an index, and adds new fields to it.
#[derive(Debug)]
pub(super) struct ComponentTemplate {
    requests: Requests,
    policy: Arc<Policy>,
    fields: Arc<KnownFields>,
}

impl ComponentTemplate {
    /// Creates the template for the settings that `policy` knows, with `fields`. Sends nothing.
    pub(super) fn new(requests: &Requests, policy: &Arc<Policy>, fields: &Arc<KnownFields>) -> Self {
        Self { requests: requests.clone(), policy: Arc::clone(policy), fields: Arc::clone(fields) }
    }

    /// Returns the name of the template, and which known fields it lacks or contradicts.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(super) async fn difference(&self) -> Result<(String, Difference), RequestError> {
        let known = self.fields.mapping();
        let template = resources::component_template(&self.policy.settings_here(), &known);
        let name = format!("component template {}", template.name);
        let live = template.live(&self.requests).await?;
        let live = live.map(|live| live.content["template"]["mappings"].clone()).unwrap_or_default();
        Ok((name, compare(&known, &live)))
    }

    /// Adds all known fields, and those of the newest index, to the template. Returns whether it changed.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(super) async fn add(&self, newest: Option<&Value>) -> Result<bool, RequestError> {
        let known = self.fields.mapping();
        let template = resources::component_template(&self.policy.settings_here(), &known);
        let live = match template.live(&self.requests).await {
            Err(error) if error.is_denied() => return Ok(false),
            live => live?,
        };
        let newest = newest.map(without_free_names).unwrap_or_default();
        let wanted = self.wanted(&known, &newest, live.as_ref());
        let Some((decision, wanted, theirs)) = wanted else { return Ok(false) };
        match wanted.put(&self.requests, theirs.then_some(live.as_ref()).flatten()).await {
            Err(error) if error.is_denied() => return Ok(false),
            put => put?,
        }
        wanted.log_decision(decision, &self.requests);
        Ok(true)
    }

    /// Returns the wanted template if it differs from the live one. It keeps what is there and adds what is known.
    fn wanted(&self, known: &Value, newest: &Value, live: Option<&Live>) -> Option<(Decision, Managed, bool)> {
        let settings = self.policy.settings_here();
        let chosen = &settings.mapping.config.fields;
        let force = self.requests.overwrites();
        let of = |mapping: &Value| resources::component_template(&settings, mapping);
        let Some(live) = live else {
            return Some((Decision::Make, of(&merge(known, newest, &BTreeMap::new())), false));
        };
        let theirs = !force && (live.is_theirs() || live.is_newer());
        let mapping = &live.content["template"]["mappings"];
        let merged = if force {
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
            false => decide(&wanted.content, Some(live), force) == Decision::Leave || same && !live.is_theirs(),
        };
        (!leave).then_some((Decision::Update, wanted, theirs))
    }
}

/// Returns whether `key` of a mapping is neither fields nor a list of them.
fn is_setting(key: &str) -> bool {
    !matches!(key, "properties" | "dynamic_templates")
}

/// Keeps the settings of `live`, except for the limit of fields, which follows the number of fields.
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

/// Returns the fields of a live mapping that were defined deliberately, without those that Elasticsearch adds to
/// dynamic objects. There may be any number of those, and they do not belong in a template.
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
