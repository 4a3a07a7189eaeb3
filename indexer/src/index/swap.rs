//! Another index set in place of the one behind the alias, at once: the alias is moved by one request, and the way back
//! is noted in the mapping of the new index.

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

/// What an index set has replaced, as the mapping of the new index keeps it (`_meta.penstock_swap`).
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
pub(crate) struct Replaced {
    /// The indices that were behind the alias.
    pub(crate) indices: Vec<Member>,
    /// Those of them that took documents until the swap closed them.
    pub(crate) closed: Vec<String>,
    /// Where the topic is to be read again from, should they come back: `PARTITION:OFFSET,…`.
    pub(crate) from: String,
}

/// Documents of an old index set compared with those of a new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Comparison {
    /// Documents of the old set.
    pub(crate) old: u64,
    /// Documents of the new set.
    pub(crate) new: u64,
    /// Documents of the old set that were looked up in the new one.
    pub(crate) sample: u64,
    /// Those of the sample that are missing.
    pub(crate) missing: u64,
    /// Those of the sample whose fields differ.
    pub(crate) different: u64,
}

/// How many documents are compared.
const SAMPLE: usize = 200;
/// Where in `_meta` the way back stands.
const META: &str = "penstock_swap";

impl Comparison {
    /// Whether the new set lacks documents that the old one has.
    pub(crate) fn lacks(&self) -> bool {
        self.new < self.old || self.missing > 0
    }
}

/// Returns why an index set of `strategy` cannot be replaced by `into`, or none where it can. `behind` is what is
/// behind its alias.
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
            "{name} is no alias, so nothing can be put in its place at once: give the index another name and an alias {name} \
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
    /// Returns what is behind the alias of this name; nothing where it is no alias.
    ///
    /// # Errors
    /// When Elasticsearch does not answer, or refuses; so for each function here.
    pub(crate) async fn members(&self) -> Result<Vec<Member>, RequestError> {
        let behind = self.behind_alias().await?;
        Ok(behind.into_iter().map(|(index, is_write_index)| Member { index, is_write_index }).collect())
    }

    /// Whether an index, alias or data stream `name` is there.
    pub(crate) async fn has(&self, name: &str) -> Result<bool, RequestError> {
        Ok(self.requests.exists(&format!("/{name}")).await? == Some(true))
    }

    /// Compares the documents of `old` that were received before `millis` with those of `new`: their number, and a
    /// sample of them.
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

    /// Moves the alias of this name from `from` to `to`, at once. Refused when `from` is not what is behind it any
    /// more.
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

    /// Lets nothing be written to `index` any more: when this returns, nothing is on its way either.
    pub(crate) async fn close_to_writes(&self, index: &str) -> Result<(), RequestError> {
        self.requests.put(&format!("/{index}/_block/write"), &Value::Null).await
    }

    /// Returns those of `members` that take documents.
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

    /// Makes the index `name` with today's mapping, and with the settings that the template of this index has, but for
    /// what lets it age.
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
        // The template of the backing indices may still have fields as they were: one for this name alone wins while
        // the index is made.
        let template = format!("/_index_template/penstock-{name}");
        let alone = json!({ "index_patterns": [name], "priority": lifecycle::priority(name) });
        self.requests.put(&template, &alone).await?;
        self.requests.put(&format!("/{name}"), &body).await?;
        self.requests.delete(&template).await
    }

    /// Lets documents be written to `index` again.
    pub(crate) async fn open_to_writes(&self, index: &str) -> Result<(), RequestError> {
        self.requests.put(&format!("/{index}/_settings"), &json!({ "index.blocks.write": null })).await
    }

    /// Notes in the mapping of `index` what it is about to replace.
    pub(crate) async fn note_replaced(&self, index: &str, replaced: &Replaced) -> Result<(), RequestError> {
        self.requests.put(&format!("/{index}/_mapping"), &json!({ "_meta": { META: replaced } })).await
    }

    /// Returns what the indices behind the alias have replaced, as far as they say so.
    pub(crate) async fn replaced(&self) -> Result<Option<Replaced>, RequestError> {
        let path = format!("/{}/_mapping?filter_path=*.mappings._meta.{META}", self.name());
        let Some(Value::Object(indices)) = self.requests.get(&path).await? else { return Ok(None) };
        let mut notes = indices.into_iter().rev().map(|(_, mut index)| index["mappings"]["_meta"][META].take());
        Ok(notes.find_map(|note| serde_json::from_value(note).ok()))
    }

    /// Has `index` age as the others of this name do, now that it is one of them, and deletes the templates it was made
    /// by.
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

    /// Returns ids and fields of some documents, chosen at random.
    async fn sample(&self, indices: &str, query: &Value) -> Result<Vec<(String, Value)>, RequestError> {
        let random = json!({ "function_score": { "query": query, "random_score": {}, "boost_mode": "replace" } });
        let request = json!({ "query": random, "size": SAMPLE });
        let path = format!("/{indices}/_search?allow_partial_search_results=false");
        let mut answer = self.requests.ask(&path, &request).await?;
        let hits = answer["hits"]["hits"].as_array_mut().map(std::mem::take).unwrap_or_default();
        let of = |mut hit: Value| Some((hit["_id"].as_str()?.to_owned(), hit["_source"].take()));
        Ok(hits.into_iter().filter_map(of).collect())
    }

    /// Returns the fields of the documents of `sample` in `index`; none for those that are missing.
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
