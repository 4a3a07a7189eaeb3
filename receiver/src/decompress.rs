//! Compressed bytes back to what they were, never more than a limit of them. Pure.
//!
//! The formats are those of `Content-Encoding` and of the codecs of Avro's object container files. What is written is counted while
//! it is written, so that a small body that would become an enormous one costs no more than the limit. A new format is a variant
//! here and a line in [`decompress`].

use std::io::{BufRead, Read};

use bzip2::bufread::BzDecoder;
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use liblzma::bufread::XzDecoder;
use liblzma::stream::Stream;

/// The largest window of Zstandard, as a power of two: 8 MiB, which RFC 9659 sets for `Content-Encoding: zstd` and RFC 8878 wants
/// every decoder to have.
const ZSTD_WINDOW_LOG: u32 = 23;

/// The memory that a decoder of xz may ask for. Its strongest preset, the one apache-avro writes with, has a dictionary of 64 MiB;
/// of that, only what is filled is ever touched.
const XZ_MEMORY: u64 = 80 * 1024 * 1024;

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
    #[error("it decompresses to more than {0} bytes")]
    TooLarge(usize),
    /// Not of the format, cut off, or with bytes left over.
    #[error("it is not valid {}, or is cut off", .0.name())]
    Broken(Format),
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
}

/// Appends to `out` what `input` was before it was compressed: `limit` bytes at most.
///
/// # Errors
/// [`DecompressError`]; `out` may then have grown by up to the limit.
pub(crate) fn decompress(format: Format, input: &[u8], limit: usize, out: &mut Vec<u8>) -> Result<(), DecompressError> {
    match format {
        Format::Gzip => {
            let mut decoder = MultiGzDecoder::new(input);
            copy(format, &mut decoder, limit, out)?;
            finished(format, decoder.into_inner())
        }
        Format::Zlib if has_zlib_head(input) => {
            let mut decoder = ZlibDecoder::new(input);
            copy(format, &mut decoder, limit, out)?;
            finished(format, decoder.into_inner())
        }
        Format::Zlib => {
            let mut decoder = DeflateDecoder::new(input);
            copy(format, &mut decoder, limit, out)?;
            finished(format, decoder.into_inner())
        }
        // What follows the last block is ignored, as by Avro's Java and Python: Python's writers leave three bytes of a checksum there.
        Format::Deflate => copy(format, &mut DeflateDecoder::new(input), limit, out),
        Format::Zstd => zstd(input, limit, out),
        Format::Snappy => snappy(input, limit, out),
        Format::Bzip2 => {
            let mut decoder = BzDecoder::new(input);
            copy(format, &mut decoder, limit, out)?;
            finished(format, decoder.into_inner())
        }
        Format::Xz => {
            let stream = Stream::new_stream_decoder(XZ_MEMORY, 0).map_err(|_| DecompressError::Broken(format))?;
            let mut decoder = XzDecoder::new_stream(input, stream);
            copy(format, &mut decoder, limit, out)?;
            finished(format, decoder.into_inner())
        }
    }
}

fn zstd(input: &[u8], limit: usize, out: &mut Vec<u8>) -> Result<(), DecompressError> {
    let broken = |_| DecompressError::Broken(Format::Zstd);
    // Several frames follow each other without more ado.
    let mut decoder = zstd::stream::read::Decoder::with_buffer(input).map_err(broken)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG).map_err(broken)?;
    copy(Format::Zstd, &mut decoder, limit, out)?;
    finished(Format::Zstd, decoder.finish())
}

fn snappy(input: &[u8], limit: usize, out: &mut Vec<u8>) -> Result<(), DecompressError> {
    let broken = DecompressError::Broken(Format::Snappy);
    let (block, checksum) = input.split_last_chunk::<SNAPPY_CHECKSUM>().ok_or(broken)?;
    let len = snap::raw::decompress_len(block).map_err(|_| broken)?;
    if len > limit {
        return Err(DecompressError::TooLarge(limit));
    }
    // The length is the sender's word; no block of this size can keep it.
    if len > block.len().saturating_mul(SNAPPY_MAX_RATIO) {
        return Err(broken);
    }
    let start = out.len();
    out.resize(start + len, 0);
    let room = out.get_mut(start..).unwrap_or_default();
    let written = snap::raw::Decoder::new().decompress(block, room).map_err(|_| broken)?;
    let intact = written == len && crc32fast::hash(room) == u32::from_be_bytes(*checksum);
    if intact { Ok(()) } else { Err(broken) }
}

/// Reads `decoder` to its end.
fn copy(format: Format, decoder: &mut impl Read, limit: usize, out: &mut Vec<u8>) -> Result<(), DecompressError> {
    let start = out.len();
    // A byte more than may be, to see whether there is one.
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    decoder.take(most).read_to_end(out).map_err(|_| DecompressError::Broken(format))?;
    if out.len() - start > limit { Err(DecompressError::TooLarge(limit)) } else { Ok(()) }
}

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
