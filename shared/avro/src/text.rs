//! Strings: checks UTF-8 and finds characters to escape in JSON, in one pass for the common case.

/// UTF-8 text as stored in the datum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'a> {
    /// The bytes; valid UTF-8.
    pub(super) bytes: &'a [u8],
    /// Whether JSON needs escapes in the text.
    pub(super) escapes: Escapes,
}

/// Whether JSON needs escapes in a text. As wide as a word: a value with padding bytes at its end would be copied in
/// overlapping parts, and the processor would wait for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Escapes {
    /// No escapes are needed.
    None,
    /// Escapes may be needed.
    Possible,
}

/// A string as stored in the datum, not checked yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stored<'a> {
    /// Its bytes.
    pub(super) bytes: &'a [u8],
    /// Its bytes and all that follow them in the datum, so that a short string can be copied in one piece.
    pub(super) onward: &'a [u8],
}

/// Checks that `bytes` are UTF-8. If not, returns how many bytes are valid.
#[inline]
pub(super) fn check(bytes: &[u8]) -> Result<Text<'_>, usize> {
    if is_plain(bytes) {
        return Ok(Text { bytes, escapes: Escapes::None });
    }
    match std::str::from_utf8(bytes) {
        Ok(_) => Ok(Text { bytes, escapes: Escapes::Possible }),
        Err(error) => Err(error.valid_up_to()),
    }
}

/// Returns whether all bytes are ASCII that needs no escapes in JSON. Checks sixteen bytes at a time, and the last
/// sixteen again if the length is not a multiple: most strings are short, so most of the work is at their ends.
#[inline]
fn is_plain(bytes: &[u8]) -> bool {
    let Some(last) = bytes.last_chunk::<16>() else { return is_short_plain(bytes) };
    let (chunks, _) = bytes.as_chunks::<16>();
    chunks.iter().all(is_chunk_plain) && is_chunk_plain(last)
}

/// Checks without branches, so that the compiler emits a few vector instructions.
#[inline(always)]
fn is_chunk_plain(chunk: &[u8; 16]) -> bool {
    // A loop, since the compiler does not always inline `fold`.
    let mut marks = 0;
    for byte in chunk {
        marks |= mark(*byte);
    }
    marks == 0
}

/// Does the same for a multiple of sixteen bytes.
#[inline(always)]
fn are_plain<const N: usize>(bytes: &[u8; N]) -> bool {
    let (chunks, _) = bytes.as_chunks::<16>();
    let mut are_plain = true;
    for chunk in chunks {
        are_plain &= is_chunk_plain(chunk);
    }
    are_plain
}

/// Does the same for the first `length` of sixteen bytes.
#[inline(always)]
fn is_start_plain(length: usize, chunk: &[u8; 16]) -> bool {
    /// A window of sixteen bytes that begins at `16 - length` has `length` bytes set.
    const COUNTED: [u8; 32] = {
        let mut window = [0; 32];
        let mut at = 0;
        while at < 16 {
            window[at] = u8::MAX;
            at += 1;
        }
        window
    };
    let counted = COUNTED.get(16_usize.saturating_sub(length)..).and_then(|window| window.first_chunk::<16>());
    let counted = counted.unwrap_or(&[u8::MAX; 16]);
    let mut marks = 0;
    for (byte, counted) in chunk.iter().zip(counted) {
        marks |= mark(*byte) & counted;
    }
    marks == 0
}

/// Returns 255 for a byte that is not ASCII, or must be escaped in JSON, else 0.
#[inline(always)]
fn mark(byte: u8) -> u8 {
    // As a signed number, a byte that is not ASCII is less than any control character.
    let is_marked = (byte.cast_signed() < 0x20) | (byte == b'"') | (byte == b'\\');
    u8::from(is_marked).wrapping_neg()
}

/// Does the same as [`is_plain`] for less than sixteen bytes.
#[inline]
fn is_short_plain(bytes: &[u8]) -> bool {
    if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        return (marks(*first) | marks(*last)) & HIGH == 0;
    }
    if let (Some([a, b, c, d]), Some([e, f, g, h])) = (bytes.first_chunk(), bytes.last_chunk()) {
        return marks([*a, *b, *c, *d, *e, *f, *g, *h]) & HIGH == 0;
    }
    bytes.iter().all(|&byte| (0x20..0x80).contains(&byte) && byte != b'"' && byte != b'\\')
}

const ONES: u64 = u64::MAX / 255;
const HIGH: u64 = ONES * 0x80;

/// Returns a word with high bits if one of the eight bytes is not ASCII, a control character, a quote or a backslash;
/// otherwise zero. From "has a byte less than n" and "has a zero byte" of Sean Anderson's Bit Twiddling Hacks: with its
/// second bit flipped, a quote is 0x20, so all bytes to escape, except backslashes, are less than 0x21.
#[inline]
fn marks(word: [u8; 8]) -> u64 {
    let word = u64::from_le_bytes(word);
    let control_or_quote = (word ^ (ONES * 0x02)).wrapping_sub(ONES * 0x21);
    let backslash = (word ^ (ONES * b'\\' as u64)).wrapping_sub(ONES);
    word | control_or_quote | backslash
}

/// Cuts UTF-8 into pieces of at most `most` bytes, at least 4, between characters.
pub(super) fn pieces(mut bytes: &[u8], most: usize) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        // Continuation bytes of a character have the form 10xxxxxx; its first byte does not.
        let is_boundary = |at: &usize| bytes.get(*at).is_none_or(|byte| byte & 0xc0 != 0x80);
        let end = (1..=most.min(bytes.len())).rev().find(is_boundary).unwrap_or(bytes.len());
        let (piece, rest) = bytes.split_at(end);
        bytes = rest;
        Some(piece)
    })
}

/// Appends `text` as a JSON string, quotes included.
#[inline]
pub(super) fn write_json(text: Text<'_>, out: &mut Vec<u8>) {
    out.reserve(text.bytes.len() + 2);
    out.push(b'"');
    if text.escapes == Escapes::None {
        out.extend_from_slice(text.bytes);
    } else {
        write_escaped(text.bytes, out);
    }
    out.push(b'"');
}

/// Appends a string of the datum as a JSON string, quotes included. If it is not UTF-8, returns how many bytes are
/// valid, and leaves some of them behind.
#[inline(always)]
pub(super) fn write_stored(text: Stored<'_>, out: &mut Vec<u8>) -> Result<Escapes, usize> {
    let start = out.len();
    if push_if_plain(text, out) {
        return Ok(Escapes::None);
    }
    out.truncate(start);
    write_not_plain(text.bytes, out)
}

#[inline(never)]
fn write_not_plain(bytes: &[u8], out: &mut Vec<u8>) -> Result<Escapes, usize> {
    let Text { escapes, .. } = check(bytes)?;
    write_json(Text { bytes, escapes }, out);
    Ok(escapes)
}

/// Appends the text in quotes if it needs no escapes. Otherwise returns false, and leaves some bytes behind.
///
/// Most strings are short, and a call of `memcpy` takes longer than copying them. So they are copied in one or two
/// pieces of a fixed size, which the compiler turns into vector instructions, and checked on the way.
#[inline(always)]
fn push_if_plain(Stored { bytes, onward }: Stored<'_>, out: &mut Vec<u8>) -> bool {
    out.push(b'"');
    let (length, start) = (bytes.len(), out.len());
    let is_plain = if length <= 16
        && let Some(chunk) = onward.first_chunk::<16>()
    {
        out.extend_from_slice(chunk);
        out.truncate(start + length);
        is_start_plain(length, chunk)
    } else if length <= 32
        && let (Some(first), Some(last)) = (bytes.first_chunk::<16>(), bytes.last_chunk::<16>())
    {
        push_both(first, last, length, out);
        are_plain(first) & are_plain(last)
    } else if length <= 64
        && let (Some(first), Some(last)) = (bytes.first_chunk::<32>(), bytes.last_chunk::<32>())
    {
        push_both(first, last, length, out);
        are_plain(first) & are_plain(last)
    } else {
        out.extend_from_slice(bytes);
        is_plain(bytes)
    };
    out.push(b'"');
    is_plain
}

/// Appends the first and the last bytes of a text of this length, which overlap or meet.
#[inline(always)]
fn push_both<const N: usize>(first: &[u8; N], last: &[u8; N], length: usize, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(first);
    out.truncate(start + length - N);
    out.extend_from_slice(last);
}

fn write_escaped(bytes: &[u8], out: &mut Vec<u8>) {
    let mut written = 0;
    for (index, &byte) in bytes.iter().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(bytes.get(written..index).unwrap_or_default());
        write_escape(byte, out);
        written = index + 1;
    }
    out.extend_from_slice(bytes.get(written..).unwrap_or_default());
}

/// Writes an escape of RFC 8259, section 7, in the short form if it exists.
fn write_escape(byte: u8, out: &mut Vec<u8>) {
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        0x08 => b'b',
        0x09 => b't',
        0x0a => b'n',
        0x0c => b'f',
        0x0d => b'r',
        _ => {
            let digit = |nibble: u8| b"0123456789abcdef"[usize::from(nibble & 0xf)];
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests;
