//! Validates an object container file: all its events, or none.

use std::borrow::Cow;

use avro::{Block, Container, ContainerError, Limits, Read};
use registry::wire;

use super::{Event, Invalid, invalid};
use crate::body_budget::{BodyBudget, BudgetExceeded};
use crate::message::Writer;
use crate::stages::decompress::{DecompressError, Decompressor, Format};

/// The limits of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchLimits {
    /// The limits of each event.
    pub(crate) event: Limits,
    /// The most events.
    pub(crate) events: usize,
    /// The most bytes of all events together, decompressed.
    pub(crate) bytes: usize,
}

/// The values that the events of a file may hold per byte, in addition to those that one event may hold. A field counts
/// as a value too, so a byte may hold a few values; hundreds occur only in schemas whose values take hardly any bytes.
/// Without this limit, a file of a few kilobytes could hold the maximum number of such events.
const VALUES_OF_A_BYTE: u64 = 20;

/// The valid events of a file, each with its frame before it. They share their allocations.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    values: Vec<u8>,
    keys: Vec<u8>,
    ends: Vec<End>,
    odd_uuids: u64,
    /// The number of values in all events.
    held: u64,
}

/// The end of an event.
#[derive(Clone, Copy, Debug, Default)]
struct End {
    /// The end in `values`.
    value: usize,
    /// The end in `keys`.
    key: usize,
    has_key: bool,
}

/// Says why a file is refused.
#[derive(Clone, Debug)]
pub(crate) enum BatchError {
    /// The file is not an object container file, or is damaged.
    Container(ContainerError),
    /// The codec with this name is unknown.
    Codec(String),
    /// The block at this byte of the file cannot be decompressed.
    Block(usize, DecompressError),
    /// The block at this byte of the file is longer than its datums.
    BlockLength(usize),
    /// There are more events than this limit.
    TooManyEvents(usize),
    /// There are more bytes than this limit.
    TooLarge(usize),
    /// There are more values than that many bytes can hold in an honest schema.
    TooManyValues,
    /// This event is invalid.
    Event {
        /// Its number, counted from 0.
        index: usize,
        /// What is wrong with the event.
        invalid: Box<Invalid>,
    },
    /// All requests together, or this one alone, would hold too much.
    Budget(BudgetExceeded),
}

impl From<BudgetExceeded> for BatchError {
    fn from(error: BudgetExceeded) -> Self {
        Self::Budget(error)
    }
}

impl Batch {
    /// Returns the events, in the file's order.
    pub(crate) fn events(&self) -> impl ExactSizeIterator<Item = Event<'_>> + Clone {
        let mut begin = End::default();
        self.ends.iter().map(move |end| {
            let value = self.values.get(begin.value..end.value).unwrap_or_default();
            let key = if end.has_key { self.keys.get(begin.key..end.key) } else { None };
            let key = key.and_then(|key| std::str::from_utf8(key).ok());
            begin = *end;
            Event { value, key: key.map(Cow::Borrowed), odd_uuids: 0 }
        })
    }

    /// Returns the number of texts in `uuid` fields that are not a UUID.
    pub(crate) fn odd_uuids(&self) -> u64 {
        self.odd_uuids
    }

    /// Returns how many values the events up to here may hold: see [`VALUES_OF_A_BYTE`].
    fn may_hold(&self, limits: &BatchLimits) -> u64 {
        let of_one = u64::from(limits.event.max_values) + u64::from(limits.event.max_items);
        of_one.saturating_add((self.values.len() as u64).saturating_mul(VALUES_OF_A_BYTE))
    }

    /// Adds the datums of a block. `data` is its decompressed content.
    fn add(
        &mut self,
        block: &Block<'_>,
        data: &[u8],
        writer: &Writer,
        limits: &BatchLimits,
        budget: &mut BodyBudget,
    ) -> Result<(), BatchError> {
        // The bytes of all datums, and a frame for each.
        let most = limits.bytes.saturating_add(limits.events.saturating_mul(wire::FRAME_LEN));
        let frame = wire::frame(writer.id);
        let mut rest = data;
        for _ in 0..block.count {
            let index = self.ends.len();
            if index >= limits.events {
                return Err(BatchError::TooManyEvents(limits.events));
            }
            let read = avro::validate_first(&writer.schema, rest, limits.event, writer.key.as_ref(), writer.uuids);
            let Read { end, key, odd_uuids, values } = read.map_err(|error| BatchError::Event {
                index,
                invalid: Box::new(invalid(rest, writer, limits.event, error)),
            })?;
            self.odd_uuids += u64::from(odd_uuids);
            self.held = self.held.saturating_add(values);
            let (datum, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            let key_bytes = key.as_deref().unwrap_or_default().as_bytes();
            budget.reserve(&mut self.values, frame.len() + datum.len(), most)?;
            budget.reserve(&mut self.keys, key_bytes.len(), most)?;
            budget.reserve(&mut self.ends, 1, limits.events)?;
            self.values.extend_from_slice(&frame);
            self.values.extend_from_slice(datum);
            self.keys.extend_from_slice(key_bytes);
            self.ends.push(End { value: self.values.len(), key: self.keys.len(), has_key: key.is_some() });
            if self.held > self.may_hold(limits) {
                return Err(BatchError::TooManyValues);
            }
            rest = after;
        }
        if rest.is_empty() { Ok(()) } else { Err(BatchError::BlockLength(block.offset)) }
    }
}

/// Reads a whole file with the schema of `writer`, which must be its writer schema. Counts its memory in `budget`:
/// while it works, at most twice the limit of bytes.
///
/// # Errors
/// [`BatchError`], for the first error in the file. Then nothing more is counted.
pub(crate) fn validate_container(
    container: Container<'_>,
    writer: &Writer,
    limits: &BatchLimits,
    budget: &mut BodyBudget,
) -> Result<Batch, BatchError> {
    let before = budget.bytes();
    let result = validate_blocks(container, writer, limits, budget);
    if result.is_err() {
        budget.shrink(budget.bytes() - before);
    }
    result
}

fn validate_blocks(
    mut container: Container<'_>,
    writer: &Writer,
    limits: &BatchLimits,
    budget: &mut BodyBudget,
) -> Result<Batch, BatchError> {
    let codec = codec(container.codec())?;
    let mut batch = Batch::default();
    let (mut decompressor, mut decompressed) = (Decompressor::default(), Vec::new());
    let mut bytes = 0;
    while let Some(block) = container.next_block().map_err(BatchError::Container)? {
        // Some writers end with an empty block, and leave it uncompressed.
        if block.count == 0 && block.data.is_empty() {
            continue;
        }
        let left = limits.bytes - bytes;
        let data = match codec {
            None if block.data.len() > left => return Err(BatchError::TooLarge(limits.bytes)),
            None => block.data,
            Some(format) => {
                decompressed.clear();
                let result = decompressor.decompress(format, block.data, left, &mut decompressed, budget);
                result.map_err(|error| match error {
                    DecompressError::TooLarge(_) => BatchError::TooLarge(limits.bytes),
                    DecompressError::BudgetExceeded(error) => BatchError::Budget(error),
                    broken @ DecompressError::Broken(_) => BatchError::Block(block.offset, broken),
                })?;
                decompressed.as_slice()
            }
        };
        bytes += data.len();
        batch.add(&block, data, writer, limits, budget)?;
    }
    decompressor.release(budget);
    budget.shrink(decompressed.capacity());
    Ok(batch)
}

/// Returns the format of a codec of the specification. `None` means `null`, or the empty name, which readers treat
/// alike.
fn codec(name: &str) -> Result<Option<Format>, BatchError> {
    match name {
        "null" | "" => Ok(None),
        "deflate" => Ok(Some(Format::Deflate)),
        "snappy" => Ok(Some(Format::Snappy)),
        "zstandard" => Ok(Some(Format::Zstd)),
        "bzip2" => Ok(Some(Format::Bzip2)),
        "xz" => Ok(Some(Format::Xz)),
        unknown => Err(BatchError::Codec(unknown.chars().take(MAX_NAME).collect())),
    }
}

/// The characters of an unknown codec's name that an answer repeats.
const MAX_NAME: usize = 32;

#[cfg(test)]
mod tests;
