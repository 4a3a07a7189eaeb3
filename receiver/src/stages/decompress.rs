//! Decompresses bytes, up to a limit. Pure.
//!
//! The formats are those of `Content-Encoding` and of the codecs of Avro's object container files. Output is counted
//! while it is written, so that a small body with an enormous content costs no more than the limit. A new format is a
//! variant here and a line in [`Decompressor::decompress`].

use std::io::{BufRead, Read};

use bzip2::bufread::BzDecoder;
use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};
use liblzma::bufread::XzDecoder;
use liblzma::stream::Stream;
use zstd::zstd_safe::DCtx;

use crate::body_budget::{BodyBudget, BudgetExceeded};
use out::Out;

mod out;

/// The largest window of Zstandard, as a power of two: 128 MiB, the default limit of Zstandard's own decoders. Its
/// strongest levels (20 to 22, and `--long`) request more than the 8 MiB of RFC 9659, however short the content is.
/// Only the part of a window that is written takes memory.
const ZSTD_WINDOW_LOG: u32 = 27;

/// The memory that a decoder of xz may request. The strongest preset, which apache-avro uses, has a dictionary of 64
/// MiB, but touches only the part that it fills.
const XZ_MEMORY: u64 = 80 * 1024 * 1024;

/// An upper bound for the buffers of a decoder, without its window.
const DECODER: usize = 64 * 1024;

/// The length of the CRC-32 of the decompressed data, which ends each Snappy block of Avro.
const SNAPPY_CHECKSUM: usize = 4;

/// How much longer than its input Snappy's output can be: a copy of 64 bytes takes three bytes.
const SNAPPY_MAX_RATIO: usize = 22;

/// The first bytes of a bzip2 stream whose blocks have at most 100,000 bytes, the smallest size.
const BZIP2_SMALL: &[u8] = b"BZh1";

/// The longest bzip2 stream that is first read as one of small blocks.
const BZIP2_SHORT: usize = 16 * 1024;

/// A compression format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// RFC 1952, also with several members. Zeros after the last one are padding, as for the tool `gzip`.
    Gzip,
    /// The `deflate` of HTTP: RFC 1950, or RFC 1951 from senders that omit the zlib header.
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

/// Says why bytes cannot be decompressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DecompressError {
    /// The output would exceed the limit.
    #[error("the decompressed body is longer than {0} bytes")]
    TooLarge(usize),
    /// The bytes are not of the format, are cut off, or have bytes after the end.
    #[error("the body is not valid {}, or is truncated", .0.name())]
    Broken(Format),
    /// All requests together would hold too much.
    #[error(transparent)]
    BudgetExceeded(#[from] BudgetExceeded),
}

impl Format {
    /// Returns the name of the format, for people.
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

    /// Returns the most bytes that the decoder takes once it has written `written` bytes. Memory that is allocated but
    /// never touched does not count.
    fn decoder(self, written: usize) -> usize {
        const MIB: usize = 1024 * 1024;
        match self {
            Self::Snappy => 0,
            Self::Gzip | Self::Zlib | Self::Deflate => DECODER,
            // The window over the output, and tables.
            Self::Zstd => 4 * DECODER + written.min(1 << ZSTD_WINDOW_LOG),
            // Four bytes for each byte of a block of 900,000.
            Self::Bzip2 => DECODER + written.saturating_mul(4).min(4 * MIB),
            Self::Xz => DECODER + written.min(64 * MIB),
        }
    }
}

/// Decompresses one piece of data after another, and reuses the decoder of Zstandard: for a small piece, its set-up
/// takes most of the time.
#[derive(Default)]
pub(crate) struct Decompressor {
    zstd: Option<DCtx<'static>>,
    /// The memory counted for `zstd`.
    counted: usize,
}

/// Does the same as [`Decompressor::decompress`], for a single piece of data.
///
/// # Errors
/// See [`Decompressor::decompress`].
pub(crate) fn decompress(
    format: Format,
    input: &[u8],
    limit: usize,
    out: &mut Vec<u8>,
    budget: &mut BodyBudget,
) -> Result<(), DecompressError> {
    let mut decompressor = Decompressor::default();
    let result = decompressor.decompress(format, input, limit, out, budget);
    decompressor.release(budget);
    result
}

impl Decompressor {
    /// Decompresses `input` and appends at most `limit` bytes to `out`. Counts the memory of `out` in `budget`, and
    /// that of the decoder while it works or until [`Decompressor::release`].
    ///
    /// # Errors
    /// [`DecompressError`]. Then `out` may have grown by up to the limit.
    pub(crate) fn decompress(
        &mut self,
        format: Format,
        input: &[u8],
        limit: usize,
        out: &mut Vec<u8>,
        budget: &mut BodyBudget,
    ) -> Result<(), DecompressError> {
        let mut out = Out { format, limit, bytes: out, budget };
        match format {
            Format::Gzip => out.copy(&mut Members(GzDecoder::new(input))),
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
            // Bytes after the last block are ignored, as in Avro's Java and Python: Python's writers leave three bytes
            // of a checksum there.
            Format::Deflate => out.copy(&mut DeflateDecoder::new(input)),
            Format::Zstd => self.zstd(input, out),
            Format::Snappy => snappy(input, out),
            Format::Bzip2 => bzip2(input, out),
            Format::Xz => {
                let stream = Stream::new_stream_decoder(XZ_MEMORY, 0).map_err(|_| DecompressError::Broken(format))?;
                let mut decoder = XzDecoder::new_stream(input, stream);
                out.copy(&mut decoder)?;
                finished(format, decoder.into_inner())
            }
        }
    }

    /// Frees what is kept for more data, and no longer counts it in `budget`.
    pub(crate) fn release(self, budget: &mut BodyBudget) {
        drop(self.zstd);
        budget.shrink(self.counted);
    }

    fn zstd(&mut self, input: &[u8], mut out: Out<'_>) -> Result<(), DecompressError> {
        let context = self.zstd.get_or_insert_with(DCtx::create);
        // The decoder reads several frames in a row.
        let mut decoder = zstd::stream::read::Decoder::with_context(input, context);
        decoder.window_log_max(ZSTD_WINDOW_LOG).map_err(|_| DecompressError::Broken(Format::Zstd))?;
        // The context keeps its window, so what is counted for it stays counted.
        out.read(&mut decoder, &mut self.counted)?;
        finished(Format::Zstd, decoder.finish())
    }
}

/// Reads all members of a gzip stream. Zeros up to the end of the stream are ignored: senders pad to the size of a
/// block, and the decoders of the tool `gzip`, Python and Node.js accept it.
struct Members<'i>(GzDecoder<&'i [u8]>);

impl Read for Members<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let read = self.0.read(into)?;
            let rest = *self.0.get_ref();
            if read > 0 || into.is_empty() || rest.iter().all(|byte| *byte == 0) {
                return Ok(read);
            }
            self.0.reset(rest);
        }
    }
}

/// Decompresses bzip2. A decoder first clears four bytes for each byte of the block size in the header: 3.6 MB with the
/// usual `BZh9`, which takes ten times as long as decoding a small block. A short stream most likely has a small block.
/// So it is read with the smallest block size first, and with the size in its header only if that fails. The size has
/// no other effect.
fn bzip2(input: &[u8], mut out: Out<'_>) -> Result<(), DecompressError> {
    let start = out.bytes.len();
    if let Some(([b'B', b'Z', b'h', b'2'..=b'9'], rest)) = input.split_first_chunk()
        && input.len() <= BZIP2_SHORT
    {
        let small = bunzip2(BZIP2_SMALL.chain(rest), &mut out);
        if small != Err(DecompressError::Broken(Format::Bzip2)) {
            return small;
        }
        out.bytes.truncate(start);
    }
    bunzip2(input, &mut out)
}

fn bunzip2(input: impl BufRead, out: &mut Out<'_>) -> Result<(), DecompressError> {
    let mut decoder = BzDecoder::new(input);
    out.copy(&mut decoder)?;
    finished(Format::Bzip2, decoder.into_inner())
}

fn snappy(input: &[u8], out: Out<'_>) -> Result<(), DecompressError> {
    let broken = DecompressError::Broken(Format::Snappy);
    let (block, checksum) = input.split_last_chunk::<SNAPPY_CHECKSUM>().ok_or(broken)?;
    let len = snap::raw::decompress_len(block).map_err(|_| broken)?;
    if len > out.limit {
        return Err(DecompressError::TooLarge(out.limit));
    }
    // The length is the sender's claim. No block of this size can hold more.
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

/// Refuses bytes after the end.
fn finished(format: Format, mut rest: impl BufRead) -> Result<(), DecompressError> {
    match rest.fill_buf() {
        Ok([]) => Ok(()),
        Ok(_) | Err(_) => Err(DecompressError::Broken(format)),
    }
}

/// Returns whether `input` has a zlib header (RFC 1950, section 2.2): the method is 8, and the first two bytes are a
/// multiple of 31.
fn has_zlib_head(input: &[u8]) -> bool {
    match input {
        [method, flags, ..] => method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]).is_multiple_of(31),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
