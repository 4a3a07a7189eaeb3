//! Formats values by `docs/document-rules.md` for the oracles of the tests, independently of the tested code.

use serde_json::{Value, json};
use time::OffsetDateTime;

fn moment(seconds: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(seconds).ok().filter(|moment| moment.year() >= 0)
}

/// Returns the date of a time in seconds since the Unix epoch, or `None` outside the years 0000 to 9999.
pub(crate) fn date_text(seconds: i64) -> Option<String> {
    moment(seconds).map(|at| format!("{:04}-{:02}-{:02}", at.year(), u8::from(at.month()), at.day()))
}

/// Returns a time of day with `digits` after the seconds, or the plain number if it is not within a day.
pub(crate) fn time_of_day(value: i64, per_second: i64, digits: usize) -> Value {
    let seconds = value.div_euclid(per_second);
    if !(0..86_400).contains(&seconds) {
        return json!(value);
    }
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    json!(format!("{hour:02}:{minute:02}:{second:02}.{:0digits$}", value.rem_euclid(per_second)))
}

/// Returns a timestamp in units of `per_second`, with `zone` at its end, or a number outside the years 0000 to 9999.
pub(crate) fn timestamp(value: i64, per_second: i64, digits: usize, zone: &str) -> Value {
    let seconds = value.div_euclid(per_second);
    match (date_text(seconds), time_of_day(value.rem_euclid(86_400 * per_second), per_second, digits)) {
        (Some(date), Value::String(time)) => json!(format!("{date}T{time}{zone}")),
        _ if per_second == 1_000 => json!(value),
        // A JSON reader sees the same number, whatever its digits.
        _ => json!(epoch(value, per_second / 1_000)),
    }
}

fn epoch(value: i64, per_milli: i64) -> f64 {
    let sign = if value < 0 { "-" } else { "" };
    let magnitude = value.unsigned_abs();
    let per_milli = per_milli.unsigned_abs();
    let digits = if per_milli == 1_000 { 3 } else { 6 };
    let text = format!("{sign}{}.{:0digits$}", magnitude / per_milli, magnitude % per_milli);
    text.parse().unwrap_or_default()
}

/// Returns a decimal with all digits of its scale.
pub(crate) fn decimal(unscaled: i128, scale: usize) -> String {
    let digits = format!("{:0width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let (sign, point) = (if unscaled < 0 { "-" } else { "" }, if scale > 0 { "." } else { "" });
    format!("{sign}{whole}{point}{fraction}")
}
