//! Keeps witnesses: one accepted document per index, which can be sent again to see whether the index still accepts
//! it. Pure.
//!
//! A data stream would write the same document a second time after a rollover. So the witness of a data stream goes
//! to a backing index with a condition that is never met (`if_seq_no`). Pipelines and mapping process it, and the
//! answer is 409 whether or not the document exists.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use serde_json::json;

use crate::bulk::look_up::id_of;
use crate::document;

/// The most indices for which a witness is kept.
const MAX_INDICES: usize = 16;
/// The largest document that is kept, in bytes.
const MAX_BYTES: usize = 64 << 10;
/// The age at which a witness is replaced.
const MAX_AGE: Duration = Duration::from_secs(10);

/// A document that an index has accepted.
#[derive(Clone, Debug)]
pub(in crate::bulk) struct Witness {
    /// Its id.
    pub(in crate::bulk) id: String,
    /// Its lines, without an index name.
    pub(in crate::bulk) lines: Bytes,
    since: Instant,
}

/// Keeps one document of each index.
#[derive(Debug)]
pub(super) struct Witnesses {
    is_stream: bool,
    kept: HashMap<Arc<str>, Witness>,
}

impl Witnesses {
    /// Creates an empty store. `is_stream` says whether it is for a data stream.
    pub(super) fn new(is_stream: bool) -> Self {
        Self { is_stream, kept: HashMap::new() }
    }

    /// Offers the document of `lines`, which `index` has just accepted. Returns whether the index has a witness now.
    pub(super) fn offer(&mut self, index: &Arc<str>, lines: &[u8], now: Instant) -> bool {
        let kept = self.kept.get(index);
        if kept.is_some_and(|kept| now.saturating_duration_since(kept.since) < MAX_AGE) {
            return true;
        }
        if lines.len() > MAX_BYTES {
            return kept.is_some();
        }
        if kept.is_none() && self.kept.len() == MAX_INDICES {
            self.drop_oldest();
        }
        let id = id_of(lines);
        let lines = if self.is_stream { conditional(&id, lines) } else { unnamed(lines) };
        self.kept.insert(Arc::clone(index), Witness { id, lines, since: now });
        true
    }

    /// Returns the witness of `index`.
    pub(super) fn get(&self, index: &str) -> Option<Witness> {
        self.kept.get(index).cloned()
    }

    /// Drops the witness of `index`, which is gone or cannot be read.
    pub(super) fn drop_of(&mut self, index: &str) {
        self.kept.remove(index);
    }

    fn drop_oldest(&mut self) {
        let oldest = self.kept.iter().min_by_key(|(_, witness)| witness.since).map(|(index, _)| Arc::clone(index));
        if let Some(oldest) = oldest {
            self.kept.remove(&oldest);
        }
    }
}

/// Returns the document of `lines` without an index name.
fn unnamed(lines: &[u8]) -> Bytes {
    let mut unnamed = BytesMut::with_capacity(lines.len());
    document::rename(lines, None, &mut unnamed);
    unnamed.freeze()
}

/// Returns the document of `lines` with a condition that is never met: `id` must have the highest possible sequence
/// number.
fn conditional(id: &str, lines: &[u8]) -> Bytes {
    let action = json!({"index": {"_id": id, "if_seq_no": i64::MAX, "if_primary_term": 1}}).to_string();
    let document = lines.iter().position(|byte| *byte == b'\n').map_or(&lines[..0], |end| &lines[end..]);
    [action.as_bytes(), document].concat().into()
}

#[cfg(test)]
mod tests;
