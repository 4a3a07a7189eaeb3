//! Numbers as text, for tables and plots.

/// Formats a number with at least three significant digits, and separates thousands.
pub(super) fn short(value: f64) -> String {
    if value < 10.0 {
        return format!("{value:.2}");
    }
    if value < 1_000.0 {
        return format!("{value:.1}");
    }
    grouped(value)
}

/// Formats a number without decimals if it has none, else like [`short`].
pub(super) fn exact(value: f64) -> String {
    if value.fract() == 0.0 { grouped(value) } else { short(value) }
}

/// Formats a number without decimals, and separates thousands.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests;
