//! Compares answers with what the records of a batch were written as, without parsing them.

use std::collections::HashSet;

use super::stored::{self, Part};
use crate::batch::{Batch, Item};
use crate::elasticsearch::ServerAnswer;

/// Returns whether `answer` holds, byte for byte, what the records of `items` were written as: whole documents, or
/// their timestamps. `false` proves nothing.
pub(super) fn is_as_sent(
    answer: &ServerAnswer,
    batch: &Batch,
    items: &[usize],
    part: Part,
    twins: &HashSet<usize>,
) -> bool {
    if part == Part::Whole {
        return stored::are_as_sent(answer, items.iter().map(|item| own_document(batch, &batch.items[*item])));
    }
    // The timestamp of a twin proves nothing.
    if items.iter().any(|item| twins.contains(item)) {
        return false;
    }
    let mut json = Vec::with_capacity(items.len() * 48);
    let mut ends = Vec::with_capacity(items.len());
    for item in items {
        let Some(millis) = batch.items[*item].origin.timestamp else { return false };
        json.extend_from_slice(br#"{"_ingested_at":"#);
        avro::write_timestamp_millis(millis, &mut json);
        json.push(b'}');
        ends.push(json.len());
    }
    let starts = std::iter::once(0).chain(ends.iter().copied());
    stored::are_as_sent(answer, starts.zip(&ends).map(|(start, end)| &json[start..*end]))
}

/// Returns the document line of `item`.
pub(super) fn own_document<'a>(batch: &'a Batch, item: &Item) -> &'a [u8] {
    let lines = &batch.body[item.body.clone()];
    let action = lines.iter().position(|byte| *byte == b'\n').map_or(lines.len(), |end| end + 1);
    lines[action..].trim_ascii_end()
}

#[cfg(test)]
mod tests;
