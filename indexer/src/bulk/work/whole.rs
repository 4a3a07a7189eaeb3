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
mod tests {
    use super::*;

    const ALL: [usize; 8] = [0, 1, 2, 3, 4, 5, 6, 7];

    fn others(accepted: u64) -> Others {
        Others { accepted, has_witness: true }
    }

    #[test]
    fn while_nothing_is_accepted_nothing_is_cut() {
        let mut whole = Whole::default();
        for _ in 0..100 {
            assert!(!whole.fail(&ALL, others(7)));
            assert!(!whole.fail(&ALL[..1], others(7)));
            assert_eq!(whole.share(&ALL), 8);
        }
    }

    #[test]
    fn what_fails_beside_others_that_are_accepted_is_halved_down_to_one() {
        let mut whole = Whole::default();
        assert!(!whole.fail(&ALL, others(0)));
        for (accepted, failed, share) in [(1, 8, 4), (2, 4, 2), (3, 2, 1)] {
            assert!(!whole.fail(&ALL[..failed], others(accepted)));
            assert_eq!(whole.share(&ALL), share);
        }
        assert_eq!(whole.share(&[9, 4, 0]), 2, "one that may go alone only does not join others");
        assert!(whole.fail(&[0], others(4)));
    }

    #[test]
    fn a_document_that_never_failed_is_not_at_fault() {
        let mut whole = Whole::default();
        assert!(!whole.fail(&[0], others(100)), "it is the first time");
        assert!(!whole.fail(&[0], others(100)), "none was accepted since");
        assert!(whole.fail(&[0], others(101)));
    }

    #[test]
    fn where_nobody_can_be_asked_a_document_that_fails_alone_makes_room() {
        let mut whole = Whole::default();
        let nobody = Others { accepted: 0, has_witness: false };
        for _ in 1..MANY {
            assert!(!whole.fail(&[0], nobody));
            assert!(!whole.fail(&ALL, nobody));
        }
        assert!(whole.fail(&[0], nobody));
    }
}
