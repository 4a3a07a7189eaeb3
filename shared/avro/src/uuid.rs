//! UUIDs as text (RFC 9562, section 4): 8-4-4-4-12 hexadecimal digits. Reads both cases, and writes lowercase.

use serde::{Deserialize, Serialize};

use super::error::DecodeErrorKind as Kind;
use super::fault::{DecodeFailure, Fault};
use super::hex_digits::HEX_DIGITS;
use super::reader::Reader;
use super::sink::Scalar;
use super::text::{self, Escapes, Text};

/// How to treat text of a `uuid` that is not a UUID. Some writers (fastavro) write any text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Uuids {
    /// Keeps the text unchanged.
    #[default]
    Any,
    /// Refuses the text.
    Strict,
}

/// The length of a UUID as text.
pub(super) const TEXT_LEN: usize = 36;

const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// Reads a string that should be a UUID. Other text is counted in `others` and returned unchanged, or refused if
/// `uuids` says so.
pub(super) fn read<'a>(reader: &mut Reader<'a>, uuids: Uuids, others: &mut u32) -> Result<Scalar<'a>, DecodeFailure> {
    let bytes = reader.bytes()?;
    let Ok(text) = <&[u8; TEXT_LEN]>::try_from(bytes) else { return other(reader, bytes, uuids, others) };
    if is_small(text) {
        // Most UUIDs have this form and need not be printed again.
        return Ok(Scalar::UuidText(Text { bytes, escapes: Escapes::None }));
    }
    match parse(text) {
        Some(uuid) => Ok(Scalar::Uuid(uuid)),
        None => other(reader, bytes, uuids, others),
    }
}

/// Returns or refuses the text just read, which is not a UUID.
#[cold]
fn other<'a>(
    reader: &Reader<'a>,
    bytes: &'a [u8],
    uuids: Uuids,
    others: &mut u32,
) -> Result<Scalar<'a>, DecodeFailure> {
    let begin = reader.position() - bytes.len();
    if uuids == Uuids::Strict {
        return Err(Fault::new(Kind::NotUuid, begin));
    }
    *others = others.saturating_add(1);
    text::check(bytes).map(Scalar::Text).map_err(|valid| Fault::new(Kind::NotUtf8, begin + valid))
}

/// Returns whether the text is a UUID in lowercase. Checks without branches, so that the compiler emits a few vector
/// instructions.
#[inline]
fn is_small(text: &[u8; TEXT_LEN]) -> bool {
    let is_digit = |byte: u8| (byte.wrapping_sub(b'0') < 10) | (byte.wrapping_sub(b'a') < 6);
    let mut text = *text;
    let hyphens = HYPHENS.iter().fold(true, |all, &index| all & (std::mem::replace(&mut text[index], b'0') == b'-'));
    hyphens & text.iter().fold(true, |all, &byte| all & is_digit(byte))
}

fn parse(text: &[u8; TEXT_LEN]) -> Option<[u8; 16]> {
    if HYPHENS.iter().any(|&index| text[index] != b'-') {
        return None;
    }
    let mut uuid = [0; 16];
    let mut invalid = 0;
    let mut index = 0;
    for byte in &mut uuid {
        index += usize::from(HYPHENS.contains(&index));
        let high = HEX_VALUES[usize::from(text[index])];
        let low = HEX_VALUES[usize::from(text[index + 1])];
        invalid |= high | low;
        *byte = high << 4 | low & 0xf;
        index += 2;
    }
    (invalid <= 0xf).then_some(uuid)
}

/// The value of each hexadecimal digit, 255 for other bytes.
const HEX_VALUES: [u8; 256] = {
    let mut values = [u8::MAX; 256];
    let mut digit = 0;
    while digit < 16 {
        values[b"0123456789abcdef"[digit] as usize] = digit as u8;
        values[b"0123456789ABCDEF"[digit] as usize] = digit as u8;
        digit += 1;
    }
    values
};

/// Prints a UUID.
pub(super) fn print(uuid: [u8; 16]) -> [u8; TEXT_LEN] {
    let mut text = [b'-'; TEXT_LEN];
    let mut index = 0;
    for byte in uuid {
        index += usize::from(HYPHENS.contains(&index));
        text[index] = HEX_DIGITS[usize::from(byte >> 4)];
        text[index + 1] = HEX_DIGITS[usize::from(byte & 0xf)];
        index += 2;
    }
    text
}

#[cfg(test)]
mod tests;
