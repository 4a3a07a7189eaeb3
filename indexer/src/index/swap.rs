//! Replaces the index set behind an alias by another one: a single request moves the alias, and the mapping of the
//! new index stores the way back.

use serde_json::{Value, json};

use super::requests::RequestError;
use super::{Index, Known, lifecycle, resources};
use crate::config::{Expired, Lifecycle, Strategy};
use crate::placement::Kin;
pub(crate) use back::Returned;

mod back;

/// An index behind an alias.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
pub(crate) struct Member {
    /// Its name.
    pub(crate) index: String,
    /// Whether the alias writes to it.
    pub(crate) is_write_index: bool,
}

/// The index set that was replaced, as the mapping of the new index stores it (`_meta.penstock_swap`).
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
pub(crate) struct Replaced {
    /// The indices that were behind the alias.
    pub(crate) indices: Vec<Member>,
    /// The indices that accepted documents until the swap closed them.
    pub(crate) closed: Vec<String>,
    /// The position from which the topic must be read again after a swap back: `PARTITION:OFFSET,…`.
    pub(crate) from: String,
}

/// Compares the documents of an old index set with those of a new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Comparison {
    /// Documents of the old set.
    pub(crate) old: u64,
    /// Documents of the new set.
    pub(crate) new: u64,
    /// Documents of the old set that were looked up in the new one.
    pub(crate) sample: u64,
    /// Documents of the sample that are missing.
    pub(crate) missing: u64,
    /// Documents of the sample whose fields differ.
    pub(crate) different: u64,
}

/// The size of the sample.
const SAMPLE: usize = 200;
/// The key in `_meta` for the way back.
const META: &str = "penstock_swap";

impl Comparison {
    /// Returns whether the new set lacks documents that the old one has.
    pub(crate) fn lacks(&self) -> bool {
        self.new < self.old || self.missing > 0
    }
}

/// Returns why an index set of `strategy` cannot be replaced by `into`, or `None` if it can. `behind` holds the
/// indices behind its alias.
pub(crate) fn obstacle(
    strategy: Strategy,
    expired: Expired,
    name: &str,
    into: &str,
    behind: &[Member],
) -> Option<String> {
    match strategy {
        Strategy::DataStream => Some(
            "with elasticsearch.strategy data_stream no alias leads to the documents: replay into another elasticsearch.index_name".to_owned(),
        ),
        Strategy::Time => Some(
            "with elasticsearch.strategy time documents are written to indices named by their day, not through the alias: replay into \
             another elasticsearch.index_name"
                .to_owned(),
        ),
        Strategy::Single | Strategy::Rollover if behind.is_empty() => Some(format!(
            "{name} is not an alias, so it cannot be replaced in one step: give the index another name and an alias {name} \
             (docs/replay.md)"
        )),
        Strategy::Single => None,
        Strategy::Rollover if expired != Expired::Oldest => Some(
            "elasticsearch.placement.expired is not oldest: late events would be refused, since the new index set begins today".to_owned(),
        ),
        Strategy::Rollover => {
            let generation = |index: &str| match Kin::of(name, index) {
                Kin::Own(generation) => Some(generation),
                Kin::Mounted(_) | Kin::Copy(_) | Kin::Foreign => None,
            };
            let last = behind.iter().filter_map(|member| generation(&member.index)).max().unwrap_or(0);
            let is_next = generation(into).is_some_and(|number| number > last);
            (!is_next).then(|| format!("a backing index of {name} has a number above {last:06}: give --into {name}-{:06}", last + 1))
        }
    }
}

impl Index {
    /// Returns the indices behind the alias of this name, or none if the name is not an alias.
    ///
    /// # Errors
    /// For each function here: if Elasticsearch does not answer, or refuses.
    pub(crate) async fn members(&self) -> Result<Vec<Member>, RequestError> {
        let behind = self.behind_alias().await?;
        Ok(behind.into_iter().map(|(index, is_write_index)| Member { index, is_write_index }).collect())
    }

    /// Returns whether an index, alias or data stream `name` exists.
    pub(crate) async fn has(&self, name: &str) -> Result<bool, RequestError> {
        Ok(self.requests.exists(&format!("/{name}")).await? == Some(true))
    }

    /// Compares the documents of `old` that were received before `millis` with those of `new`: their number, and a
    /// sample.
    pub(crate) async fn compare_sets(
        &self,
        old: &[Member],
        new: &str,
        millis: i64,
    ) -> Result<Comparison, RequestError> {
        let old: Vec<&str> = old.iter().map(|member| member.index.as_str()).collect();
        let old = old.join(",");
        for name in [old.as_str(), new] {
            self.requests.get(&format!("/{name}/_refresh")).await?;
        }
        let before = json!({ "range": { "_ingested_at": { "lt": millis, "format": "epoch_millis" } } });
        let sample = self.sample(&old, &before).await?;
        let mut comparison = Comparison {
            old: self.count(&old, &before).await?,
            new: self.count(new, &before).await?,
            sample: sample.len() as u64,
            ..Comparison::default()
        };
        for (ours, theirs) in sample.iter().zip(self.sources(new, &sample).await?) {
            match theirs {
                None => comparison.missing += 1,
                Some(theirs) if theirs != ours.1 => comparison.different += 1,
                Some(_) => {}
            }
        }
        Ok(comparison)
    }

    /// Moves the alias of this name from `from` to `to` in one step. Fails if the alias no longer leads to `from`.
    pub(crate) async fn move_alias(&self, from: &[Member], to: &[Member]) -> Result<(), RequestError> {
        let name = self.name();
        let removes =
            from.iter().map(|it| json!({ "remove": { "index": it.index, "alias": name, "must_exist": true } }));
        let adds = to
            .iter()
            .map(|it| json!({ "add": { "index": it.index, "alias": name, "is_write_index": it.is_write_index } }));
        let actions: Vec<Value> = removes.chain(adds).collect();
        self.requests.post("/_aliases", &json!({ "actions": actions })).await
    }

    /// Blocks writes to `index`. When this returns, no write is in flight either.
    pub(crate) async fn close_to_writes(&self, index: &str) -> Result<(), RequestError> {
        self.requests.put(&format!("/{index}/_block/write"), &Value::Null).await
    }

    /// Returns the indices of `members` that accept documents.
    pub(crate) async fn writable(&self, members: &[Member]) -> Result<Vec<String>, RequestError> {
        let mut writable = Vec::new();
        for member in members {
            let path = format!("/{}/_settings?filter_path=*.settings.index.blocks.write", member.index);
            let answer = self.requests.get(&path).await?.unwrap_or_default();
            if answer[&member.index]["settings"]["index"]["blocks"]["write"] != "true" {
                writable.push(member.index.clone());
            }
        }
        Ok(writable)
    }

    /// Creates the index `name` with the current mapping and with the settings of this index's template, except for
    /// the lifecycle.
    pub(crate) async fn make_beside(&self, name: &str) -> Result<(), RequestError> {
        self.bootstrap(Known::Nothing).await?;
        let path = format!("/_index_template/_simulate/{}", resources::template_name(&self.settings));
        let mut settings = match self.requests.ask(&path, &Value::Null).await {
            Ok(mut simulated) => simulated["template"]["settings"].take(),
            Err(error) => {
                tracing::warn!(index = name, %error, "The settings of the template are not known: the index is made with the defaults.");
                Value::Null
            }
        };
        if let Some(index) = settings.pointer_mut("/index").and_then(Value::as_object_mut) {
            index.retain(|key, _| key != "lifecycle" && key != "plugins");
        }
        let mut body = json!({ "mappings": self.known_mapping() });
        if settings.is_object() {
            body["settings"] = settings;
        }
        // The template of the backing indices may still have outdated fields. A template for this name alone wins
        // while the index is created.
        let template = format!("/_index_template/penstock-{name}");
        let alone = json!({ "index_patterns": [name], "priority": lifecycle::priority(name) });
        self.requests.put(&template, &alone).await?;
        self.requests.put(&format!("/{name}"), &body).await?;
        self.requests.delete(&template).await
    }

    /// Allows writes to `index` again.
    pub(crate) async fn open_to_writes(&self, index: &str) -> Result<(), RequestError> {
        self.requests.put(&format!("/{index}/_settings"), &json!({ "index.blocks.write": null })).await
    }

    /// Stores in the mapping of `index` what it is about to replace.
    pub(crate) async fn note_replaced(&self, index: &str, replaced: &Replaced) -> Result<(), RequestError> {
        self.requests.put(&format!("/{index}/_mapping"), &json!({ "_meta": { META: replaced } })).await
    }

    /// Returns what the indices behind the alias have replaced, if one of them stores it.
    pub(crate) async fn replaced(&self) -> Result<Option<Replaced>, RequestError> {
        let path = format!("/{}/_mapping?filter_path=*.mappings._meta.{META}", self.name());
        let Some(Value::Object(indices)) = self.requests.get(&path).await? else { return Ok(None) };
        let mut notes = indices.into_iter().rev().map(|(_, mut index)| index["mappings"]["_meta"][META].take());
        Ok(notes.find_map(|note| serde_json::from_value(note).ok()))
    }

    /// Applies the lifecycle of this name's indices to `index`, which has become one of them. Deletes the templates
    /// that it was created with.
    pub(crate) async fn adopt_member(&self, index: &str) -> Result<(), RequestError> {
        for folder in ["_index_template", "_component_template"] {
            self.requests.delete(&format!("/{folder}/penstock-{index}")).await?;
        }
        let settings = self.settings_here();
        let (Lifecycle::Ilm, Some(policy)) = (settings.lifecycle, &settings.policy) else { return Ok(()) };
        let lifecycle = match settings.strategy {
            Strategy::Rollover => json!({ "name": policy.policy_name, "rollover_alias": self.name() }),
            Strategy::Single | Strategy::Time | Strategy::DataStream => json!({ "name": policy.policy_name }),
        };
        self.requests.put(&format!("/{index}/_settings"), &json!({ "index": { "lifecycle": lifecycle } })).await
    }

    async fn count(&self, indices: &str, query: &Value) -> Result<u64, RequestError> {
        let path = format!("/{indices}/_count");
        let answer = self.requests.ask(&path, &json!({ "query": query })).await?;
        let failed = answer["_shards"]["failed"].as_u64().unwrap_or(0);
        match answer["count"].as_u64().filter(|_| failed == 0) {
            Some(count) => Ok(count),
            None => Err(RequestError::Incomplete(format!("POST {path}: {failed} shards did not answer"))),
        }
    }

    /// Returns the ids and fields of randomly chosen documents.
    async fn sample(&self, indices: &str, query: &Value) -> Result<Vec<(String, Value)>, RequestError> {
        let random = json!({ "function_score": { "query": query, "random_score": {}, "boost_mode": "replace" } });
        let request = json!({ "query": random, "size": SAMPLE });
        let path = format!("/{indices}/_search?allow_partial_search_results=false");
        let mut answer = self.requests.ask(&path, &request).await?;
        let hits = answer["hits"]["hits"].as_array_mut().map(std::mem::take).unwrap_or_default();
        let of = |mut hit: Value| Some((hit["_id"].as_str()?.to_owned(), hit["_source"].take()));
        Ok(hits.into_iter().filter_map(of).collect())
    }

    /// Returns the fields of the documents of `sample` in `index`, or `None` for missing documents.
    async fn sources(&self, index: &str, sample: &[(String, Value)]) -> Result<Vec<Option<Value>>, RequestError> {
        if sample.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<&str> = sample.iter().map(|(id, _)| id.as_str()).collect();
        let mut answer = self.requests.ask(&format!("/{index}/_mget"), &json!({ "ids": ids })).await?;
        let docs = answer["docs"].as_array_mut().map(std::mem::take).unwrap_or_default();
        let of = |mut doc: Value| (doc["found"] == true).then(|| doc["_source"].take());
        Ok(docs.into_iter().map(of).collect())
    }
}

#[cfg(test)]
mod tests;
