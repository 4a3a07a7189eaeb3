//! Collects decompressed bytes, within a limit and the budget.

use std::io::Read;

use super::{DecompressError, Format};
use crate::body_budget::BodyBudget;

/// The least room for bytes before a decoder is called.
const STEP: usize = 4 * 1024;

/// The destination of decompressed bytes.
pub(super) struct Out<'a> {
    pub(super) format: Format,
    pub(super) limit: usize,
    pub(super) bytes: &'a mut Vec<u8>,
    pub(super) budget: &'a mut BodyBudget,
}

impl Out<'_> {
    /// Reads `decoder` to its end.
    pub(super) fn copy(&mut self, decoder: &mut impl Read) -> Result<(), DecompressError> {
        let mut counted = 0;
        let result = self.read(decoder, &mut counted);
        self.budget.shrink(counted);
        result
    }

    /// Reads `decoder` to its end. `counted` becomes the memory counted for the decoder itself.
    pub(super) fn read(&mut self, decoder: &mut impl Read, counted: &mut usize) -> Result<(), DecompressError> {
        let start = self.bytes.len();
        // One byte more than the limit shows whether the output is too long.
        let most = start.saturating_add(self.limit).saturating_add(1);
        loop {
            let written = self.bytes.len() - start;
            let more = self.format.decoder(written).saturating_sub(*counted);
            self.budget.grow(more)?;
            *counted += more;
            self.budget.reserve(self.bytes, STEP.min(most - self.bytes.len()), most)?;
            let room = self.bytes.capacity().min(most) - self.bytes.len();
            let piece = decoder.by_ref().take(room as u64).read_to_end(self.bytes);
            let piece = piece.map_err(|_| DecompressError::Broken(self.format))?;
            if self.bytes.len() == most {
                return Err(DecompressError::TooLarge(self.limit));
            }
            if piece < room {
                return Ok(());
            }
        }
    }
}
