//! Follows the frames of HTTP/2 (RFC 9113, section 4.1) as they arrive.

/// The bytes of a frame before its payload.
const FRAME_HEAD: usize = 9;
const HEADERS: u8 = 0x1;
const CONTINUATION: u8 = 0x9;
/// The flag of the last frame of a head.
const END_HEADERS: u8 = 0x4;

/// The frames of one connection.
#[derive(Debug, Default)]
pub(in crate::server) struct Frames {
    /// The head of the current frame, as far as it has arrived.
    head: [u8; FRAME_HEAD],
    head_len: usize,
    /// The bytes of the current frame's payload that have arrived, and those that are missing.
    there: usize,
    missing: usize,
    /// The payload of the whole frames of an incomplete head.
    block: usize,
}

impl Frames {
    /// Notes that `bytes` have arrived.
    pub(super) fn arrived(&mut self, mut bytes: &[u8]) {
        while let Some((byte, rest)) = bytes.split_first() {
            match self.head.get_mut(self.head_len) {
                Some(place) => {
                    *place = *byte;
                    self.head_len += 1;
                    self.missing = self.payload();
                    bytes = rest;
                }
                None => {
                    let piece = self.missing.min(bytes.len());
                    self.there += piece;
                    self.missing -= piece;
                    bytes = bytes.get(piece..).unwrap_or_default();
                }
            }
            if self.head_len == FRAME_HEAD && self.missing == 0 {
                self.end();
            }
        }
    }

    /// Returns the bytes of an incomplete head.
    pub(super) fn of_head(&self) -> usize {
        self.block + if self.is_of_head() { self.there } else { 0 }
    }

    /// Returns the bytes of an incomplete frame of another kind.
    pub(super) fn of_others(&self) -> usize {
        if self.is_of_head() { 0 } else { self.there }
    }

    fn end(&mut self) {
        if self.is_of_head() {
            let [_, _, _, _, flags, ..] = self.head;
            self.block = if flags & END_HEADERS == 0 { self.block.saturating_add(self.there) } else { 0 };
        }
        (self.head_len, self.there) = (0, 0);
    }

    fn is_of_head(&self) -> bool {
        let [_, _, _, kind, ..] = self.head;
        matches!(kind, HEADERS | CONTINUATION)
    }

    /// Returns the length of the current frame's payload.
    fn payload(&self) -> usize {
        let [high, middle, low, ..] = self.head;
        // 24 bits, so that it fits any `usize`.
        u32::from_be_bytes([0, high, middle, low]) as usize
    }
}
