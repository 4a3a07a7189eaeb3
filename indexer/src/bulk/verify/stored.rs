//! Reads stored documents by id and in real time, so a document written a moment ago counts (Elasticsearch reference,
//! "Multi get").

use bytes::Bytes;
use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::batch::Batch;
use crate::bulk::outcome::{BulkFailure, Obstacle};
use crate::document::id_in;
use crate::elasticsearch::errors::{ErrorBody, request_error_type};
use crate::elasticsearch::{Client, Method, Request, ServerAnswer};

/// The purpose of the requests, for messages.
const DOING: &str = "reading stored documents, to prove duplicates (elasticsearch.verify_duplicates)";

/// How much of each document is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Only the member `_ingested_at`.
    Timestamp,
    /// The whole document. It is read without `filter_path`, because with it Elasticsearch rewrites the source, and
    /// long numbers lose digits.
    Whole,
}

/// The answer to one request, in the order of the ids.
#[derive(Debug, Deserialize)]
pub(super) struct Documents<'a> {
    #[serde(borrow, default)]
    docs: Vec<Document<'a>>,
}

/// What is stored under one id.
#[derive(Debug, Deserialize)]
pub(super) struct Document<'a> {
    #[serde(default)]
    pub(super) found: bool,
    #[serde(default, rename = "_version")]
    pub(super) version: Option<u64>,
    /// `None` if the index does not store it.
    #[serde(borrow, default, rename = "_source")]
    pub(super) source: Option<&'a RawValue>,
    #[serde(default)]
    error: Option<ErrorBody>,
}

/// Requests the documents under the ids of `items` of `batch` from `index`. Returns `None` if the answer exceeds
/// `max_bytes` and was not read.
///
/// # Errors
/// If there is no answer.
pub(super) async fn ask(
    client: &Client,
    index: &str,
    batch: &Batch,
    items: &[usize],
    part: Part,
    max_bytes: usize,
) -> Result<Option<ServerAnswer>, Obstacle> {
    let query: &[(&str, &str)] = match part {
        Part::Timestamp => &[
            ("_source_includes", "_ingested_at"),
            ("filter_path", "docs.found,docs._source,docs.error.type,docs.error.reason"),
        ],
        Part::Whole => &[],
    };
    let request = Request {
        method: Method::Post,
        path: &format!("/{index}/_mget"),
        query,
        content_type: "application/json",
        body: body(batch, items),
    };
    Ok(client.send_within(&request, max_bytes).await.map_err(BulkFailure::from)?)
}

fn body(batch: &Batch, items: &[usize]) -> Bytes {
    let mut body = br#"{"ids":["#.to_vec();
    for (number, item) in items.iter().enumerate() {
        if number > 0 {
            body.push(b',');
        }
        body.extend_from_slice(id_in(&batch.body[batch.items[*item].body.clone()]));
    }
    body.extend_from_slice(b"]}");
    body.into()
}

/// Returns whether `answer` holds exactly the sources `ours`, in this order and byte for byte as they were sent. In a
/// replay it does, and parsing the answer would cost more than the rest of the proof. After `false`, [`read`] must
/// look closer.
///
/// A quote within a JSON string is escaped, so the first `"_source":` of a document is its key, whatever the id
/// holds.
pub(super) fn are_as_sent<'a>(answer: &ServerAnswer, ours: impl Iterator<Item = &'a [u8]>) -> bool {
    const BEFORE: &[u8] = br#""found":true,"_source":"#;
    let find_source = memmem::Finder::new(br#""_source":"#);
    let Some(mut rest) = answer.body.strip_prefix(br#"{"docs":["#.as_slice()) else { return false };
    let mut is_first = true;
    for ours in ours {
        let Some(document) = (if is_first { Some(rest) } else { rest.strip_prefix(b",") }) else { return false };
        is_first = false;
        let Some(end) = find_source.find(document).map(|at| at + br#""_source":"#.len()) else { return false };
        if !document[..end].ends_with(BEFORE) {
            return false;
        }
        let after = document[end..].strip_prefix(ours).and_then(|after| after.strip_prefix(b"}"));
        let Some(after) = after else { return false };
        rest = after;
    }
    answer.status == 200 && rest == b"]}"
}

/// Returns the documents in `answer` of `index`, one for each of the `asked` ids, or `None` if the index does not
/// exist.
///
/// # Errors
/// [`Obstacle`], if the answer does not cover every id.
pub(super) fn read<'a>(
    index: &str,
    answer: &'a ServerAnswer,
    asked: usize,
) -> Result<Option<Vec<Document<'a>>>, Obstacle> {
    const MISSING: &str = "index_not_found_exception";
    match answer.status {
        200 => {}
        404 if request_error_type(&answer.body).as_deref() == Some(MISSING) => return Ok(None),
        _ => return Err(Obstacle::of_answer(DOING, index, answer)),
    }
    let unreadable = |why: &str| Obstacle::unreadable(DOING, index, why);
    let Documents { mut docs } =
        serde_json::from_slice(&answer.body).map_err(|error| unreadable(&error.to_string()))?;
    if docs.len() != asked {
        return Err(unreadable("the answer does not speak of every id"));
    }
    let is_failed = |error: &ErrorBody| error.type_or_none() != MISSING;
    match docs.iter_mut().find_map(|document| document.error.take().filter(is_failed)) {
        Some(error) => Err(Obstacle::of_document(DOING, index, error)),
        None => Ok(Some(docs)),
    }
}

#[cfg(test)]
mod tests;
