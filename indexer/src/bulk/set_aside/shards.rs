//! Finds out whether a shard of an index is full. Lucene accepts at most 2³¹ - 129 documents per shard. Other shards
//! still accept documents then, so accepted documents prove nothing.

use std::collections::HashMap;

use bytes::Bytes;
use serde::Deserialize;

use crate::elasticsearch::{Client, Method, Request};

/// The number of documents from which a shard may be full. Documents that are not in a segment yet are not counted.
const NEARLY_FULL: u64 = (1 << 31) - (1 << 24);

#[derive(Deserialize)]
struct Stats {
    #[serde(default)]
    indices: HashMap<String, IndexStats>,
}

#[derive(Deserialize)]
struct IndexStats {
    #[serde(default)]
    shards: HashMap<String, Vec<Copy>>,
}

/// A primary or a replica.
#[derive(Deserialize)]
struct Copy {
    docs: Docs,
}

#[derive(Deserialize)]
struct Docs {
    #[serde(default)]
    count: u64,
    #[serde(default)]
    deleted: u64,
}

/// Returns whether a shard of `index` is full or nearly full. If the server does not say, returns `false`.
pub(super) async fn is_one_full(client: &Client, index: &str) -> bool {
    let request = Request {
        method: Method::Get,
        path: &format!("/{index}/_stats/docs"),
        query: &[("level", "shards"), ("filter_path", "indices.*.shards.*.docs")],
        content_type: "application/json",
        body: Bytes::new(),
    };
    match client.send(&request).await {
        Ok(answer) if answer.status == 200 => has_full_shard(&answer.body),
        Ok(_) | Err(_) => false,
    }
}

fn has_full_shard(body: &[u8]) -> bool {
    let Ok(stats) = serde_json::from_slice::<Stats>(body) else { return false };
    let mut shards = stats.indices.values().flat_map(|index| index.shards.values().flatten());
    shards.any(|copy| copy.docs.count.saturating_add(copy.docs.deleted) >= NEARLY_FULL)
}

#[cfg(test)]
mod tests;
