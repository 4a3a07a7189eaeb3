//! The parts of a bulk answer that are read. Everything else is excluded by `filter_path` or ignored.

use serde::Deserialize;

use crate::elasticsearch::errors::ErrorBody;

/// A bulk answer with status 200.
#[derive(Debug, Deserialize)]
struct BulkAnswer {
    items: Vec<Action>,
}

/// An item under the name of its action.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Create(Item),
    #[serde(alias = "update", alias = "delete")]
    Index(Item),
}

/// An item.
#[derive(Debug, Deserialize)]
pub(super) struct Item {
    pub(super) status: u16,
    #[serde(default)]
    pub(super) error: Option<ErrorBody>,
    #[serde(default)]
    pub(super) failure_store: Option<String>,
    /// Read only for the action `index`, where the status does not show it.
    #[serde(default)]
    result: Option<String>,
    /// Whether the action was to create a document.
    #[serde(skip)]
    is_create: bool,
}

impl Item {
    /// Returns whether nothing was written despite the success, because an ingest pipeline dropped the document. A
    /// created document is answered 201, so 200 to `create` means that it was dropped.
    pub(super) fn is_dropped(&self) -> bool {
        match self.result.as_deref() {
            Some(result) => result == "noop",
            None => self.is_create && self.status == 200,
        }
    }
}

/// Returns the items of a bulk answer with status 200.
pub(super) fn items(body: &[u8]) -> serde_json::Result<Vec<Item>> {
    let answer: BulkAnswer = serde_json::from_slice(body)?;
    let item = |action| match action {
        Action::Create(item) => Item { is_create: true, ..item },
        Action::Index(item) => item,
    };
    Ok(answer.items.into_iter().map(item).collect())
}

/// The beginning of an answer, as Elasticsearch and OpenSearch write it.
const BEGIN: &[u8] = br#"{"items":["#;
/// An item that was written, and the comma before the next item.
const WRITTEN: &[u8] = br#"{"create":{"status":201}},"#;
/// The end of an answer.
const END: &[u8] = b"]}";

/// Returns whether `body` reports each of `sent` items as created, and nothing else. Nearly all answers do, and this
/// check saves parsing them as JSON. `false` may also mean that the answer is written in another way.
pub(super) fn are_all_created(body: &[u8], sent: usize) -> bool {
    let items = body.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(END));
    items.is_some_and(|items| {
        items.len() + 1 == sent * WRITTEN.len()
            && items.chunks(WRITTEN.len()).all(|item| item == &WRITTEN[..item.len()])
    })
}
