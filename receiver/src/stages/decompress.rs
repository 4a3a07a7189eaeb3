//! Compressed bytes back to what they were, never more than a limit of them. Pure.
//!
//! The formats are those of `Content-Encoding` and of the codecs of Avro's object container files. What is written is
//! counted while it is written, so that a small body that would become an enormous one costs no more than the limit. A
//! new format is a variant here and a line in [`decompress`].

use std::io::{BufRead, Read};

use bzip2::bufread::BzDecoder;
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use liblzma::bufread::XzDecoder;
use liblzma::stream::Stream;

use crate::body_budget::{BodyBudget, BudgetExceeded};

/// The largest window of Zstandard, as a power of two: 128 MiB, which is what its own decoders take where nothing else
/// is set. Its strongest levels (20 to 22, and `--long`) ask for more than the 8 MiB of RFC 9659, however short the
/// content is. Of a window, only what is written is ever touched.
const ZSTD_WINDOW_LOG: u32 = 27;

/// The memory that a decoder of xz may ask for. Its strongest preset, the one apache-avro writes with, has a dictionary
/// of 64 MiB; of that, only what is filled is ever touched.
const XZ_MEMORY: u64 = 80 * 1024 * 1024;

/// The buffers of a decoder, besides its window: more than each of them takes.
const DECODER: usize = 64 * 1024;

/// A Snappy block of Avro ends with the CRC-32 of what it decompresses to.
const SNAPPY_CHECKSUM: usize = 4;

/// How much longer than its input Snappy's output can be: a copy of 64 bytes takes three.
const SNAPPY_MAX_RATIO: usize = 22;

/// How bytes were compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// RFC 1952, several members too.
    Gzip,
    /// RFC 1950, the `deflate` of HTTP; without its head, as some senders have it, RFC 1951.
    Zlib,
    /// RFC 1951, the `deflate` of Avro.
    Deflate,
    /// RFC 8878.
    Zstd,
    /// A raw Snappy block and its checksum, the `snappy` of Avro.
    Snappy,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
}

/// Why bytes cannot be decompressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DecompressError {
    /// There would be more than the limit.
    #[error("the decompressed body is longer than {0} bytes")]
    TooLarge(usize),
    /// Not of the format, cut off, or with bytes left over.
    #[error("the body is not valid {}, or is truncated", .0.name())]
    Broken(Format),
    /// All requests together hold too much.
    #[error(transparent)]
    BudgetExceeded(#[from] BudgetExceeded),
}

impl Format {
    /// Its name, for people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zlib | Self::Deflate => "deflate",
            Self::Zstd => "zstd",
            Self::Snappy => "snappy",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
        }
    }

    /// Returns the bytes that its decoder takes, at most, once it has written so many. What is allocated and not
    /// touched yet does not count: it is no memory.
    fn decoder(self, written: usize) -> usize {
        const MIB: usize = 1024 * 1024;
        match self {
            Self::Snappy => 0,
            Self::Gzip | Self::Zlib | Self::Deflate => DECODER,
            // The window of what was written, and tables.
            Self::Zstd => 4 * DECODER + written.min(1 << ZSTD_WINDOW_LOG),
            // Four bytes for each of a block of 900,000.
            Self::Bzip2 => DECODER + written.saturating_mul(4).min(4 * MIB),
            Self::Xz => DECODER + written.min(64 * MIB),
        }
    }
}

/// Appends to `out` what `input` was before it was compressed: `limit` bytes at most. What `out` takes is counted in
/// `budget`, and what the decoder takes as long as it works.
///
/// # Errors
/// [`DecompressError`]; `out` may then have grown by up to the limit.
pub(crate) fn decompress(
    format: Format,
    input: &[u8],
    limit: usize,
    out: &mut Vec<u8>,
    budget: &mut BodyBudget,
) -> Result<(), DecompressError> {
    let mut out = Out { format, limit, bytes: out, budget };
    match format {
        Format::Gzip => {
            let mut decoder = MultiGzDecoder::new(input);
            out.copy(&mut decoder)?;
            finished(format, decoder.into_inner())
        }
        Format::Zlib if has_zlib_head(input) => {
            let mut decoder = ZlibDecoder::new(input);
            out.copy(&mut decoder)?;
            finished(format, decoder.into_inner())
        }
        Format::Zlib => {
            let mut decoder = DeflateDecoder::new(input);
            out.copy(&mut decoder)?;
            finished(format, decoder.into_inner())
        }
        // What follows the last block is ignored, as by Avro's Java and Python: Python's writers leave three bytes of a
        // checksum there.
        Format::Deflate => out.copy(&mut DeflateDecoder::new(input)),
        Format::Zstd => zstd(input, out),
        Format::Snappy => snappy(input, out),
        Format::Bzip2 => {
            let mut decoder = BzDecoder::new(input);
            out.copy(&mut decoder)?;
            finished(format, decoder.into_inner())
        }
        Format::Xz => {
            let stream = Stream::new_stream_decoder(XZ_MEMORY, 0).map_err(|_| DecompressError::Broken(format))?;
            let mut decoder = XzDecoder::new_stream(input, stream);
            out.copy(&mut decoder)?;
            finished(format, decoder.into_inner())
        }
    }
}

fn zstd(input: &[u8], mut out: Out<'_>) -> Result<(), DecompressError> {
    let broken = |_| DecompressError::Broken(Format::Zstd);
    // Several frames follow each other without more ado.
    let mut decoder = zstd::stream::read::Decoder::with_buffer(input).map_err(broken)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG).map_err(broken)?;
    out.copy(&mut decoder)?;
    finished(Format::Zstd, decoder.finish())
}

fn snappy(input: &[u8], out: Out<'_>) -> Result<(), DecompressError> {
    let broken = DecompressError::Broken(Format::Snappy);
    let (block, checksum) = input.split_last_chunk::<SNAPPY_CHECKSUM>().ok_or(broken)?;
    let len = snap::raw::decompress_len(block).map_err(|_| broken)?;
    if len > out.limit {
        return Err(DecompressError::TooLarge(out.limit));
    }
    // The length is the sender's word; no block of this size can keep it.
    if len > block.len().saturating_mul(SNAPPY_MAX_RATIO) {
        return Err(broken);
    }
    let start = out.bytes.len();
    out.budget.reserve(out.bytes, len, start + len)?;
    out.bytes.resize(start + len, 0);
    let room = out.bytes.get_mut(start..).unwrap_or_default();
    let written = snap::raw::Decoder::new().decompress(block, room).map_err(|_| broken)?;
    let intact = written == len && crc32fast::hash(room) == u32::from_be_bytes(*checksum);
    if intact { Ok(()) } else { Err(broken) }
}

/// Where decompressed bytes go.
struct Out<'a> {
    format: Format,
    limit: usize,
    bytes: &'a mut Vec<u8>,
    budget: &'a mut BodyBudget,
}

impl Out<'_> {
    /// Reads `decoder` to its end.
    fn copy(&mut self, decoder: &mut impl Read) -> Result<(), DecompressError> {
        let mut counted = 0;
        let result = self.read(decoder, &mut counted);
        self.budget.shrink(counted);
        result
    }

    /// Reads `decoder` to its end; `counted` is what was counted for the decoder itself.
    fn read(&mut self, decoder: &mut impl Read, counted: &mut usize) -> Result<(), DecompressError> {
        let start = self.bytes.len();
        // A byte more than may be, to see whether there is one.
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

/// How many bytes there is room for at least before a decoder is asked for some.
const STEP: usize = 4 * 1024;

/// Refuses what is left over after the end.
fn finished(format: Format, mut rest: impl BufRead) -> Result<(), DecompressError> {
    match rest.fill_buf() {
        Ok([]) => Ok(()),
        Ok(_) | Err(_) => Err(DecompressError::Broken(format)),
    }
}

/// RFC 1950, section 2.2: the method is 8, and the first two bytes are a multiple of 31.
fn has_zlib_head(input: &[u8]) -> bool {
    match input {
        [method, flags, ..] => method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]).is_multiple_of(31),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
