//! Manages policies and templates that we create and an operator may change.
//!
//! Each holds in its `_meta` the version of Penstock that wrote it, a hash of what was sent, and a hash of what
//! Elasticsearch returned. If Elasticsearch returns something else later, it was changed by hand. A manual change is
//! kept and logged until `setup --force` is run. Content that a newer version wrote is kept too. [`decide`] is pure;
//! the rest are requests.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::requests::{RequestError, Requests};

/// The key in `_meta` for our marks.
const MARK: &str = "penstock";
/// The keys that Elasticsearch 9.2 and later add to a template. The dates do not show who changed the template.
const DATES: [&str; 4] = ["created_date", "created_date_millis", "modified_date", "modified_date_millis"];
/// The version of this program.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The kind of a managed object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    IlmPolicy,
    IsmPolicy,
    ComponentTemplate,
    IndexTemplate,
}

/// A policy or template as the config wants it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Managed {
    pub(super) kind: Kind,
    pub(super) name: String,
    /// The content, without `_meta`.
    pub(super) content: Value,
}

/// A policy or template as it exists.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Live {
    /// The content, without `_meta`.
    pub(super) content: Value,
    meta: Value,
}

/// What to do about a policy or template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// It does not exist: create it.
    Make,
    /// It is up to date.
    Leave,
    /// It is ours and out of date.
    Update,
    /// It was created or changed by hand.
    KeepTheirs,
    /// A newer version of Penstock wrote it.
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

    /// Returns what exists under this name.
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

    /// Writes it, with our mark. With `theirs`, the mark stays as it was, because manual changes are still in the
    /// content.
    pub(super) async fn put(&self, requests: &Requests, theirs: Option<&Live>) -> Result<(), RequestError> {
        if let Some(live) = theirs {
            return requests.put(&self.path(), &self.body(live.meta.clone())).await;
        }
        match self.kind {
            // Elasticsearch returns it as it was sent.
            Kind::ComponentTemplate => {
                requests.put(&self.path(), &self.body(mark(&self.content, &hash(&self.content)))).await
            }
            Kind::IsmPolicy => requests.put(&self.path(), &self.body(Value::Null)).await,
            // Elasticsearch returns it with defaults filled in.
            Kind::IlmPolicy | Kind::IndexTemplate => {
                requests.put(&self.path(), &self.body(mark(&self.content, ""))).await?;
                self.note_how_it_is_kept(requests).await
            }
        }
    }

    /// Adds to the mark the hash of what Elasticsearch returns, unless the content was changed by others meanwhile.
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

    /// Brings it up to date, if it is ours.
    pub(super) async fn ensure(&self, requests: &Requests) -> Result<Decision, RequestError> {
        let live = self.live(requests).await?;
        let decision = decide(&self.content, live.as_ref(), requests.overwrites());
        match (decision, self.kind, &live) {
            (Decision::Make, ..) => self.put(requests, None).await?,
            (Decision::Update, Kind::IsmPolicy, Some(live)) => {
                let number = |name: &str| live.content[name].as_i64().unwrap_or_default();
                let (sequence, term) = (number("_seq_no"), number("_primary_term"));
                let path = format!("{}?if_seq_no={sequence}&if_primary_term={term}", self.path());
                requests.put(&path, &self.body(Value::Null)).await?;
            }
            (Decision::Update, ..) => self.put(requests, None).await?,
            // The writer was stopped before it added the hash.
            (Decision::Leave, Kind::IlmPolicy | Kind::IndexTemplate, Some(live)) if live.lacks_note() => {
                self.note_how_it_is_kept(requests).await?;
            }
            (Decision::Leave | Decision::KeepTheirs | Decision::KeepNewer, ..) => {}
        }
        self.log_decision(decision, requests);
        Ok(decision)
    }

    /// Logs what was done. A dry run logs nothing, because it did nothing and reports its requests itself.
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
    /// Returns whether the content was changed or created by hand.
    pub(super) fn is_theirs(&self) -> bool {
        match self.meta[MARK]["kept"].as_str() {
            // The writer has not yet added the hash of what Elasticsearch returns.
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

    /// Returns whether a newer version of Penstock wrote it.
    pub(super) fn is_newer(&self) -> bool {
        let theirs = self.meta[MARK]["version"].as_str().and_then(version);
        matches!((theirs, version(VERSION)), (Some(theirs), Some(ours)) if theirs > ours)
    }
}

/// Decides what to do about `live`, which should have the content `wanted`.
pub(super) fn decide(wanted: &Value, live: Option<&Live>, force: bool) -> Decision {
    let Some(live) = live else { return Decision::Make };
    if force {
        let same = live.was_sent(wanted) && !live.is_theirs();
        return if same { Decision::Leave } else { Decision::Update };
    }
    // The config has not changed, so a manual change needs no decision.
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

/// Returns the description that marks a policy of Index State Management, which has no `_meta`. It lacks the hash of
/// what `OpenSearch` returns, so manual changes are not noticed.
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

/// Returns the SHA-256 of a value, independent of the order of its keys.
pub(super) fn hash(value: &Value) -> String {
    hex::encode(Sha256::digest(sorted(value).to_string()))
}

/// Returns the value with its keys sorted.
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
