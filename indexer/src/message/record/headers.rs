//! The headers of a record in one buffer: a batch stores them next to the keys and values of its records.
//!
//! Each header is encoded as the length of its name, the name, the length of its value (or [`NULL`]) and the value.
//! Lengths are little-endian `u32`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rdkafka::message::{BorrowedHeaders, Headers as _};

/// The length that stands for a null value.
const NULL: u32 = u32::MAX;

/// The headers of a record, in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Headers<'a>(&'a [u8]);

impl<'a> Headers<'a> {
    /// Copies `headers` to `buffer`, which is cleared first.
    pub(super) fn copy(headers: Option<&BorrowedHeaders>, buffer: &'a mut Vec<u8>) -> Self {
        buffer.clear();
        for number in 0..headers.map_or(0, |headers| headers.count()) {
            // The client panics at a header name that is not UTF-8. Such a header is left out, so that no producer
            // can stop the indexer with it.
            let header = catch_unwind(AssertUnwindSafe(|| headers.and_then(|headers| headers.try_get(number))));
            if let Ok(Some(header)) = header {
                append(header.key, header.value, buffer);
            }
        }
        Self(buffer)
    }

    /// Returns the headers encoded in `bytes`, which came from [`Headers::as_bytes`].
    pub fn from_bytes(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Returns the encoded headers.
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Returns the value of the last header called `name`. `None` if there is none or its value is null.
    pub fn get(self, name: &str) -> Option<&'a [u8]> {
        self.filter(|(found, _)| *found == name).last()?.1
    }
}

/// Iterates over the name and value of each header.
impl<'a> Iterator for Headers<'a> {
    type Item = (&'a str, Option<&'a [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        let (length, rest) = take_length(self.0)?;
        let (name, rest) = rest.split_at_checked(length as usize)?;
        let (length, rest) = take_length(rest)?;
        let (value, rest) = match length {
            NULL => (None, rest),
            length => rest.split_at_checked(length as usize).map(|(value, rest)| (Some(value), rest))?,
        };
        self.0 = rest;
        Some((std::str::from_utf8(name).unwrap_or_default(), value))
    }
}

/// Encodes `headers` in the form that [`Headers::from_bytes`] reads.
pub(crate) fn in_one_piece(headers: &[(&str, Option<&[u8]>)]) -> Vec<u8> {
    let mut buffer = Vec::new();
    for (name, value) in headers {
        append(name, *value, &mut buffer);
    }
    buffer
}

fn append(name: &str, value: Option<&[u8]>, buffer: &mut Vec<u8>) {
    // Kafka's own lengths are `i32`.
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(NULL).to_le_bytes();
    buffer.extend_from_slice(&length(name.as_bytes()));
    buffer.extend_from_slice(name.as_bytes());
    buffer.extend_from_slice(&value.map_or(NULL.to_le_bytes(), length));
    buffer.extend_from_slice(value.unwrap_or_default());
}

fn take_length(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*length), rest))
}

#[cfg(test)]
pub(crate) mod tests;
