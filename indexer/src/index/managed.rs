//! Policies and templates that are ours to make and an operator's to change.
//!
//! Each holds in its `_meta` which version of Penstock wrote it, a hash of what was sent, and a hash of how
//! Elasticsearch gave it back. When it is no longer given back so, somebody changed it by hand: it is kept, and said
//! so, until `setup --force`. What a newer version wrote is kept too. [`decide`] is pure; the rest are requests.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::requests::{RequestError, Requests};

/// Where in `_meta` our marks stand.
const MARK: &str = "penstock";
/// What Elasticsearch adds to a template from 9.2 on: when it was put. It says nothing about who has changed what.
const DATES: [&str; 4] = ["created_date", "created_date_millis", "modified_date", "modified_date_millis"];
/// The version of this program.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What kind of thing it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    IlmPolicy,
    IsmPolicy,
    ComponentTemplate,
    IndexTemplate,
}

/// A policy or template as it should be.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Managed {
    pub(super) kind: Kind,
    pub(super) name: String,
    /// Without `_meta`.
    pub(super) content: Value,
}

/// A policy or template as it is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Live {
    /// Without `_meta`.
    pub(super) content: Value,
    meta: Value,
}

/// What is done about one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// There is none: make it.
    Make,
    /// It is as it should be.
    Leave,
    /// It is ours and should be another.
    Update,
    /// Somebody changed it, or made it.
    KeepTheirs,
    /// A newer version wrote it.
    KeepNewer,
}

impl Kind {
    fn description(self) -> &'static str {
        match self {
            Self::IlmPolicy | Self::IsmPolicy => "lifecycle policy",
            Self::ComponentTemplate => "component template",
            Self::IndexTemplate => "index template",
        }
    }
}

impl Managed {
    pub(super) fn path(&self) -> String {
        let folder = match self.kind {
            Kind::IlmPolicy => "_ilm/policy",
            Kind::IsmPolicy => "_plugins/_ism/policies",
            Kind::ComponentTemplate => "_component_template",
            Kind::IndexTemplate => "_index_template",
        };
        format!("/{folder}/{}", self.name)
    }

    /// Returns how it is now.
    pub(super) async fn live(&self, requests: &Requests) -> Result<Option<Live>, RequestError> {
        let Some(answer) = requests.get(&self.path()).await? else { return Ok(None) };
        let mut content = match self.kind {
            Kind::IlmPolicy => answer[&self.name]["policy"].clone(),
            Kind::IsmPolicy => return Ok(Some(Live { meta: ism_meta(&answer), content: answer })),
            Kind::ComponentTemplate => answer["component_templates"][0]["component_template"].clone(),
            Kind::IndexTemplate => answer["index_templates"][0]["index_template"].clone(),
        };
        let meta = content.as_object_mut().and_then(|object| object.remove("_meta")).unwrap_or_default();
        if let Some(content) = content.as_object_mut() {
            content.retain(|key, _| !DATES.contains(&key.as_str()));
        }
        Ok(content.is_object().then_some(Live { content, meta }))
    }

    /// Puts it, marked. `theirs`: it stays theirs, since somebody's changes are still in it.
    pub(super) async fn put(&self, requests: &Requests, theirs: Option<&Live>) -> Result<(), RequestError> {
        if let Some(live) = theirs {
            return requests.put(&self.path(), &self.body(live.meta.clone())).await;
        }
        match self.kind {
            // It is given back as it was sent.
            Kind::ComponentTemplate => {
                requests.put(&self.path(), &self.body(mark(&self.content, &hash(&self.content)))).await
            }
            Kind::IsmPolicy => requests.put(&self.path(), &self.body(Value::Null)).await,
            // It is given back with defaults filled in.
            Kind::IlmPolicy | Kind::IndexTemplate => {
                requests.put(&self.path(), &self.body(mark(&self.content, ""))).await?;
                self.note_how_it_is_kept(requests).await
            }
        }
    }

    /// Adds to the mark how Elasticsearch gives it back, unless somebody else has put another meanwhile.
    async fn note_how_it_is_kept(&self, requests: &Requests) -> Result<(), RequestError> {
        if requests.is_dry_run() {
            return Ok(());
        }
        match self.live(requests).await? {
            Some(live) if live.lacks_note() && live.was_sent(&self.content) => {
                requests.put(&self.path(), &self.body(mark(&self.content, &hash(&live.content)))).await
            }
            Some(_) | None => Ok(()),
        }
    }

    fn body(&self, meta: Value) -> Value {
        let mut content = self.content.clone();
        if self.kind == Kind::IsmPolicy {
            content["policy"]["description"] = json!(ism_description(&content));
            return content;
        }
        if !meta.is_null() {
            content["_meta"] = meta;
        }
        match self.kind {
            Kind::IlmPolicy => json!({ "policy": content }),
            Kind::IsmPolicy | Kind::ComponentTemplate | Kind::IndexTemplate => content,
        }
    }

    /// Makes it what it should be, as far as it is ours.
    pub(super) async fn ensure(&self, requests: &Requests, force: bool) -> Result<Decision, RequestError> {
        let live = self.live(requests).await?;
        let decision = decide(&self.content, live.as_ref(), force);
        match (decision, self.kind, &live) {
            (Decision::Make, ..) => self.put(requests, None).await?,
            (Decision::Update, Kind::IsmPolicy, Some(live)) => {
                let number = |name: &str| live.content[name].as_i64().unwrap_or_default();
                let (sequence, term) = (number("_seq_no"), number("_primary_term"));
                let path = format!("{}?if_seq_no={sequence}&if_primary_term={term}", self.path());
                requests.put(&path, &self.body(Value::Null)).await?;
            }
            (Decision::Update, ..) => self.put(requests, None).await?,
            // Whoever put it was stopped before the note.
            (Decision::Leave, Kind::IlmPolicy | Kind::IndexTemplate, Some(live)) if live.lacks_note() => {
                self.note_how_it_is_kept(requests).await?;
            }
            (Decision::Leave | Decision::KeepTheirs | Decision::KeepNewer, ..) => {}
        }
        self.log_decision(decision, requests);
        Ok(decision)
    }

    /// Logs what was done about it, once it is done. A dry run does nothing, and says what it would do itself.
    pub(super) fn log_decision(&self, decision: Decision, requests: &Requests) {
        let (what, name) = (self.kind.description(), self.name.as_str());
        match decision {
            Decision::Make | Decision::Update if requests.is_dry_run() => {}
            Decision::Make => tracing::info!(name, "Created the {what}."),
            Decision::Update => tracing::info!(name, "Updated the {what}."),
            Decision::Leave => tracing::debug!(name, "The {what} is up to date."),
            Decision::KeepTheirs => tracing::warn!(
                name,
                "The {what} was created or changed by hand and differs from the config; it is kept. `penstock-indexer \
                 setup --force` overwrites it."
            ),
            Decision::KeepNewer => {
                tracing::warn!(
                    name,
                    version = VERSION,
                    "The {what} was written by a newer version of Penstock; it is kept."
                );
            }
        }
    }
}

impl Live {
    /// Returns whether what is there is not as this program wrote it.
    pub(super) fn is_theirs(&self) -> bool {
        match self.meta[MARK]["kept"].as_str() {
            // Whoever wrote it has not yet seen how it is given back.
            Some("") => false,
            Some(kept) => kept != hash(&self.content),
            None => true,
        }
    }

    fn lacks_note(&self) -> bool {
        self.meta[MARK]["kept"] == ""
    }

    fn was_sent(&self, content: &Value) -> bool {
        self.meta[MARK]["sent"] == hash(content)
    }

    /// Returns whether a newer version wrote it.
    pub(super) fn is_newer(&self) -> bool {
        let theirs = self.meta[MARK]["version"].as_str().and_then(version);
        matches!((theirs, version(VERSION)), (Some(theirs), Some(ours)) if theirs > ours)
    }
}

/// Returns what is to be done about `live`, which should have the content `wanted`.
pub(super) fn decide(wanted: &Value, live: Option<&Live>, force: bool) -> Decision {
    let Some(live) = live else { return Decision::Make };
    if force {
        let same = live.was_sent(wanted) && !live.is_theirs();
        return if same { Decision::Leave } else { Decision::Update };
    }
    // Whatever was changed by hand since: the config has not.
    if live.was_sent(wanted) {
        return Decision::Leave;
    }
    match (live.is_newer(), live.is_theirs()) {
        (true, _) => Decision::KeepNewer,
        (false, true) => Decision::KeepTheirs,
        (false, false) => Decision::Update,
    }
}

fn mark(content: &Value, kept: &str) -> Value {
    json!({
        "managed_by": "penstock-indexer",
        MARK: { "version": VERSION, "sent": hash(content), "kept": kept },
    })
}

/// A policy of Index State Management has no `_meta`; its description says the same, but not how `OpenSearch` gives it
/// back, so that changes by hand are not seen.
fn ism_description(content: &Value) -> String {
    format!("penstock-indexer {VERSION} {}", hash(content))
}

fn ism_meta(answer: &Value) -> Value {
    let description = answer["policy"]["description"].as_str().unwrap_or_default();
    let description: Vec<&str> = description.split(' ').collect();
    match description.as_slice() {
        ["penstock-indexer", version, sent] => json!({ MARK: { "version": version, "sent": sent, "kept": "" } }),
        _ => Value::Null,
    }
}

fn version(text: &str) -> Option<[u64; 3]> {
    let mut numbers = text.split(['.', '-', '+']).map(str::parse);
    match (numbers.next(), numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch))) => Some([major, minor, patch]),
        _ => None,
    }
}

/// Returns the SHA-256 of a value, whatever the order of its keys.
pub(super) fn hash(value: &Value) -> String {
    hex::encode(Sha256::digest(sorted(value).to_string()))
}

/// Returns the value with its keys in order.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(entries) => {
            let mut entries: Vec<_> = entries.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            entries.sort_by(|(one, _), (other, _)| one.cmp(other));
            Value::Object(Map::from_iter(entries))
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests;
