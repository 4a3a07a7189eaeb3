//! Parses the text of a scalar.

use std::str::FromStr;

/// Parses `true` or `false` (YAML 1.2, core schema), in upper or lower case.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// Parses a whole number in decimal digits, with optional underscores between them.
pub(super) fn integer<T: FromStr>(text: &str) -> Option<T> {
    let text = text.trim();
    if text.starts_with('_') || text.ends_with('_') {
        return None;
    }
    text.replace('_', "").parse().ok()
}

/// Parses a finite number.
pub(super) fn float<T: FromStr + Into<f64> + Copy>(text: &str) -> Option<T> {
    let number: T = text.trim().parse().ok()?;
    Into::<f64>::into(number).is_finite().then_some(number)
}
