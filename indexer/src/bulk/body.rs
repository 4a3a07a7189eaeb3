//! The body of one bulk request: some of a batch's items. Pure.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::limiter::RequestBudget;
use crate::batch::Batch;
use crate::document::rename;

/// The indices of items that do not go where their batch says: by the item's index in the batch.
pub type Moved = HashMap<usize, Arc<str>>;

/// Returns the action and document lines of those `items` of `batch`, by their index, in that order; the action lines
/// of those in `moved` name another index than in the batch. Neighbours, as all of a batch are on its first way, are a
/// part of the batch's body and not a copy.
pub fn select(batch: &Batch, items: &[usize], moved: &Moved) -> Bytes {
    pick(batch, items, |item| moved.get(&item).map(|index| Some(&**index)))
}

/// Returns the same, but no action line names an index: the request does.
pub fn select_unnamed(batch: &Batch, items: &[usize]) -> Bytes {
    // Those for the first target name none in the batch either.
    pick(batch, items, |item| (batch.items[item].target > 0).then_some(None))
}

/// The lines of `items`. `change` gives for each whether its action line has to name another index, or none, than in
/// the batch.
fn pick<'a>(batch: &Batch, items: &[usize], change: impl Fn(usize) -> Option<Option<&'a str>>) -> Bytes {
    let (Some(first), Some(last)) = (items.first(), items.last()) else {
        return Bytes::new();
    };
    let all = &batch.items;
    let are_neighbours = items.windows(2).all(|pair| all[pair[0]].body.end == all[pair[1]].body.start);
    if are_neighbours && items.iter().all(|item| change(*item).is_none()) {
        return batch.body.slice(batch.items[*first].body.start..batch.items[*last].body.end);
    }
    let mut body = BytesMut::with_capacity(size(batch, items));
    for item in items {
        let lines = &batch.body[batch.items[*item].body.clone()];
        match change(*item) {
            None => body.extend_from_slice(lines),
            Some(index) => rename(lines, index, &mut body),
        }
    }
    body.freeze()
}

/// Returns how many bytes the lines of `items` have in the batch.
pub fn size(batch: &Batch, items: &[usize]) -> usize {
    items.iter().map(|item| batch.items[*item].body.len()).sum()
}

/// A body may be this much larger than asked for before it is cut, in per cent: the last document of a batch may stick
/// out.
const TOLERANCE: usize = 150;

/// Returns how many of `items`, from the first on, there is room for: at least one, if there is one.
pub(super) fn fitting(batch: &Batch, items: &[usize], budget: RequestBudget) -> usize {
    let tolerated = budget.bytes.saturating_mul(TOLERANCE) / 100;
    let mut count = items.len().min(budget.items.max(1));
    if size(batch, items) <= tolerated {
        return count;
    }
    let mut bytes = size(batch, &items[..count]);
    while count > 1 && bytes > budget.bytes {
        count -= 1;
        bytes -= batch.items[items[count]].body.len();
    }
    count
}

#[cfg(test)]
mod tests;
