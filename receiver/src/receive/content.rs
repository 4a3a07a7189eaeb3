//! Decodes the `Content-Encoding` (RFC 9110, section 8.4) of a body. A signature covers the encoded body.

use axum::http::HeaderMap;
use axum::http::header::CONTENT_ENCODING;
use tokio::time::Instant;

use crate::body_budget::BodyBudget;
use crate::message::Buffer;
use crate::reject::Rejection;
use crate::stages::decompress::{DecompressError, Format, decompress};
use crate::stages::unframe::{Reading, UnframeError};
use crate::workers::Workers;

/// A compressed body up to this length is decompressed on the thread that serves the request. Handing it over would
/// take longer, and even the worst case takes only a few milliseconds.
const SHORT: usize = 4 * 1024;

/// The codings by name. An answer offers the first three.
const CODINGS: [(&str, Format); 4] =
    [("gzip", Format::Gzip), ("zstd", Format::Zstd), ("deflate", Format::Zlib), ("x-gzip", Format::Gzip)];

/// What some senders write although the body is not encoded. A character set is not a coding; they mean the
/// `Content-Type`.
const NO_CODINGS: [&str; 3] = ["identity", "utf-8", "utf8"];

/// Decodes the bodies of one source.
#[derive(Debug)]
pub(super) struct ContentDecoder {
    /// The most bytes of a decompressed body.
    limit: usize,
    /// Whether the header `Content-Encoding` counts if the first bytes do not confirm it.
    trusts_header: bool,
    workers: Workers,
}

impl ContentDecoder {
    /// Creates a decoder for bodies that may decompress to `limit` bytes.
    pub(super) fn new(reading: &Reading, limit: usize, workers: Workers) -> Self {
        Self { limit, trusts_header: reading.trusts(&CONTENT_ENCODING), workers }
    }

    /// Decompresses `body` if it is compressed. On an error, `body` is unchanged. Counts the memory in `budget`.
    ///
    /// # Errors
    /// `ContentEncoding`, `Decompress`, `Overloaded`, and the errors of [`Workers::run`].
    pub(super) async fn decompress(
        &self,
        head: &HeaderMap,
        body: &mut Buffer,
        budget: &mut BodyBudget,
        deadline: Instant,
    ) -> Result<(), Rejection> {
        let Some(format) = coding(head)? else {
            return Ok(());
        };
        // The first bytes identify gzip and zstd. A deflate stream could be anything.
        if format == Format::Zlib && !self.trusts_header {
            return Err(Rejection::Unframe(UnframeError::Unsigned("Content-Encoding")));
        }
        let limit = self.limit;
        let compressed = std::mem::take(body);
        let (result, compressed) = if compressed.body().len() <= SHORT {
            (decoded(format, &compressed, limit, budget), compressed)
        } else {
            let mut taken = budget.take();
            let work = move || (decoded(format, &compressed, limit, &mut taken), compressed, taken);
            let (result, compressed, taken) = self.workers.run(deadline, work).await?;
            *budget = taken;
            (result, compressed)
        };
        let decoded = match result {
            Ok(decoded) => decoded,
            Err(error) => {
                *body = compressed;
                return Err(error.into());
            }
        };
        *body = decoded;
        budget.shrink(compressed.allocated());
        Ok(())
    }
}

/// Returns `compressed` decompressed, at most `limit` bytes. Counts its memory in `budget`.
///
/// # Errors
/// [`DecompressError`]. In that case nothing more is counted.
pub(crate) fn decoded(
    format: Format,
    compressed: &Buffer,
    limit: usize,
    budget: &mut BodyBudget,
) -> Result<Buffer, DecompressError> {
    let mut buffer = Buffer::counted(0, budget)?;
    match decompress(format, compressed.body(), limit, buffer.bytes_mut(), budget) {
        Ok(()) => Ok(buffer),
        Err(error) => {
            budget.shrink(buffer.allocated());
            Err(error)
        }
    }
}

/// Returns the coding of the body, or `None` if it is not encoded. Refuses two nested codings, because no honest sender
/// needs them.
///
/// # Errors
/// `ContentEncoding` for an unknown coding, or more than one.
pub(crate) fn coding(head: &HeaderMap) -> Result<Option<Format>, Rejection> {
    let mut format = None;
    let values = head.get_all(CONTENT_ENCODING).iter();
    let names = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
    let is_coding = |name: &[u8]| !NO_CODINGS.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()));
    for name in names.filter(|name| !name.is_empty() && is_coding(name)) {
        let known = CODINGS.iter().find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()));
        match (known, format) {
            (Some((_, known)), None) => format = Some(*known),
            _ => return Err(Rejection::ContentEncoding),
        }
    }
    Ok(format)
}

#[cfg(test)]
mod tests;
