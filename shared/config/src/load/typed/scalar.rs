//! From the text of a scalar to what it may be.

use std::str::FromStr;

/// `true` or `false` (YAML 1.2, core schema), in any case.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// A whole number in decimal digits, with underscores between them where one likes.
pub(super) fn integer<T: FromStr>(text: &str) -> Option<T> {
    let text = text.trim();
    if text.starts_with('_') || text.ends_with('_') {
        return None;
    }
    text.replace('_', "").parse().ok()
}

/// A finite number.
pub(super) fn float<T: FromStr + Into<f64> + Copy>(text: &str) -> Option<T> {
    let number: T = text.trim().parse().ok()?;
    Into::<f64>::into(number).is_finite().then_some(number)
}
