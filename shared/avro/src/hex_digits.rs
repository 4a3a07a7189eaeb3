//! Hexadecimal text.

/// The hexadecimal digits, in lowercase.
pub(super) const HEX_DIGITS: [u8; 16] = *b"0123456789abcdef";

/// Returns `bytes` as hexadecimal digits, two for each.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(HEX_DIGITS[usize::from(nibble & 0xf)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}
