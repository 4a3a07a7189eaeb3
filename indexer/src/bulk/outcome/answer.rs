//! The parts of a bulk answer that are looked at. Everything else is left out of the answer by `filter_path`, or
//! ignored.

use serde::Deserialize;

use crate::elasticsearch::errors::ErrorBody;

/// A bulk answer with status 200.
#[derive(Debug, Deserialize)]
struct Answer {
    items: Vec<Action>,
}

/// An item under the name of its action.
#[derive(Debug, Deserialize)]
struct Action {
    #[serde(alias = "create", alias = "update", alias = "delete", rename = "index")]
    item: Item,
}

/// An item.
#[derive(Debug, Deserialize)]
pub(super) struct Item {
    pub(super) status: u16,
    #[serde(default)]
    pub(super) error: Option<ErrorBody>,
    #[serde(default)]
    pub(super) failure_store: Option<String>,
}

/// Returns the items of a bulk answer with status 200.
pub(super) fn items(body: &[u8]) -> serde_json::Result<Vec<Item>> {
    let answer: Answer = serde_json::from_slice(body)?;
    Ok(answer.items.into_iter().map(|action| action.item).collect())
}
