//! Closes indices to writes, and opens them again.

use serde_json::{Value, json};

use super::Member;
use crate::index::requests::{RequestError, Requests};

/// Blocks writes to `index`. When this returns, no write is in flight either.
///
/// # Errors
/// [`RequestError`].
pub(crate) async fn close(requests: &Requests, index: &str) -> Result<(), RequestError> {
    requests.put(&format!("/{index}/_block/write"), &Value::Null).await
}

/// Allows writes to `index` again.
///
/// # Errors
/// [`RequestError`].
pub(crate) async fn open(requests: &Requests, index: &str) -> Result<(), RequestError> {
    requests.put(&format!("/{index}/_settings"), &json!({ "index.blocks.write": null })).await
}

/// Returns the indices of `members` that accept documents.
///
/// # Errors
/// [`RequestError`].
pub(crate) async fn writable(requests: &Requests, members: &[Member]) -> Result<Vec<String>, RequestError> {
    let mut writable = Vec::new();
    for member in members {
        let path = format!("/{}/_settings?filter_path=*.settings.index.blocks.write", member.index);
        let answer = requests.get(&path).await?.unwrap_or_default();
        if answer[&member.index]["settings"]["index"]["blocks"]["write"] != "true" {
            writable.push(member.index.clone());
        }
    }
    Ok(writable)
}
