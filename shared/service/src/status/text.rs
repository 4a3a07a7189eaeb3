//! Formats values for people. Pure.

use std::time::Duration;

use super::layout::Unit;

/// Returns `value` with its unit, or a dash if there is no value.
pub fn value(value: Option<f64>, unit: Unit) -> String {
    let Some(value) = value else { return "–".to_owned() };
    match unit {
        Unit::Count => count(value),
        Unit::PerSecond => format!("{}/s", count(value)),
        Unit::PerMinute => format!("{}/min", count(value)),
        Unit::Seconds => seconds(value),
        Unit::Bytes => bytes(value),
    }
}

/// Formats a count as `1,234`, or as `1.2` below ten.
fn count(value: f64) -> String {
    if value < 9.95 && value.fract() != 0.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (number, digit) in digits.chars().enumerate() {
        if number > 0 && (digits.len() - number).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn seconds(value: f64) -> String {
    match value {
        0.0 => "0 s".to_owned(),
        value if value < 0.01 => format!("{:.1} ms", value * 1_000.0),
        value if value < 1.0 => format!("{:.0} ms", value * 1_000.0),
        value if value < 60.0 => format!("{value:.1} s"),
        value => humantime::format_duration(Duration::from_secs(value as u64)).to_string(),
    }
}

fn bytes(value: f64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if value < 1_024.0 {
        return format!("{value:.0} B");
    }
    let (mut value, mut unit) = (value, "B");
    for larger in UNITS {
        if value < 1_024.0 {
            break;
        }
        (value, unit) = (value / 1_024.0, larger);
    }
    format!("{value:.1} {unit}")
}

#[cfg(test)]
mod tests;
