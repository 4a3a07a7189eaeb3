//! Makes foreign text safe for a terminal. Senders choose keys, reasons and headers, and an escape sequence in them
//! must not reach an operator's terminal.

use std::borrow::Cow;

/// Returns `text` with control characters escaped.
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.chars().any(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        if char.is_control() { escaped.extend(char.escape_default()) } else { escaped.push(char) }
    }
    Cow::Owned(escaped)
}

/// Returns `bytes` as text, or in hexadecimal if they are not UTF-8.
pub fn bytes(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| format!("0x{}", hex::encode(bytes)), str::to_owned)
}

#[cfg(test)]
mod tests;
