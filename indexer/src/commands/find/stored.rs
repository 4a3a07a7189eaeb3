//! Reads documents by their ids from every backing index, in real time (Elasticsearch reference, "Multi get").

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde_json::{Value, json};

use super::story::Document;
use crate::elasticsearch::{Client, Method, Request, ServerAnswer};

/// The most documents in one request.
const MAX_DOCUMENTS: usize = 1_000;

/// The documents found, by id, and what kept indices from being searched.
#[derive(Debug, Default)]
pub(super) struct FoundDocuments {
    pub(super) documents: BTreeMap<String, Vec<Document>>,
    /// One text for each index and reason, such as a closed index or one that may not be read.
    pub(super) problems: BTreeSet<String>,
}

/// Returns the documents under `ids` in all indices behind `name`.
///
/// # Errors
/// A text that says which request failed or was refused.
pub(super) async fn documents(client: &Client, name: &str, ids: &[String]) -> Result<FoundDocuments, String> {
    let indices = indices(client, name).await?;
    let pairs: Vec<Value> = ids
        .iter()
        .flat_map(|id| {
            indices.iter().map(move |index| json!({"_index": index, "_id": id, "_source": ["_ingested_at"]}))
        })
        .collect();
    let mut all = FoundDocuments::default();
    for part in pairs.chunks(MAX_DOCUMENTS) {
        let body = json!({ "docs": part });
        let answer =
            send(client, Method::Post, "/_mget", &[("realtime", "true")], Bytes::from(body.to_string())).await?;
        for found in answer["docs"].as_array().map(Vec::as_slice).unwrap_or_default() {
            if let Some(why) = found["error"]["type"].as_str() {
                let index = text(&found["_index"]).unwrap_or_default();
                all.problems.insert(format!("elasticsearch: index {index}: {why}"));
            } else if found["found"] == true {
                all.documents.entry(text(&found["_id"]).unwrap_or_default()).or_default().push(document(found));
            }
        }
    }
    Ok(all)
}

fn document(found: &Value) -> Document {
    Document {
        index: text(&found["_index"]).unwrap_or_default(),
        version: found["_version"].as_u64(),
        ingested_at: text(&found["_source"]["_ingested_at"]),
    }
}

/// Returns the indices behind the alias or data stream `name`, or the index itself; none if it does not exist.
async fn indices(client: &Client, name: &str) -> Result<Vec<String>, String> {
    let query = [("filter_path", "*.settings.index.uuid"), ("ignore_unavailable", "true"), ("expand_wildcards", "all")];
    let answer = send(client, Method::Get, &format!("/{name}/_settings"), &query, Bytes::new()).await?;
    Ok(answer.as_object().map(|indices| indices.keys().cloned().collect()).unwrap_or_default())
}

async fn send(
    client: &Client,
    method: Method,
    path: &str,
    query: &[(&str, &str)],
    body: Bytes,
) -> Result<Value, String> {
    let request = Request { method, path, query, content_type: "application/json", body };
    let answer: ServerAnswer = client.send(&request).await.map_err(|error| format!("elasticsearch: {error}"))?;
    match answer.status {
        200 => serde_json::from_slice(&answer.body).map_err(|error| format!("elasticsearch: {path}: {error}")),
        404 => Ok(Value::Null),
        status => Err(format!("elasticsearch: {path} was answered {status}: {}", answer.beginning())),
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests;
