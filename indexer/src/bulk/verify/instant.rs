//! Parses text or a number as a date field does. An index with a synthetic `_source` returns each date in one
//! notation, in milliseconds. Pure.

use time::{Date, Month, Time};

/// Returns whether `text` has the notation in which a date field returns times: `2026-01-02T03:04:05.678Z`.
pub(super) fn is_given_back(text: &str) -> bool {
    text.len() == 24 && text.ends_with('Z') && of_text(text).is_some()
}

/// Returns the milliseconds since 1970 of a date or a time. The time may lack its Z and have any number of fractional
/// digits. `None` if `text` is something else.
pub(super) fn of_text(text: &str) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let date = date_of(date)?;
    if rest.is_empty() {
        return Some(date.midnight().assume_utc().unix_timestamp() * 1_000);
    }
    let time = rest.strip_prefix('T')?;
    let (seconds, fraction) = time.strip_suffix('Z').unwrap_or(time).split_once('.')?;
    let at = date.with_time(time_of(seconds)?).assume_utc();
    // Digits beyond a millisecond are cut off.
    number(fraction)?;
    Some(at.unix_timestamp() * 1_000 + i64::from(number(fraction.get(..3)?)?))
}

/// Returns the whole milliseconds of a number, which may have a fraction and an exponent.
pub(super) fn of_number(text: &str) -> Option<i64> {
    let millis = text.parse::<f64>().ok()?.floor();
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of the years 0000 to 9999 fit")]
    (millis.abs() < 1e15).then_some(millis as i64)
}

fn date_of(text: &str) -> Option<Date> {
    let (year, rest) = text.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    let month = Month::try_from(u8::try_from(number(month)?).ok()?).ok()?;
    Date::from_calendar_date(i32::try_from(number(year)?).ok()?, month, u8::try_from(number(day)?).ok()?).ok()
}

fn time_of(text: &str) -> Option<Time> {
    let mut parts = text.splitn(3, ':').map(|part| u8::try_from(number(part)?).ok());
    let mut next = || parts.next().flatten();
    Time::from_hms(next()?, next()?, next()?).ok()
}

fn number(digits: &str) -> Option<u32> {
    digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests;
