//! The way back of a swap: the alias is moved by one request, and how far the rest has come is noted in the mapping of
//! an index that comes back. So a way back that was killed is finished by the next one.

use serde_json::{Value, json};

use super::{Member, Replaced};
use crate::index::{Index, RequestError};

/// Where in `_meta` the note stands.
const META: &str = "penstock_swap_back";

/// A way back that has moved the alias, or is about to, as an index that comes back keeps it
/// (`_meta.penstock_swap_back`).
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
pub(crate) struct Returned {
    /// The index that keeps it.
    #[serde(skip)]
    pub(crate) home: String,
    /// The indices that the alias leaves.
    pub(crate) left: Vec<String>,
    /// Where the topic is to be read again from: `PARTITION:OFFSET,…`.
    pub(crate) from: String,
    /// Whether it was.
    pub(crate) is_done: bool,
}

impl Index {
    /// Returns the way back that led to `behind`, the indices behind the alias; one that is not done rather than
    /// another.
    ///
    /// # Errors
    /// When Elasticsearch does not answer, or refuses; so for each function here.
    pub(crate) async fn returned(&self, behind: &[Member]) -> Result<Option<Returned>, RequestError> {
        let path = format!("/{}/_mapping?filter_path=*.mappings._meta.{META}", self.name());
        let Some(Value::Object(indices)) = self.requests.get(&path).await? else { return Ok(None) };
        let note = |(home, mut index): (String, Value)| {
            let note: Returned = serde_json::from_value(index["mappings"]["_meta"][META].take()).ok()?;
            Some(Returned { home, ..note })
        };
        // Of what the alias leads to now, nothing has been left.
        let is_left = |note: &Returned| !behind.iter().any(|member| note.left.contains(&member.index));
        Ok(indices.into_iter().filter_map(note).filter(is_left).min_by_key(|note| note.is_done))
    }

    /// Moves the alias from `behind` back to what was `replaced`, which takes documents again. That it is not done with
    /// that is noted before.
    pub(crate) async fn move_back(&self, behind: &[Member], replaced: &Replaced) -> Result<Returned, RequestError> {
        for index in &replaced.closed {
            self.open_to_writes(index).await?;
        }
        let home = replaced.indices.iter().find(|member| member.is_write_index).or(replaced.indices.first());
        let returned = Returned {
            home: home.map(|member| member.index.clone()).unwrap_or_default(),
            left: behind.iter().map(|member| member.index.clone()).collect(),
            from: replaced.from.clone(),
            is_done: false,
        };
        self.note_returned(&returned).await?;
        self.move_alias(behind, &replaced.indices).await?;
        Ok(returned)
    }

    /// Lets nothing be written any more to what the alias has left, as far as it is there.
    pub(crate) async fn close_left(&self, returned: &Returned) -> Result<(), RequestError> {
        let mut left = Vec::new();
        for index in &returned.left {
            if self.has(index).await? {
                left.push(Member { index: index.clone(), is_write_index: false });
            }
        }
        for index in self.writable(&left).await? {
            self.close_to_writes(&index).await?;
        }
        Ok(())
    }

    /// Notes how far a way back has come, beside what else the mapping keeps.
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
