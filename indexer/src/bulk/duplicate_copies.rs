//! Deletes all but the oldest copy of a document in a data stream. Unlike writing, deleting by id is allowed in a
//! backing index (Elasticsearch reference, "Update or delete documents in a backing index").

use bytes::Bytes;
use serde_json::json;

use super::outcome::{Block, BulkFailure, FILTER_PATH, Fate, Judgement, Trouble, judge_sent};
use crate::elasticsearch::{Client, Method, Request};

/// A document to delete.
#[derive(Debug)]
pub(super) struct DuplicateCopy<'a> {
    /// The backing index.
    pub(super) index: &'a str,
    pub(super) id: &'a str,
}

/// Deletes `copies` and returns how many are gone. The others stay, because their index refuses the deletion.
///
/// # Errors
/// If some copies could not be deleted for now.
pub(super) async fn delete(client: &Client, copies: &[DuplicateCopy<'_>]) -> Result<usize, BulkFailure> {
    let mut left = copies;
    let mut deleted = 0;
    while let Some(first) = left.first() {
        // One request per index: a cluster may refuse requests that name another index than their path.
        let of_one = left.iter().take_while(|copy| copy.index == first.index).count();
        let (same, rest) = left.split_at(of_one);
        deleted += delete_of_one(client, first.index, same).await?;
        left = rest;
    }
    Ok(deleted)
}

async fn delete_of_one(client: &Client, index: &str, copies: &[DuplicateCopy<'_>]) -> Result<usize, BulkFailure> {
    let lines: String = copies.iter().map(|copy| format!("{}\n", json!({"delete": {"_id": copy.id}}))).collect();
    let request = Request {
        method: Method::Post,
        path: &format!("/{index}/_bulk"),
        query: &[("filter_path", FILTER_PATH)],
        content_type: "application/x-ndjson",
        body: Bytes::from(lines),
    };
    match judge_sent(client.send(&request).await, copies.len()) {
        Judgement::Items(fates) => count(copies, fates),
        Judgement::Retry(failure) => Err(failure),
        Judgement::Blocked(block) => {
            log_left(copies.len(), &block);
            Ok(0)
        }
        other @ (Judgement::TooLarge | Judgement::Doubtful(_) | Judgement::Faulted(_) | Judgement::IndexMissing) => {
            Err(BulkFailure {
                trouble: Trouble::Server,
                detail: format!("deleting {} copies: {other:?}", copies.len()),
            })
        }
    }
}

fn count(copies: &[DuplicateCopy<'_>], fates: Vec<Fate>) -> Result<usize, BulkFailure> {
    let mut left = 0;
    for (copy, fate) in copies.iter().zip(fates) {
        match fate {
            // Another client has already deleted a copy that is missing (404).
            Fate::Indexed | Fate::Dropped | Fate::Refused(_) | Fate::IndexMissing(_) => {}
            Fate::Doubtful(refusal) if refusal.status == 404 => {}
            Fate::Doubtful(refusal) | Fate::Faulted(refusal) | Fate::NotMapped(refusal) => return Err(refusal.into()),
            Fate::Blocked(block) => {
                left += 1;
                log_left(1, &block);
            }
            Fate::Retry(failure) => return Err(failure),
            Fate::Duplicate(_) => {
                let detail = format!("deleting a copy in {}: a conflict", copy.index);
                return Err(BulkFailure { trouble: Trouble::Server, detail });
            }
        }
    }
    Ok(copies.len() - left)
}

fn log_left(copies: usize, block: &Block) {
    tracing::warn!(
        copies,
        %block,
        "Documents exist in two backing indices of the data stream, and the later copies cannot be deleted; grant \
         the privilege delete."
    );
}
