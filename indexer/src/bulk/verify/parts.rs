//! Divides suspects into requests. Pure.

use std::sync::Arc;

use super::stored::Part;
use super::verdict::{Suspect, Verdict};
use crate::batch::Batch;

/// The most documents in one request.
const MAX_DOCUMENTS: usize = 1_000;
/// The most bytes of our own documents in one request. The stored documents are about as large if they are the same.
const MAX_OWN_BYTES: usize = 4 << 20;

/// Stores the verdicts in `proven`. Returns the numbers of the suspects without a verdict.
pub(super) fn take(proven: Vec<(usize, Option<Verdict>)>, verdicts: &mut [Verdict]) -> Vec<usize> {
    let mut open = Vec::new();
    for (number, verdict) in proven {
        match verdict {
            Some(verdict) => verdicts[number] = verdict,
            None => open.push(number),
        }
    }
    open
}

/// Returns the numbers of the suspects by index.
pub(super) fn by_index(suspects: &[Suspect]) -> Vec<(Arc<str>, Vec<usize>)> {
    let mut groups: Vec<(Arc<str>, Vec<usize>)> = Vec::new();
    for (number, suspect) in suspects.iter().enumerate() {
        match groups.iter_mut().find(|(index, _)| *index == suspect.index) {
            Some((_, numbers)) => numbers.push(number),
            None => groups.push((Arc::clone(&suspect.index), vec![number])),
        }
    }
    groups
}

/// Divides `numbers` into requests.
pub(super) fn parts<'a>(batch: &Batch, suspects: &[Suspect], numbers: &'a [usize], part: Part) -> Vec<&'a [usize]> {
    let bytes = |number: &usize| if part == Part::Whole { batch.items[suspects[*number].item].body.len() } else { 0 };
    let mut parts = Vec::new();
    let mut rest = numbers;
    while !rest.is_empty() {
        let mut sum = 0;
        let fits = |number: &&usize| {
            sum += bytes(number);
            sum <= MAX_OWN_BYTES
        };
        let count = rest.iter().take(MAX_DOCUMENTS).take_while(fits).count().max(1);
        let (part, next) = rest.split_at(count);
        parts.push(part);
        rest = next;
    }
    parts
}
