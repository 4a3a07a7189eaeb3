//! Reads the indices behind a name in parts if the metadata of one of them is blocked (`index.blocks.metadata`). The
//! server then refuses the whole list.
//!
//! Only the name of such an index is known. So it counts as read-only and as a copy of another index: documents that it
//! may hold are looked up, and missing ones go to the write index.

use std::collections::HashMap;

use super::{IndexAnswer, ReadError, found, get, parse, query};
use crate::backing::now_millis;
use crate::elasticsearch::errors::request_error_type;
use crate::elasticsearch::{Client, ServerAnswer};
use crate::index::{Logged, Resolved};
use crate::placement::table::FoundIndex;

/// The most names in one request. A name has at most 255 bytes, and the server accepts 4,096 bytes for all of them.
const MAX_NAMES: usize = 10;
/// The creation date of an index that does not reveal it.
const UNKNOWN: i64 = 0;

/// The indices whose metadata could not be read, so that each is reported once.
#[derive(Debug, Default)]
pub(in crate::backing) struct Unreadable(Logged);

impl Unreadable {
    fn note(&self, index: &str) {
        if self.0.is_new(index.to_owned()) {
            tracing::warn!(
                index,
                "The metadata of a backing index may not be read (index.blocks.metadata): the index counts as \
                 read-only, and its documents are looked up. Remove the block, or remove the index from the alias."
            );
        }
    }
}

/// Returns whether `answer` says that an index blocks its metadata.
pub(super) fn is_blocked(answer: &ServerAnswer) -> bool {
    answer.status == 403 && request_error_type(&answer.body).as_deref() == Some("cluster_block_exception")
}

/// Returns the indices behind the alias `name`, or those in `order` if `name` is a data stream.
///
/// # Errors
/// [`ReadError`].
pub(super) async fn read(
    client: &Client,
    name: &str,
    order: Option<&[String]>,
    unreadable: &Unreadable,
) -> Result<Vec<FoundIndex>, ReadError> {
    let names = match order {
        Some(order) => order.to_vec(),
        None => behind(client, name).await?,
    };
    let mut all = Vec::with_capacity(names.len());
    let mut open: Vec<&[String]> = names.chunks(MAX_NAMES).collect();
    while let Some(some) = open.pop() {
        let answer = get(client, &format!("/{}", some.join(",")), query(client.is_opensearch())).await?;
        let read = parse::<HashMap<String, IndexAnswer>>(&answer);
        let is_blocked = is_blocked(&answer);
        match (read, some) {
            (Ok(indices), _) => all.extend(found(indices, name, names.len() == 1)?),
            (Err(_), [one]) if is_blocked => {
                unreadable.note(one);
                all.push(of_name(one));
            }
            // It was deleted in the meantime.
            (Err(ReadError::Missing), [_]) => {}
            (Err(error), _) if !is_blocked && !matches!(error, ReadError::Missing) => return Err(error),
            (Err(_), some) => {
                let (first, second) = some.split_at(some.len() / 2);
                open.extend([first, second]);
            }
        }
    }
    Ok(all)
}

/// Gives each index of `ordered` without a known creation date the date of the next one, which is never too early.
pub(super) fn date(ordered: &mut [FoundIndex]) {
    let mut next = now_millis();
    for index in ordered.iter_mut().rev() {
        if index.created == UNKNOWN {
            index.created = next;
        }
        next = index.created;
    }
}

/// Returns the names of the indices behind the alias `name`.
async fn behind(client: &Client, name: &str) -> Result<Vec<String>, ReadError> {
    let answer = get(client, &format!("/_resolve/index/{name}"), &[]).await?;
    parse::<Resolved>(&answer)?.behind(name).ok_or(ReadError::Missing)
}

fn of_name(name: &str) -> FoundIndex {
    FoundIndex { name: name.to_owned(), created: UNKNOWN, writable: false, is_write: false, is_resized: true }
}

#[cfg(test)]
mod tests;
