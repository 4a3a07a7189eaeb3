//! The body of a request, from its arrival to the producer's queue.

use registry::wire::{self, FRAME_LEN, SchemaId};

use crate::body_budget::{BodyBudget, BudgetExceeded};

/// A body with room for a frame before it. The frame of a bare datum goes into that room, so that the body is never
/// moved (P2).
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    covered: Option<Covered>,
}

/// The bytes of the body that a frame covers.
#[derive(Debug)]
struct Covered {
    /// The position of the frame.
    begin: usize,
    /// The covered bytes.
    bytes: [u8; FRAME_LEN],
}

impl Buffer {
    /// Creates an empty body with room for `body` bytes.
    pub(crate) fn with_capacity(body: usize) -> Self {
        let mut bytes = Vec::with_capacity(FRAME_LEN + body);
        bytes.resize(FRAME_LEN, 0);
        Self { bytes, covered: None }
    }

    /// Does the same as [`Buffer::with_capacity`], and counts the bytes in `budget`.
    ///
    /// # Errors
    /// [`BudgetExceeded`].
    pub(crate) fn counted(body: usize, budget: &mut BodyBudget) -> Result<Self, BudgetExceeded> {
        let mut bytes = Vec::new();
        budget.reserve(&mut bytes, FRAME_LEN + body, FRAME_LEN + body)?;
        bytes.resize(FRAME_LEN, 0);
        Ok(Self { bytes, covered: None })
    }

    /// Returns the bytes that the body takes in memory.
    pub(crate) fn allocated(&self) -> usize {
        self.bytes.capacity()
    }

    /// Returns the body as received, unless [`Buffer::frame`] has put a frame into it.
    pub(crate) fn body(&self) -> &[u8] {
        self.bytes.get(FRAME_LEN..).unwrap_or_default()
    }

    /// Returns the room for a frame followed by the body. Appending to it appends to the body.
    pub(crate) fn bytes_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Puts the frame of `id` before byte `datum` of the body, over the bytes there. Removes the previous frame.
    pub(crate) fn frame(&mut self, datum: usize, id: SchemaId) {
        self.unframe();
        // The room before the body is as long as a frame.
        if let Some(room) = self.frame_at(datum) {
            let bytes = std::mem::replace(room, wire::frame(id));
            self.covered = Some(Covered { begin: datum, bytes });
        }
    }

    /// Returns the last frame and the datum behind it.
    pub(crate) fn with_frame(&self) -> &[u8] {
        let begin = self.covered.as_ref().map_or(FRAME_LEN, |covered| covered.begin);
        self.bytes.get(begin..).unwrap_or_default()
    }

    /// Restores the bytes that a frame covers.
    pub(crate) fn unframe(&mut self) {
        if let Some(Covered { begin, bytes }) = self.covered.take()
            && let Some(room) = self.frame_at(begin)
        {
            *room = bytes;
        }
    }

    fn frame_at(&mut self, begin: usize) -> Option<&mut [u8; FRAME_LEN]> {
        self.bytes.get_mut(begin..)?.first_chunk_mut()
    }
}

#[cfg(test)]
impl From<&[u8]> for Buffer {
    fn from(body: &[u8]) -> Self {
        let mut buffer = Self::with_capacity(body.len());
        buffer.bytes.extend_from_slice(body);
        buffer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removing_a_frame_restores_every_byte() {
        let sent: Vec<u8> = (1..=40).collect();
        let mut body = Buffer::from(sent.as_slice());
        for datum in [0, 10, 2] {
            body.frame(datum, SchemaId(7));
            let framed = [&wire::frame(SchemaId(7))[..], &sent[datum..]].concat();
            assert_eq!(body.with_frame(), framed, "the datum at {datum} is as it was sent");
        }
        body.unframe();
        assert_eq!(body.body(), sent);
    }
}
