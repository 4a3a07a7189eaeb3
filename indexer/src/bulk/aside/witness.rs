//! Witnesses: documents that an index has accepted, one of each index, which can be sent once more to see whether it still would. Pure.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};

use crate::bulk::body;
use crate::bulk::look_up::id_of;

/// Indices of which one is kept.
const MAX_INDICES: usize = 16;
/// A larger document is not kept, in bytes.
const MAX_BYTES: usize = 64 << 10;
/// One is replaced when it is so old.
const MAX_AGE: Duration = Duration::from_secs(10);

/// A document that an index has accepted.
#[derive(Clone, Debug)]
pub(in crate::bulk) struct Witness {
    /// Its id.
    pub(in crate::bulk) id: String,
    /// Its lines, without the name of an index.
    pub(in crate::bulk) lines: Bytes,
    since: Instant,
}

/// One document of each index.
#[derive(Debug)]
pub(super) struct Witnesses {
    is_used: bool,
    kept: HashMap<Arc<str>, Witness>,
}

impl Witnesses {
    /// None yet, and none ever unless `is_used`.
    pub(super) fn new(is_used: bool) -> Self {
        Self { is_used, kept: HashMap::new() }
    }

    /// Offers the document of `lines`, which `index` has just accepted. Gives whether one of the index is kept now.
    pub(super) fn offer(&mut self, index: &Arc<str>, lines: &[u8], now: Instant) -> bool {
        if !self.is_used {
            return false;
        }
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
        let mut unnamed = BytesMut::with_capacity(lines.len());
        body::rename(lines, None, &mut unnamed);
        self.kept.insert(Arc::clone(index), Witness { id: id_of(lines), lines: unnamed.freeze(), since: now });
        true
    }

    /// The one of `index`.
    pub(super) fn get(&self, index: &str) -> Option<Witness> {
        self.kept.get(index).cloned()
    }

    /// Drops the one of `index`: it is not there any more, or cannot be asked for.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_each_index_is_kept_and_renewed_and_they_are_bounded() {
        let (mut witnesses, start) = (Witnesses::new(true), Instant::now());
        let lines = |id: u64| format!("{{\"create\":{{\"_index\":\"i\",\"_id\":\"{id}\"}}}}\n{{}}\n");
        for number in 0..100 {
            let now = start + Duration::from_secs(number);
            assert!(witnesses.offer(&Arc::from(format!("events-{number}")), lines(number).as_bytes(), now));
        }
        assert_eq!(witnesses.kept.len(), MAX_INDICES);
        let kept = witnesses.get("events-99").unwrap();
        assert_eq!((kept.id.as_str(), &kept.lines[..]), ("99", &b"{\"create\":{\"_id\":\"99\"}}\n{}\n"[..]));
        let index = Arc::from("events-99");
        for (second, id) in [(100, "99"), (109, "109")] {
            witnesses.offer(&index, lines(second).as_bytes(), start + Duration::from_secs(second));
            assert_eq!(witnesses.get("events-99").unwrap().id, id);
        }
        let large = format!("{{\"create\":{{\"_id\":\"1\"}}}}\n{{\"a\":\"{}\"}}\n", "x".repeat(MAX_BYTES));
        assert!(!witnesses.offer(&Arc::from("large"), large.as_bytes(), start));
        assert!(!Witnesses::new(false).offer(&index, lines(1).as_bytes(), start));
    }
}
