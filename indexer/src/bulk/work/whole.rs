//! Which document makes a request fail as a whole, time and again: a server that crashes at it, or a proxy that drops
//! the connection. Pure.
//!
//! A request that times out, breaks, or is answered 502 to 504 says nothing about its documents; an outage looks the
//! same. The difference is what else happens. When the same documents fail again although other requests of the topic
//! were accepted since, their next requests hold half as many, down to one. While nothing is accepted, nothing is cut.
//! So that there is evidence, a witness is asked between two attempts; where there is none, a document that failed
//! alone many times is set aside all the same, which makes room for others and decides nothing.

use std::collections::HashMap;

/// Without a witness, a document is set aside that has failed alone so many times.
const MANY: u32 = 10;

/// The documents of one batch that were in a request which failed as a whole.
#[derive(Debug, Default)]
pub(in crate::bulk) struct Whole {
    suspects: HashMap<usize, Suspect>,
}

/// What other requests of the topic show.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::bulk) struct Others {
    /// In how many of them a document has been accepted so far.
    pub(in crate::bulk) accepted: u64,
    /// Whether a document of the index is known that can be asked again.
    pub(in crate::bulk) has_witness: bool,
}

#[derive(Clone, Copy, Debug)]
struct Suspect {
    /// How many documents a request with this one may hold.
    most: usize,
    /// How many requests of the topic had been accepted when it failed.
    accepted: u64,
    /// How often it has failed in a request of its own.
    alone: u32,
}

impl Whole {
    /// Returns how many of `items`, from the first on, may share a request: at least one, if there is one.
    pub(in crate::bulk) fn share(&self, items: &[usize]) -> usize {
        if self.suspects.is_empty() {
            return items.len();
        }
        let mut most = items.len();
        for (before, item) in items.iter().enumerate() {
            most = most.min(self.suspects.get(item).map_or(usize::MAX, |suspect| suspect.most));
            if before >= most {
                return before;
            }
        }
        most
    }

    /// Notes that a request of `chunk` failed as a whole. Returns whether it was one document alone that is to be set
    /// aside: `others` were accepted since it failed before, or nobody can say whether they would be.
    pub(in crate::bulk) fn fail(&mut self, chunk: &[usize], others: Others) -> bool {
        let Others { accepted, has_witness } = others;
        let failed_before = |item: &usize| self.suspects.get(item).is_some_and(|suspect| suspect.accepted < accepted);
        let is_repeated = chunk.iter().any(failed_before);
        let mut is_at_fault = is_repeated && chunk.len() == 1;
        for item in chunk {
            let new = Suspect { most: usize::MAX, accepted, alone: 0 };
            let suspect = self.suspects.entry(*item).or_insert(new);
            if is_repeated {
                *suspect = Suspect { most: (chunk.len() / 2).max(1), accepted, ..*suspect };
            }
            if chunk.len() == 1 {
                suspect.alone += 1;
                is_at_fault |= !has_witness && suspect.alone >= MANY;
            }
        }
        is_at_fault
    }
}

#[cfg(test)]
mod tests;
