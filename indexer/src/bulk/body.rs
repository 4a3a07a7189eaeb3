//! Builds the body of one bulk request from some items of a batch. Pure.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::limiter::RequestBudget;
use crate::batch::Batch;
use crate::document::rename;

/// The indices of items that go to another index than their batch says, keyed by the item's position in the batch.
pub type Moved = HashMap<usize, Arc<str>>;

/// Returns the action and document lines of `items` of `batch`, in that order. The action lines of items in `moved`
/// name their new index. If the items are neighbours and none moved, as in a first attempt, the result is a slice of
/// the batch's body and not a copy.
pub fn select(batch: &Batch, items: &[usize], moved: &Moved) -> Bytes {
    pick(batch, items, |item| moved.get(&item).map(|index| Some(&**index)))
}

/// Returns the same lines without index names: the request's path names the index.
pub fn select_unnamed(batch: &Batch, items: &[usize]) -> Bytes {
    // Action lines for the first target name no index in the batch either.
    pick(batch, items, |item| (batch.items[item].target > 0).then_some(None))
}

/// Returns the lines of `items`. `change` says for each item whether its action line must name another index than in
/// the batch, or none.
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

/// The size in per cent of the target up to which a body is not divided, since the last document of a batch may exceed
/// the target.
const TOLERANCE: usize = 150;

/// Returns how many of `items`, from the first on, fit into `budget`: at least one, unless `items` is empty.
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
