//! Reads Avro's primitives from a byte slice. Lengths are checked before they are used, and nothing is copied.
//! The encodings are those of "Binary Encoding" in the Avro specification 1.12. A new primitive goes here, and a
//! composite of several primitives goes to [`walk`](super::walk).

use super::error::DecodeErrorKind as Kind;
use super::fault::{DecodeFailure, Fault};
use super::text::Stored;

/// Holds the bytes and the reading position.
#[derive(Clone, Debug)]
pub(super) struct Reader<'a> {
    data: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(data: &'a [u8], position: usize) -> Self {
        Self { data, position }
    }

    #[inline]
    pub(super) fn position(&self) -> usize {
        self.position
    }

    #[inline]
    pub(super) fn left(&self) -> usize {
        self.data.len().saturating_sub(self.position)
    }

    /// Refuses bytes that are left over.
    #[inline]
    pub(super) fn finish(&self) -> Result<(), DecodeFailure> {
        match self.left() {
            0 => Ok(()),
            count => Err(Fault::new(Kind::TrailingBytes { count }, self.position)),
        }
    }

    /// Returns a failure at the next byte.
    #[cold]
    pub(super) fn fault(&self, kind: Kind) -> DecodeFailure {
        Fault::new(kind, self.position)
    }

    /// Returns the next `count` bytes.
    #[inline]
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeFailure> {
        let Some(bytes) = self.data.get(self.position..).and_then(|rest| rest.get(..count)) else {
            return Err(self.fault(Kind::Truncated { wanted: count as u64, left: self.left() }));
        };
        self.position += count;
        Ok(bytes)
    }

    /// Returns the next `N` bytes.
    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeFailure> {
        let rest = self.data.get(self.position..).unwrap_or_default();
        let Some(bytes) = rest.first_chunk::<N>() else {
            return Err(self.fault(Kind::Truncated { wanted: N as u64, left: self.left() }));
        };
        self.position += N;
        Ok(*bytes)
    }

    #[inline]
    pub(super) fn boolean(&mut self) -> Result<bool, DecodeFailure> {
        match self.data.get(self.position) {
            Some(0) => {
                self.position += 1;
                Ok(false)
            }
            Some(1) => {
                self.position += 1;
                Ok(true)
            }
            Some(&found) => Err(self.fault(Kind::NotBoolean { found })),
            None => Err(self.fault(Kind::Truncated { wanted: 1, left: 0 })),
        }
    }

    #[inline]
    pub(super) fn int(&mut self) -> Result<i32, DecodeFailure> {
        if let Some(&byte) = self.data.get(self.position)
            && byte < 0x80
        {
            self.position += 1;
            return Ok(i32::from(byte >> 1) ^ -i32::from(byte & 1));
        }
        let start = self.position;
        let Ok(raw) = u32::try_from(self.varint::<5>()?) else {
            return Err(Fault::new(Kind::IntegerOutOfRange, start));
        };
        Ok((raw >> 1).cast_signed() ^ -(raw & 1).cast_signed())
    }

    #[inline]
    pub(super) fn long(&mut self) -> Result<i64, DecodeFailure> {
        if let Some(&byte) = self.data.get(self.position)
            && byte < 0x80
        {
            self.position += 1;
            return Ok(i64::from(byte >> 1) ^ -i64::from(byte & 1));
        }
        let raw = self.varint::<10>()?;
        Ok((raw >> 1).cast_signed() ^ -(raw & 1).cast_signed())
    }

    /// Reads a base-128 integer of at most `MAX` bytes, lowest seven bits first.
    fn varint<const MAX: usize>(&mut self) -> Result<u64, DecodeFailure> {
        let rest = self.data.get(self.position..).unwrap_or_default();
        let mut value = 0_u64;
        for (index, &byte) in rest.iter().take(MAX).enumerate() {
            let bits = u64::from(byte & 0x7f);
            // The tenth byte may hold only one bit.
            if index == 9 && bits > 1 {
                return Err(self.fault(Kind::IntegerOutOfRange));
            }
            value |= bits << (7 * index);
            if byte < 0x80 {
                self.position += index + 1;
                return Ok(value);
            }
        }
        if rest.len() < MAX {
            return Err(self.fault(Kind::Truncated { wanted: rest.len() as u64 + 1, left: rest.len() }));
        }
        Err(self.fault(Kind::VarintTooLong))
    }

    /// Reads a length, which must not be negative.
    #[inline]
    pub(super) fn length(&mut self) -> Result<u64, DecodeFailure> {
        let start = self.position;
        let length = self.long()?;
        u64::try_from(length).map_err(|_| Fault::new(Kind::NegativeLength { length }, start))
    }

    /// Reads a length and that many bytes.
    #[inline]
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], DecodeFailure> {
        let wanted = self.length()?;
        match usize::try_from(wanted) {
            Ok(count) => self.take(count),
            Err(_) => Err(self.fault(Kind::Truncated { wanted, left: self.left() })),
        }
    }

    /// Reads a length and that many bytes, which should be UTF-8.
    #[inline]
    pub(super) fn text(&mut self) -> Result<Stored<'a>, DecodeFailure> {
        let wanted = match self.data.get(self.position) {
            // Most lengths are one byte.
            Some(&byte) if byte & 0x81 == 0 => {
                self.position += 1;
                u64::from(byte >> 1)
            }
            _ => self.length()?,
        };
        let onward = self.data.get(self.position..).unwrap_or_default();
        match usize::try_from(wanted).ok().and_then(|length| onward.get(..length)) {
            Some(bytes) => {
                self.position += bytes.len();
                Ok(Stored { bytes, onward })
            }
            None => Err(self.fault(Kind::Truncated { wanted, left: onward.len() })),
        }
    }

    /// Returns the failure for the text just read, of which so many bytes are UTF-8.
    #[cold]
    pub(super) fn not_utf8(&self, text: Stored<'_>, valid: usize) -> DecodeFailure {
        Fault::new(Kind::NotUtf8, self.position - text.bytes.len() + valid)
    }

    /// Returns the number of items of the next array or map block (0 ends the blocks), and the block's size in bytes if
    /// given.
    #[inline]
    pub(super) fn block(&mut self) -> Result<(u64, Option<u64>), DecodeFailure> {
        let count = self.long()?;
        if count >= 0 {
            return Ok((count.unsigned_abs(), None));
        }
        let size = self.length()?;
        Ok((count.unsigned_abs(), Some(size)))
    }
}
