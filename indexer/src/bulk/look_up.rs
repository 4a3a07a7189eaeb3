//! Finds out whether documents exist, by id and in real time, so a document written a moment ago counts
//! (Elasticsearch reference, "Multi get").

use std::ops::Range;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::outcome::{BulkFailure, Obstacle};
use crate::batch::Batch;
use crate::elasticsearch::errors::{ErrorBody, request_error_type};
use crate::elasticsearch::{Client, Method, Request, ServerAnswer};
use crate::placement::Table;

/// The purpose of the requests, for messages.
const DOING: &str = "looking up ids";

/// Asks whether one document exists.
#[derive(Debug)]
pub(super) struct Question {
    /// The item's index in the batch.
    pub(super) item: usize,
    /// Its document's id.
    pub(super) id: String,
    /// The backing indices that may hold it.
    range: Range<usize>,
    /// The backing indices that do hold it, by their numbers in the table, the oldest first.
    pub(super) found: Vec<usize>,
}

/// How far to search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// Up to the first index that holds the document.
    First,
    /// In all indices that may hold it.
    All,
}

#[derive(Deserialize)]
struct Action {
    #[serde(alias = "index")]
    create: Meta,
}

#[derive(Deserialize)]
struct Meta {
    _id: String,
}

#[derive(Default, Deserialize)]
struct Docs {
    #[serde(default)]
    docs: Vec<Doc>,
}

#[derive(Deserialize)]
struct Doc {
    #[serde(default)]
    found: bool,
    error: Option<ErrorBody>,
}

impl Question {
    /// Asks whether `item` of `batch` is in one of the backing indices of `range`.
    pub(super) fn new(item: usize, batch: &Batch, range: Range<usize>) -> Self {
        let id = id_of(&batch.body[batch.items[item].body.clone()]);
        Self { item, id, range, found: Vec::new() }
    }

    /// Returns whether the backing index `number` must still be asked.
    pub(super) fn awaits(&self, number: usize) -> bool {
        self.found.is_empty() && self.range.contains(&number)
    }
}

/// Returns the id in the action line of `lines`.
pub(super) fn id_of(lines: &[u8]) -> String {
    let action = lines.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let id = serde_json::from_slice(action).map_or_else(|_| String::new(), |action: Action| action.create._id);
    debug_assert!(!id.is_empty(), "each action line names an id");
    id
}

/// Asks one backing index after the other for the documents that have not been found yet. Starts with the oldest,
/// because most documents are in the index where they belong.
///
/// # Errors
/// If one of them does not answer. Documents found before that are still noted.
pub(super) async fn ask(
    client: &Client,
    table: &Table,
    questions: &mut [Question],
    extent: Extent,
) -> Result<(), Obstacle> {
    for (number, index) in table.backing().iter().enumerate() {
        let is_open = |question: &Question| extent == Extent::All || question.found.is_empty();
        let mut open: Vec<&mut Question> =
            questions.iter_mut().filter(|question| question.range.contains(&number) && is_open(question)).collect();
        if open.is_empty() {
            continue;
        }
        let ids: Vec<&str> = open.iter().map(|question| question.id.as_str()).collect();
        let found = ask_one(client, &index.name, &ids).await?;
        for (question, _) in open.iter_mut().zip(found).filter(|(_, found)| *found) {
            question.found.push(number);
        }
    }
    Ok(())
}

/// Returns whether each of `ids` is in `index`.
///
/// # Errors
/// If Elasticsearch does not answer.
pub(super) async fn ask_one(client: &Client, index: &str, ids: &[&str]) -> Result<Vec<bool>, Obstacle> {
    let request = Request {
        method: Method::Post,
        path: &format!("/{index}/_mget"),
        query: &[("_source", "false"), ("filter_path", "docs.found,docs.error.type,docs.error.reason")],
        content_type: "application/json",
        body: Bytes::from(json!({ "ids": ids }).to_string()),
    };
    let answer = client.send(&request).await.map_err(BulkFailure::from)?;
    read(index, &answer, ids.len())
}

fn read(index: &str, answer: &ServerAnswer, asked: usize) -> Result<Vec<bool>, Obstacle> {
    match answer.status {
        200 => {}
        // A deleted index holds nothing, and a closed index cannot be read. A 404 with another cause is not an answer.
        400 | 404 if request_error_type(&answer.body).is_some_and(|error_type| is_gone(&error_type)) => {
            return Ok(vec![false; asked]);
        }
        _ => return Err(Obstacle::of_answer(DOING, index, answer)),
    }
    let unreadable = |why: &str| Obstacle::unreadable(DOING, index, why);
    let Docs { docs } = serde_json::from_slice(&answer.body).map_err(|error| unreadable(&error.to_string()))?;
    if docs.len() != asked {
        return Err(unreadable("the answer does not speak of every id"));
    }
    let found = |doc: Doc| match doc.error {
        Some(error) if !is_gone(error.type_or_none()) => Err(Obstacle::of_document(DOING, index, error)),
        _ => Ok(doc.found),
    };
    docs.into_iter().map(found).collect()
}

/// Returns whether an index with this `error.type` cannot be read.
fn is_gone(error_type: &str) -> bool {
    matches!(error_type, "index_not_found_exception" | "index_closed_exception")
}

#[cfg(test)]
mod tests;
