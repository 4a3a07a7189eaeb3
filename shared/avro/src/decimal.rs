//! Decimals: big-endian two's complement integers of any size with a scale, printed exactly.

use super::error::DecodeErrorKind as Kind;
use super::fault::{DecodeFailure, Fault};
use super::reader::Reader;
use super::sink::Scalar;

/// The most bytes of a decimal, without sign extension: 2,466 digits. The time to print grows with the square of the
/// length, so one long decimal could otherwise take minutes.
const MAX_BYTES: usize = 1024;

/// The largest scale at which a big-decimal is printed in full: `0.00123`. Beyond it, an exponent follows: `123E-5000`.
const MAX_PLAIN_SCALE: i64 = 1_000;

/// Reads a decimal from bytes, or from a fixed of `size`.
pub(super) fn read<'a>(reader: &mut Reader<'a>, size: Option<usize>, scale: u16) -> Result<Scalar<'a>, DecodeFailure> {
    let bytes = match size {
        Some(size) => reader.take(size)?,
        None => reader.bytes()?,
    };
    let unscaled = significant(bytes, reader.position())?;
    Ok(Scalar::Decimal(unscaled, i64::from(scale)))
}

/// Reads a big-decimal: bytes that contain the bytes of the integer with their length, then the scale as a long. The
/// specification leaves the encoding to the implementations; this is the one of Avro's Java and Rust libraries.
pub(super) fn read_big<'a>(reader: &mut Reader<'a>) -> Result<Scalar<'a>, DecodeFailure> {
    let bytes = reader.bytes()?;
    let start = reader.position() - bytes.len();
    let mut inner = Reader::new(bytes, 0);
    let parts = inner.bytes().and_then(|unscaled| Ok((unscaled, inner.long()?)));
    match parts {
        Ok((unscaled, scale)) if inner.left() == 0 => {
            Ok(Scalar::Decimal(significant(unscaled, reader.position())?, scale))
        }
        _ => Err(Fault::new(Kind::NotBigDecimal, start)),
    }
}

/// Returns the bytes of an integer without sign extension. Empty for a zero without bytes.
fn significant(bytes: &[u8], end: usize) -> Result<&[u8], DecodeFailure> {
    let mut rest = bytes;
    while let [first, tail @ ..] = rest
        && let [second, ..] = tail
        && (*first == 0 && *second < 0x80 || *first == 0xff && *second >= 0x80)
    {
        rest = tail;
    }
    if rest.len() > MAX_BYTES {
        return Err(Fault::new(Kind::DecimalTooLong { bytes: rest.len(), limit: MAX_BYTES }, end - rest.len()));
    }
    Ok(rest)
}

/// Appends the decimal with these bytes and this scale, as a number.
pub(super) fn write(unscaled: &[u8], scale: i64, out: &mut Vec<u8>) {
    let negative = unscaled.first().is_some_and(|first| *first >= 0x80);
    if negative {
        out.push(b'-');
    }
    if unscaled.len() > 16 {
        return write_scaled(long_digits(unscaled, negative).as_bytes(), scale, out);
    }
    let mut wide = [if negative { 0xff } else { 0 }; 16];
    if let Some(low) = wide.get_mut(16 - unscaled.len()..) {
        low.copy_from_slice(unscaled);
    }
    let magnitude = i128::from_be_bytes(wide).unsigned_abs();
    write_scaled(itoa::Buffer::new().format(magnitude).as_bytes(), scale, out);
}

fn write_scaled(digits: &[u8], scale: i64, out: &mut Vec<u8>) {
    if !(0..=MAX_PLAIN_SCALE).contains(&scale) {
        out.extend_from_slice(digits);
        out.push(b'E');
        out.extend_from_slice(itoa::Buffer::new().format(-i128::from(scale)).as_bytes());
        return;
    }
    let scale = usize::try_from(scale).unwrap_or_default();
    if scale == 0 {
        return out.extend_from_slice(digits);
    }
    match digits.split_at_checked(digits.len().wrapping_sub(scale)) {
        Some((whole @ [_, ..], fraction)) => {
            out.extend_from_slice(whole);
            out.push(b'.');
            out.extend_from_slice(fraction);
        }
        _ => {
            out.extend_from_slice(b"0.");
            out.resize(out.len() + scale.saturating_sub(digits.len()), b'0');
            out.extend_from_slice(digits);
        }
    }
}

/// Returns the digits of an integer's magnitude, by repeated division by 10^9.
fn long_digits(bytes: &[u8], negative: bool) -> String {
    const GROUP: u64 = 1_000_000_000;
    let mut limbs = magnitude(bytes, negative);
    let mut groups = Vec::new();
    while !limbs.is_empty() {
        let mut remainder = 0;
        for limb in limbs.iter_mut().rev() {
            let dividend = remainder << 32 | u64::from(*limb);
            // The remainder is less than the divisor, so the quotient fits.
            *limb = (dividend / GROUP) as u32;
            remainder = dividend % GROUP;
        }
        groups.push(remainder);
        while limbs.last() == Some(&0) {
            limbs.pop();
        }
    }
    let mut digits = groups.pop().unwrap_or_default().to_string();
    for group in groups.iter().rev() {
        digits.push_str(&format!("{group:09}"));
    }
    digits
}

/// Returns the magnitude of a big-endian two's complement integer, in limbs of 32 bits, lowest first.
fn magnitude(bytes: &[u8], negative: bool) -> Vec<u32> {
    let flip = if negative { 0xff } else { 0 };
    let mut carry = negative;
    let mut limbs = Vec::with_capacity(bytes.len().div_ceil(4));
    for chunk in bytes.rchunks(4) {
        let limb = chunk.iter().fold(0_u32, |limb, byte| limb << 8 | u32::from(byte ^ flip));
        let (sum, overflow) = limb.overflowing_add(u32::from(carry));
        carry = overflow;
        limbs.push(sum);
    }
    while limbs.last() == Some(&0) {
        limbs.pop();
    }
    limbs
}
