//! Compares the documents of an old index set with those of a new one: their number, and a sample.

use serde_json::{Value, json};

use super::Member;
use crate::index::requests::{RequestError, Requests};

/// The size of the sample.
const SAMPLE: usize = 200;

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

impl Comparison {
    /// Returns whether the new set lacks documents that the old one has.
    pub(crate) fn lacks(&self) -> bool {
        self.new < self.old || self.missing > 0
    }
}

/// Compares the documents of `old` that were received before `millis` with those of `new`: their number, and a
/// sample.
///
/// # Errors
/// [`RequestError`].
pub(crate) async fn compare(
    requests: &Requests,
    old: &[Member],
    new: &str,
    millis: i64,
) -> Result<Comparison, RequestError> {
    let old: Vec<&str> = old.iter().map(|member| member.index.as_str()).collect();
    let old = old.join(",");
    for name in [old.as_str(), new] {
        requests.get(&format!("/{name}/_refresh")).await?;
    }
    let before = json!({ "range": { "_ingested_at": { "lt": millis, "format": "epoch_millis" } } });
    let sample = sample_of(requests, &old, &before).await?;
    let mut comparison = Comparison {
        old: count(requests, &old, &before).await?,
        new: count(requests, new, &before).await?,
        sample: sample.len() as u64,
        ..Comparison::default()
    };
    for (ours, theirs) in sample.iter().zip(sources(requests, new, &sample).await?) {
        match theirs {
            None => comparison.missing += 1,
            Some(theirs) if theirs != ours.1 => comparison.different += 1,
            Some(_) => {}
        }
    }
    Ok(comparison)
}

async fn count(requests: &Requests, indices: &str, query: &Value) -> Result<u64, RequestError> {
    let path = format!("/{indices}/_count");
    let answer = requests.ask(&path, &json!({ "query": query })).await?;
    let failed = answer["_shards"]["failed"].as_u64().unwrap_or(0);
    match answer["count"].as_u64().filter(|_| failed == 0) {
        Some(count) => Ok(count),
        None => Err(RequestError::Incomplete(format!("POST {path}: {failed} shards did not answer"))),
    }
}

/// Returns the ids and fields of randomly chosen documents.
async fn sample_of(requests: &Requests, indices: &str, query: &Value) -> Result<Vec<(String, Value)>, RequestError> {
    let random = json!({ "function_score": { "query": query, "random_score": {}, "boost_mode": "replace" } });
    let request = json!({ "query": random, "size": SAMPLE });
    let path = format!("/{indices}/_search?allow_partial_search_results=false");
    let mut answer = requests.ask(&path, &request).await?;
    let hits = answer["hits"]["hits"].as_array_mut().map(std::mem::take).unwrap_or_default();
    let of = |mut hit: Value| Some((hit["_id"].as_str()?.to_owned(), hit["_source"].take()));
    Ok(hits.into_iter().filter_map(of).collect())
}

/// Returns the fields of the documents of `sample` in `index`, or `None` for missing documents.
async fn sources(
    requests: &Requests,
    index: &str,
    sample: &[(String, Value)],
) -> Result<Vec<Option<Value>>, RequestError> {
    if sample.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<&str> = sample.iter().map(|(id, _)| id.as_str()).collect();
    let mut answer = requests.ask(&format!("/{index}/_mget"), &json!({ "ids": ids })).await?;
    let docs = answer["docs"].as_array_mut().map(std::mem::take).unwrap_or_default();
    let of = |mut doc: Value| (doc["found"] == true).then(|| doc["_source"].take());
    Ok(docs.into_iter().map(of).collect())
}
