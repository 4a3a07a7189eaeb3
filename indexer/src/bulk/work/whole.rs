//! Finds the document that makes whole requests fail again and again: a server crashes at it, or a proxy drops the
//! connection. Pure.
//!
//! A request that times out, breaks, or is answered 502 to 504 shows nothing about its documents; an outage looks the
//! same. The difference is in the other requests. If the same documents fail again although other requests of the
//! topic were accepted since, their next requests hold half as many, down to one. While nothing is accepted, nothing
//! is halved. To get evidence, a witness is sent between two attempts. Without a witness, a document that failed
//! alone many times is set aside all the same, which makes room for others and decides nothing.

use std::collections::HashMap;

/// After this many failures alone, a document is set aside even without a witness.
const MANY: u32 = 10;

/// The documents of one batch whose requests failed as a whole.
#[derive(Debug, Default)]
pub(in crate::bulk) struct Whole {
    suspects: HashMap<usize, Suspect>,
}

/// What other requests of the topic show.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::bulk) struct Others {
    /// The number of requests so far in which a document was accepted.
    pub(in crate::bulk) accepted: u64,
    /// Whether the index has a witness that can be sent again.
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
    /// Returns how many of `items`, from the first on, may share a request: at least one, unless `items` is empty.
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

    /// Notes that a request of `chunk` failed as a whole. Returns whether it held a single document that must be set
    /// aside: `others` have been accepted since its last failure, or there is no witness to ask.
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
