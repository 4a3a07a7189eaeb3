//! Reverts a swap. One request moves the alias back. A note in the mapping of an old index records how far the rest has
//! come, so that the next `swap-back` finishes one that was killed.

use serde_json::{Value, json};

use super::{Alias, Member, Replaced, writes};
use crate::index::Index;
use crate::index::requests::{RequestError, Requests};

/// The key of the note in `_meta`.
const META: &str = "penstock_swap_back";

/// A `swap-back` that has moved the alias, or is about to, as one of the old indices records it
/// (`_meta.penstock_swap_back`).
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
pub(crate) struct Returned {
    /// The index that has the note.
    #[serde(skip)]
    pub(crate) home: String,
    /// The indices that the alias no longer leads to.
    pub(crate) left: Vec<String>,
    /// The offsets from which the topic must be read again: `PARTITION:OFFSET,…`.
    pub(crate) from: String,
    /// Whether the topic was read again.
    pub(crate) is_done: bool,
}

/// Moves an alias back, and notes how far that has come.
#[derive(Debug)]
pub(crate) struct WayBack {
    requests: Requests,
    alias: Alias,
}

impl WayBack {
    /// Creates the way back for the alias of the name of `index`. Sends nothing.
    pub(crate) fn of(index: &Index) -> Self {
        Self { requests: index.requests.clone(), alias: Alias::of(index) }
    }

    /// Returns the `swap-back` that led to `behind`, the indices behind the alias. Prefers an unfinished one.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(crate) async fn returned(&self, behind: &[Member]) -> Result<Option<Returned>, RequestError> {
        let path = format!("/{}/_mapping?filter_path=*.mappings._meta.{META}", self.alias.name());
        let Some(Value::Object(indices)) = self.requests.get(&path).await? else { return Ok(None) };
        let note = |(home, mut index): (String, Value)| {
            let note: Returned = serde_json::from_value(index["mappings"]["_meta"][META].take()).ok()?;
            Some(Returned { home, ..note })
        };
        // The alias leads to none of the indices that it has left.
        let is_left = |note: &Returned| !behind.iter().any(|member| note.left.contains(&member.index));
        Ok(indices.into_iter().filter_map(note).filter(is_left).min_by_key(|note| note.is_done))
    }

    /// Moves the alias from `behind` back to the `replaced` indices, and opens them to writes. First notes that the
    /// `swap-back` is unfinished.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(crate) async fn move_back(&self, behind: &[Member], replaced: &Replaced) -> Result<Returned, RequestError> {
        for index in &replaced.closed {
            writes::open(&self.requests, index).await?;
        }
        let home = replaced.indices.iter().find(|member| member.is_write_index).or(replaced.indices.first());
        let returned = Returned {
            home: home.map(|member| member.index.clone()).unwrap_or_default(),
            left: behind.iter().map(|member| member.index.clone()).collect(),
            from: replaced.from.clone(),
            is_done: false,
        };
        self.note_returned(&returned).await?;
        self.alias.move_to(behind, &replaced.indices).await?;
        Ok(returned)
    }

    /// Closes the indices that the alias has left to writes, as far as they exist.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(crate) async fn close_left(&self, returned: &Returned) -> Result<(), RequestError> {
        let mut left = Vec::new();
        for index in &returned.left {
            if self.requests.has(index).await? {
                left.push(Member { index: index.clone(), is_write_index: false });
            }
        }
        for index in writes::writable(&self.requests, &left).await? {
            writes::close(&self.requests, &index).await?;
        }
        Ok(())
    }

    /// Notes how far a `swap-back` has come, and keeps the rest of `_meta`.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(crate) async fn note_returned(&self, returned: &Returned) -> Result<(), RequestError> {
        let home = &returned.home;
        let path = format!("/{home}/_mapping?filter_path=*.mappings._meta");
        let mut meta = self.requests.look(&path).await?[home]["mappings"]["_meta"].take();
        if !meta.is_object() {
            meta = json!({});
        }
        meta[META] = json!(returned);
        self.requests.put(&format!("/{home}/_mapping"), &json!({ "_meta": meta })).await
    }
}

#[cfg(test)]
mod tests;
