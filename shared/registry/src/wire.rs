//! The form of an event in a Kafka record: a Confluent frame before the Avro bytes.
//!
//! The frame follows the Confluent serializers ("Wire format" in their documentation): one zero byte, the schema id as
//! a big-endian `u32`, then the Avro datum. The datum is never changed (P2).

use std::fmt;

/// The id of a schema in a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SchemaId(pub u32);

impl fmt::Display for SchemaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The first byte of a framed event.
pub const MAGIC: u8 = 0;

/// The number of bytes before the Avro datum.
pub const FRAME_LEN: usize = 5;

/// Says why bytes are not a framed event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// There are fewer bytes than a frame has.
    #[error("{len} bytes are too short for a frame of {FRAME_LEN} bytes (0x00 and a 4-byte schema id)")]
    TooShort {
        /// How many bytes there were.
        len: usize,
    },
    /// The first byte is not [`MAGIC`].
    #[error("the first byte is 0x{found:02x}, not 0x00: not in the Confluent wire format")]
    WrongMagic {
        /// The byte that was found.
        found: u8,
    },
}

/// Returns the frame for a datum written with the schema `id`.
pub fn frame(id: SchemaId) -> [u8; FRAME_LEN] {
    let [a, b, c, d] = id.0.to_be_bytes();
    [MAGIC, a, b, c, d]
}

/// Splits a framed event into its schema id and the Avro datum. Copies nothing.
pub fn unframe(bytes: &[u8]) -> Result<(SchemaId, &[u8]), FrameError> {
    let Some((head, datum)) = bytes.split_first_chunk::<FRAME_LEN>() else {
        return Err(FrameError::TooShort { len: bytes.len() });
    };
    let [magic, a, b, c, d] = *head;
    if magic != MAGIC {
        return Err(FrameError::WrongMagic { found: magic });
    }
    Ok((SchemaId(u32::from_be_bytes([a, b, c, d])), datum))
}

#[cfg(test)]
mod tests;
