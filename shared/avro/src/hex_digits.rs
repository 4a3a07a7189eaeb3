//! Hexadecimal text.

/// The hexadecimal digits, in lowercase.
pub(super) const HEX_DIGITS: [u8; 16] = *b"0123456789abcdef";
