//! The body of a request, from where it is read to where it is queued.

use registry::wire::{self, FRAME_LEN, SchemaId};

use crate::body_budget::{BodyBudget, BudgetExceeded};

/// A body, with room for a frame before it: the frame of a bare datum is put there, so that the body is never moved
/// (P2).
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    covered: Option<Covered>,
}

/// What a frame within the body stands on.
#[derive(Debug)]
struct Covered {
    /// Where the frame begins.
    begin: usize,
    /// What was there.
    bytes: [u8; FRAME_LEN],
}

impl Buffer {
    /// An empty body, with room for `body` bytes.
    pub(crate) fn with_capacity(body: usize) -> Self {
        let mut bytes = Vec::with_capacity(FRAME_LEN + body);
        bytes.resize(FRAME_LEN, 0);
        Self { bytes, covered: None }
    }

    /// [`Buffer::with_capacity`], counted in `budget`.
    ///
    /// # Errors
    /// [`BudgetExceeded`].
    pub(crate) fn counted(body: usize, budget: &mut BodyBudget) -> Result<Self, BudgetExceeded> {
        let mut bytes = Vec::new();
        budget.reserve(&mut bytes, FRAME_LEN + body, FRAME_LEN + body)?;
        bytes.resize(FRAME_LEN, 0);
        Ok(Self { bytes, covered: None })
    }

    /// Returns the bytes that it takes in memory.
    pub(crate) fn allocated(&self) -> usize {
        self.bytes.capacity()
    }

    /// Returns the body as it was received, unless a frame was put into it and not taken out again.
    pub(crate) fn body(&self) -> &[u8] {
        self.bytes.get(FRAME_LEN..).unwrap_or_default()
    }

    /// Returns the room for a frame, and the body: what is appended is appended to the body.
    pub(crate) fn bytes_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Puts the frame of `id` before byte `datum` of the body, over what was there. Takes out the one put before.
    pub(crate) fn frame(&mut self, datum: usize, id: SchemaId) {
        self.unframe();
        // The room before the body is as long as a frame.
        if let Some(room) = self.frame_at(datum) {
            let bytes = std::mem::replace(room, wire::frame(id));
            self.covered = Some(Covered { begin: datum, bytes });
        }
    }

    /// Returns the frame that was put last, and the datum behind it.
    pub(crate) fn with_frame(&self) -> &[u8] {
        let begin = self.covered.as_ref().map_or(FRAME_LEN, |covered| covered.begin);
        self.bytes.get(begin..).unwrap_or_default()
    }

    /// Puts back what a frame stood on.
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
    fn a_frame_changes_no_byte_that_is_not_put_back() {
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
