//! Replaces the index set behind an alias by another one: a single request moves the alias, and the mapping of the
//! new index stores the way back.
//!
//! [`Alias`] moves, [`Successor`] is the new index, `comparison` compares both sets, `writes` closes the old one, and
//! [`WayBack`] reverts a swap.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Index;
use super::indices::Indices;
use super::requests::{RequestError, Requests};
use super::settings::IndexSettings;
use crate::config::{Expired, Strategy};
use crate::placement::Role;

pub(crate) use back::{Returned, WayBack};
pub(crate) use comparison::Comparison;
pub(crate) use successor::Successor;

mod back;
pub(crate) mod comparison;
mod successor;
pub(crate) mod writes;

/// An index behind an alias.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
pub(crate) struct Member {
    /// Its name.
    pub(crate) index: String,
    /// Whether the alias writes to it.
    pub(crate) is_write_index: bool,
}

/// The index set that was replaced, as the mapping of the new index stores it (`_meta.penstock_swap`).
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
pub(crate) struct Replaced {
    /// The indices that were behind the alias.
    pub(crate) indices: Vec<Member>,
    /// The indices that accepted documents until the swap closed them.
    pub(crate) closed: Vec<String>,
    /// The position from which the topic must be read again after a swap back: `PARTITION:OFFSET,…`.
    pub(crate) from: String,
}

/// The key in `_meta` for the way back.
const META: &str = "penstock_swap";

/// Returns why an index set of `strategy` cannot be replaced by `into`, or `None` if it can. `behind` holds the
/// indices behind its alias.
pub(crate) fn obstacle(
    strategy: Strategy,
    expired: Expired,
    name: &str,
    into: &str,
    behind: &[Member],
) -> Option<String> {
    match strategy {
        Strategy::DataStream => Some(
            "with elasticsearch.strategy data_stream there is no alias to move: replay into another elasticsearch.index_name".to_owned(),
        ),
        Strategy::Time => Some(
            "with elasticsearch.strategy time documents are written to indices named by their day, not through the alias: replay into \
             another elasticsearch.index_name"
                .to_owned(),
        ),
        Strategy::Single | Strategy::Rollover if behind.is_empty() => Some(format!(
            "{name} is not an alias, so it cannot be replaced in one step: give the index another name and an alias {name} \
             (docs/replay.md)"
        )),
        Strategy::Single => None,
        Strategy::Rollover if expired != Expired::Oldest => Some(
            "elasticsearch.placement.expired is not oldest: late events would be refused, since the new index set begins today".to_owned(),
        ),
        Strategy::Rollover => {
            let generation = |index: &str| match Role::of(name, index) {
                Role::Own(generation) => Some(generation),
                Role::Mounted(_) | Role::Copy(_) | Role::Foreign => None,
            };
            let last = behind.iter().filter_map(|member| generation(&member.index)).max().unwrap_or(0);
            let is_next = generation(into).is_some_and(|number| number > last);
            (!is_next).then(|| format!("a backing index of {name} has a number above {last:06}: give --into {name}-{:06}", last + 1))
        }
    }
}

/// The alias that documents are searched under.
#[derive(Clone, Debug)]
pub(crate) struct Alias {
    requests: Requests,
    settings: Arc<IndexSettings>,
}

impl Alias {
    /// Creates the alias of the name of `index`. Sends nothing.
    pub(crate) fn of(index: &Index) -> Self {
        Self { requests: index.requests.clone(), settings: Arc::clone(&index.settings) }
    }

    /// Returns the name of the alias.
    pub(crate) fn name(&self) -> &str {
        &self.settings.name
    }

    /// Returns the indices behind the alias, or none if the name is not an alias.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(crate) async fn members(&self) -> Result<Vec<Member>, RequestError> {
        let behind = Indices::new(&self.requests, &self.settings).behind_alias().await?;
        Ok(behind.into_iter().map(|(index, is_write_index)| Member { index, is_write_index }).collect())
    }

    /// Moves the alias from `from` to `to` in one step. Fails if the alias no longer leads to `from`.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(crate) async fn move_to(&self, from: &[Member], to: &[Member]) -> Result<(), RequestError> {
        let name = self.name();
        let removes =
            from.iter().map(|it| json!({ "remove": { "index": it.index, "alias": name, "must_exist": true } }));
        let adds = to
            .iter()
            .map(|it| json!({ "add": { "index": it.index, "alias": name, "is_write_index": it.is_write_index } }));
        let actions: Vec<Value> = removes.chain(adds).collect();
        self.requests.post("/_aliases", &json!({ "actions": actions })).await
    }

    /// Stores in the mapping of `index` what it is about to replace.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(crate) async fn note_replaced(&self, index: &str, replaced: &Replaced) -> Result<(), RequestError> {
        self.requests.put(&format!("/{index}/_mapping"), &json!({ "_meta": { META: replaced } })).await
    }

    /// Returns what the indices behind the alias have replaced, if one of them stores it.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(crate) async fn replaced(&self) -> Result<Option<Replaced>, RequestError> {
        let path = format!("/{}/_mapping?filter_path=*.mappings._meta.{META}", self.name());
        let Some(Value::Object(indices)) = self.requests.get(&path).await? else { return Ok(None) };
        let mut notes = indices.into_iter().rev().map(|(_, mut index)| index["mappings"]["_meta"][META].take());
        Ok(notes.find_map(|note| serde_json::from_value(note).ok()))
    }
}

#[cfg(test)]
mod tests;
