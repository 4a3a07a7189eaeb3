//! The body of one bulk request: some of a batch's items. Pure.

use bytes::{Bytes, BytesMut};

use crate::batch::Batch;

/// The action and document lines of those `items` of `batch`, by their index, in that order. Neighbours, as all of a batch are on its first
/// way, are a part of the batch's body and not a copy.
pub fn select(batch: &Batch, items: &[usize]) -> Bytes {
    let (Some(first), Some(last)) = (items.first(), items.last()) else {
        return Bytes::new();
    };
    if items.windows(2).all(|pair| pair[0] + 1 == pair[1]) {
        return batch.body.slice(batch.items[*first].body.start..batch.items[*last].body.end);
    }
    let mut body = BytesMut::with_capacity(size(batch, items));
    for item in items {
        body.extend_from_slice(&batch.body[batch.items[*item].body.clone()]);
    }
    body.freeze()
}

/// How many bytes [`select`] would give.
pub fn size(batch: &Batch, items: &[usize]) -> usize {
    items.iter().map(|item| batch.items[*item].body.len()).sum()
}

#[cfg(test)]
mod tests;
