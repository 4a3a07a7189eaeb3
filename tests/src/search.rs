//! Elasticsearch for the tests: over plain HTTP, without the indexer's client.

use std::collections::BTreeMap;

use anyhow::Context;
use serde_json::{Map, Value, json};

use crate::http::{self, Method};

/// The number of hits per page; the limit of Elasticsearch (`index.max_result_window`).
const PAGE: usize = 10_000;
/// The number of hits per page with whole documents.
const SOURCES: usize = 2_000;

/// A client of one cluster.
#[derive(Clone, Debug)]
pub struct Search {
    url: String,
    authorization: Option<String>,
}

/// One document: its `_id` and its `event_id`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// `_id`.
    pub id: String,
    /// The field `event_id`.
    pub event_id: String,
}

impl Search {
    /// Creates a client of the cluster at `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), authorization: None }
    }

    /// Returns the client with this value of the header `Authorization` on each request.
    pub fn authorized(self, authorization: String) -> Self {
        Self { authorization: Some(authorization), ..self }
    }

    /// Sends `method path` with a JSON body; null means no body.
    ///
    /// # Errors
    /// If Elasticsearch does not answer, or returns an error, which the message contains.
    pub async fn call(&self, method: Method, path: &str, body: &Value) -> anyhow::Result<Value> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(method, path, "application/json", body).await
    }

    async fn send(&self, method: Method, path: &str, content_type: &str, body: String) -> anyhow::Result<Value> {
        let mut headers = vec![("content-type", content_type)];
        headers.extend(self.authorization.iter().map(|value| ("authorization", value.as_str())));
        let answer = http::send(method, &format!("{}/{path}", self.url), &headers, body).await?;
        anyhow::ensure!(answer.status.is_success(), "{path}: {}: {}", answer.status, answer.text());
        answer.json()
    }

    /// Writes `documents`, by `_id` and `_source`, to `index` in one bulk request. Replaces those that exist.
    ///
    /// # Errors
    /// As for [`Search::call`]; also if a document is refused.
    pub async fn write(&self, index: &str, documents: &[(String, Map<String, Value>)]) -> anyhow::Result<()> {
        let mut body = String::new();
        for (id, source) in documents {
            let (action, source) = (json!({"index": {"_id": id}}), serde_json::to_string(source)?);
            body.push_str(&format!("{action}\n{source}\n"));
        }
        let answer = self.send(Method::POST, &format!("{index}/_bulk"), "application/x-ndjson", body).await?;
        anyhow::ensure!(answer["errors"] == false, "{index}: {answer}");
        Ok(())
    }

    /// Makes all writes to `index` visible to searches.
    ///
    /// # Errors
    /// If Elasticsearch does not answer, or returns an error. The same holds for each function here.
    pub async fn refresh(&self, index: &str) -> anyhow::Result<()> {
        self.call(Method::POST, &format!("{index}/_refresh"), &Value::Null).await.map(drop)
    }

    /// Returns the number of documents in `index`, after a refresh.
    ///
    /// # Errors
    /// As for [`Search::refresh`].
    pub async fn count(&self, index: &str) -> anyhow::Result<u64> {
        self.refresh(index).await?;
        let answer = self.call(Method::POST, &format!("{index}/_count"), &Value::Null).await?;
        answer["count"].as_u64().with_context(|| format!("no count in {answer}"))
    }

    /// Returns the document `id` of `index`, if it exists.
    ///
    /// # Errors
    /// As for [`Search::refresh`].
    pub async fn document(&self, index: &str, id: &str) -> anyhow::Result<Option<Value>> {
        let hits =
            self.call(Method::POST, &format!("{index}/_search"), &json!({"query": {"ids": {"values": [id]}}})).await?;
        Ok(hits["hits"]["hits"].get(0).map(|hit| hit["_source"].clone()))
    }

    /// Returns all documents of `index`, after a refresh, read at one point in time, page by page.
    ///
    /// # Errors
    /// As for [`Search::refresh`].
    pub async fn all(&self, index: &str) -> anyhow::Result<Vec<Hit>> {
        let mut all = Vec::new();
        self.scan(index, page(&json!({"match_all": {}})), |answer| {
            all.extend(hits(answer)?);
            Ok(())
        })
        .await?;
        Ok(all)
    }

    /// Passes all documents of `index` to `take`: name of the backing index, `_id` and `_source`. Reads like
    /// [`Search::all`], but holds only one page at a time.
    ///
    /// # Errors
    /// As for [`Search::refresh`].
    pub async fn sources(
        &self,
        index: &str,
        mut take: impl FnMut(String, String, Map<String, Value>),
    ) -> anyhow::Result<()> {
        let request = json!({"size": SOURCES, "query": {"match_all": {}}, "track_total_hits": false});
        self.scan(index, request, |answer| {
            let hits = answer["hits"]["hits"].as_array_mut().context("no hits")?;
            for mut hit in hits.iter_mut().map(Value::take) {
                match (hit["_index"].take(), hit["_id"].take(), hit["_source"].take()) {
                    (Value::String(index), Value::String(id), Value::Object(source)) => take(index, id, source),
                    other => anyhow::bail!("no document: {other:?}"),
                }
            }
            Ok(())
        })
        .await
    }

    /// Reads the pages of `request` at one point in time, and passes each answer to `take`.
    async fn scan(
        &self,
        index: &str,
        mut request: Value,
        mut take: impl FnMut(&mut Value) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.refresh(index).await?;
        let mut pit = self.open_pit(index).await?;
        // Indices of the tests have one shard each; OpenSearch 2 does not support `_shard_doc`.
        request["sort"] = json!([{"_index": "asc"}, {"_doc": "asc"}]);
        loop {
            request["pit"] = json!({"id": pit, "keep_alive": "1m"});
            let path = "_search?allow_partial_search_results=false";
            let mut answer = self.call(Method::POST, path, &request).await?;
            let last = answer["hits"]["hits"].as_array().with_context(|| format!("no hits in {answer}"))?.last();
            let Some(after) = last.map(|hit| hit["sort"].clone()) else { break };
            request["search_after"] = after;
            take(&mut answer)?;
            pit = answer["pit_id"].take();
        }
        self.close_pit(pit).await
    }

    /// Opens a point in time of `index`, with the endpoint of the running server.
    async fn open_pit(&self, index: &str) -> anyhow::Result<Value> {
        if self.is_opensearch().await? {
            let path = format!("{index}/_search/point_in_time?keep_alive=1m");
            return Ok(self.call(Method::POST, &path, &Value::Null).await?["pit_id"].take());
        }
        Ok(self.call(Method::POST, &format!("{index}/_pit?keep_alive=1m"), &Value::Null).await?["id"].take())
    }

    async fn close_pit(&self, pit: Value) -> anyhow::Result<()> {
        let (path, body) = match self.is_opensearch().await? {
            true => ("_search/point_in_time", json!({"pit_id": [pit]})),
            false => ("_pit", json!({"id": pit})),
        };
        self.call(Method::DELETE, path, &body).await.map(drop)
    }

    async fn is_opensearch(&self) -> anyhow::Result<bool> {
        Ok(self.call(Method::GET, "", &Value::Null).await?["version"]["distribution"] == "opensearch")
    }

    /// Returns the number of documents in `index` for each of `event_ids`, without those that have none. Counts at most
    /// 10,000 documents per call, and takes at most 65,536 ids.
    ///
    /// # Errors
    /// As for [`Search::refresh`]; also if one answer cannot hold all documents.
    pub async fn documents_of(&self, index: &str, event_ids: &[String]) -> anyhow::Result<BTreeMap<String, usize>> {
        let request = page(&json!({"terms": {"event_id": event_ids}}));
        let hits = hits(&self.call(Method::POST, &format!("{index}/_search"), &request).await?)?;
        anyhow::ensure!(hits.len() < PAGE, "{PAGE} documents or more: ask for fewer ids at a time");
        let mut found = BTreeMap::new();
        for hit in hits {
            *found.entry(hit.event_id).or_default() += 1;
        }
        Ok(found)
    }
}

fn page(query: &Value) -> Value {
    json!({"size": PAGE, "query": query, "_source": false, "fields": ["event_id"], "track_total_hits": false})
}

fn hits(answer: &Value) -> anyhow::Result<Vec<Hit>> {
    let hits = answer["hits"]["hits"].as_array().with_context(|| format!("no hits in {answer}"))?;
    let hit = |hit: &Value| {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Some(Hit { id: text(&hit["_id"])?, event_id: text(&hit["fields"]["event_id"][0])? })
    };
    hits.iter().map(|value| hit(value).with_context(|| format!("no event_id in {value}"))).collect()
}
