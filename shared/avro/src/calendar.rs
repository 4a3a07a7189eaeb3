//! Formats dates and times, in the proleptic Gregorian calendar, for the years 0000 to 9999 of RFC 3339.

use std::cell::Cell;

use super::node::Unit;

/// The length of the longest text: `2026-01-02T03:04:05.678901234Z` in quotes.
const MAX_LEN: usize = 32;

const SECONDS_PER_DAY: u64 = 86_400;
/// The days of 400 years, after which the calendar repeats.
const DAYS_PER_ERA: u32 = 146_097;
/// 1970-01-01, in days since 0000-03-01 of the era before: days are counted from there, so that none is negative.
const EPOCH: u32 = 719_468 + DAYS_PER_ERA;
/// 0000-01-01, counted in this way.
const FIRST_DAY: u32 = EPOCH - 719_528;
/// 9999-12-31.
const LAST_DAY: u32 = EPOCH + 2_932_896;

/// Appends `"2026-01-02"`. Outside the years 0000 to 9999, appends nothing and returns false.
pub(super) fn write_date(days: i64, out: &mut Vec<u8>) -> bool {
    let Some(days) = days.checked_add(i64::from(EPOCH)).and_then(|days| u32::try_from(days).ok()) else { return false };
    let Some((month, day)) = date(days) else { return false };
    out.reserve(MAX_LEN);
    out.push(b'"');
    out.extend_from_slice(&month.to_le_bytes());
    out.extend_from_slice(&day.to_le_bytes());
    out.push(b'"');
    true
}

/// Appends `"03:04:05.678"`, with the unit's digits. If the time is not within a day, appends nothing and returns
/// false.
pub(super) fn write_time(since_midnight: i64, unit: Unit, out: &mut Vec<u8>) -> bool {
    let seconds = since_midnight.div_euclid(unit.per_second());
    let Some(seconds) = u64::try_from(seconds).ok().filter(|seconds| *seconds < SECONDS_PER_DAY) else { return false };
    out.reserve(MAX_LEN);
    let (millis, rest) = split(since_midnight.rem_euclid(unit.per_second()), unit);
    out.push(b'"');
    out.extend_from_slice(&time(seconds).to_le_bytes());
    out.extend_from_slice(&point_and_three(millis).to_le_bytes());
    push_rest(rest, unit, out);
    out.push(b'"');
    true
}

/// Appends `"2026-01-02T03:04:05.678Z"`, with the unit's digits, and with the Z only if `utc`. Outside the years 0000
/// to 9999, appends nothing and returns false.
pub(super) fn write_timestamp(since_epoch: i64, unit: Unit, utc: bool, out: &mut Vec<u8>) -> bool {
    let (seconds, fraction) = match unit {
        // Each case divides by a constant, since a division by a variable takes five times as long.
        Unit::Millis => (since_epoch.div_euclid(1_000), since_epoch.rem_euclid(1_000)),
        Unit::Micros => (since_epoch.div_euclid(1_000_000), since_epoch.rem_euclid(1_000_000)),
        Unit::Nanos => (since_epoch.div_euclid(1_000_000_000), since_epoch.rem_euclid(1_000_000_000)),
    };
    // This cannot overflow: `seconds` is at most a thousandth of the largest number.
    let Ok(seconds) = u64::try_from(seconds + i64::from(EPOCH) * SECONDS_PER_DAY.cast_signed()) else { return false };
    let Ok(days) = u32::try_from(seconds / SECONDS_PER_DAY) else { return false };
    let Some((month, day)) = date(days) else { return false };
    let time = time(seconds % SECONDS_PER_DAY);
    let (millis, rest) = split(fraction, unit);
    out.reserve(MAX_LEN);
    // `"2026-01`, `-02T03:0` and `4:05.678`.
    out.extend_from_slice(&(u64::from(b'"') | month << 8).to_le_bytes());
    let dash_and_day = u64::from(b'-') | u64::from(day) << 8 | u64::from(b'T') << 24;
    out.extend_from_slice(&(dash_and_day | time << 32).to_le_bytes());
    out.extend_from_slice(&(time >> 32 | u64::from(point_and_three(millis)) << 32).to_le_bytes());
    push_rest(rest, unit, out);
    // Two appends of known lengths: one of a length that depends on `utc` would be a call of `memcpy`.
    if utc {
        out.push(b'Z');
    }
    out.push(b'"');
    true
}

// The code assembles digits in registers and stores whole words. If digits were stored one by one and then copied as
// words, the processor would wait for the stores, which takes as long as everything else here.

thread_local! {
    /// The last day and its text. Most times of an event, and of the next event, are of one day.
    static LAST_DATE: Cell<(u32, u64, u16)> = const { Cell::new((0, 0, 0)) };
}

/// Returns `2026-01-` and `02` for a day counted like [`EPOCH`], the first character in the lowest byte. Returns `None`
/// outside the years 0000 to 9999.
#[inline(always)]
fn date(days: u32) -> Option<(u64, u16)> {
    let (known, month, day) = LAST_DATE.get();
    // Day 0 is before the year 0000.
    if days == known && known != 0 {
        return Some((month, day));
    }
    new_date(days)
}

fn new_date(days: u32) -> Option<(u64, u16)> {
    if !(FIRST_DAY..=LAST_DAY).contains(&days) {
        return None;
    }
    let (year, month, day) = civil(days);
    let dashes = u64::from(b'-') << 32 | u64::from(b'-') << 56;
    let month = u64::from(two(year / 100)) | u64::from(two(year % 100)) << 16 | u64::from(two(month)) << 40 | dashes;
    let day = two(day);
    LAST_DATE.set((days, month, day));
    Some((month, day))
}

/// Returns `03:04:05` for a second of a day, the first character in the lowest byte.
#[inline(always)]
fn time(second: u64) -> u64 {
    // It fits, since it is within a day.
    let second = second as u32;
    let (hours, minutes, seconds) = (second / 3600, second / 60 % 60, second % 60);
    let colons = u64::from(b':') << 16 | u64::from(b':') << 40;
    u64::from(two(hours)) | u64::from(two(minutes)) << 24 | u64::from(two(seconds)) << 48 | colons
}

/// Splits the fraction of a second into milliseconds and the units that remain.
#[inline(always)]
fn split(fraction: i64, unit: Unit) -> (u32, u32) {
    // It fits, even in nanoseconds.
    let fraction = fraction as u32;
    match unit {
        Unit::Millis => (fraction, 0),
        Unit::Micros => (fraction / 1_000, fraction % 1_000),
        Unit::Nanos => (fraction / 1_000_000, fraction % 1_000_000),
    }
}

/// Appends the digits after the milliseconds.
#[inline(always)]
fn push_rest(rest: u32, unit: Unit, out: &mut Vec<u8>) {
    let mut push_three = |value| out.extend_from_slice(&(point_and_three(value) >> 8).to_le_bytes()[..3]);
    match unit {
        Unit::Millis => {}
        Unit::Micros => push_three(rest),
        Unit::Nanos => {
            push_three(rest / 1_000);
            push_three(rest % 1_000);
        }
    }
}

/// Returns `.678` for a number below 1,000, the first character in the lowest byte.
#[inline(always)]
fn point_and_three(value: u32) -> u32 {
    u32::from(b'.') | u32::from(digit(value / 100)) << 8 | u32::from(two(value % 100)) << 16
}

/// Returns the digit of a number below 10.
#[inline(always)]
fn digit(value: u32) -> u8 {
    b'0' + value as u8
}

/// Returns the two digits of a number below 100, the first in the lower byte.
#[inline(always)]
fn two(value: u32) -> u16 {
    // The remainder is always within the table.
    DIGITS[value as usize % 100]
}

/// The two digits of each number below 100.
const DIGITS: [u16; 100] = {
    let mut digits = [0; 100];
    let mut value = 0;
    while value < 100 {
        digits[value] = u16::from_le_bytes([b'0' + (value / 10) as u8, b'0' + (value % 10) as u8]);
        value += 1;
    }
    digits
};

/// Returns year, month and day for a day counted like [`EPOCH`], with few multiplications: Neri and Schneider,
/// "Euclidean affine functions and their application to calendar algorithms" (Software: Practice and Experience 53,
/// 2023). Years begin in March, so that the leap day comes last.
#[inline(always)]
fn civil(days: u32) -> (u32, u32, u32) {
    let quarters = 4 * days + 3;
    let century = quarters / DAYS_PER_ERA;
    let day_of_century = quarters % DAYS_PER_ERA / 4;
    // Divides by 1,461, the days of four years: quotient and remainder are the halves of one product.
    let product = 2_939_745 * u64::from(4 * day_of_century + 3);
    let year_of_century = (product >> 32) as u32;
    let day_of_year = product as u32 / 2_939_745 / 4;
    // Divides by 153/5, the days of a month, in the same way in 16 bits.
    let month_and_day = 2_141 * day_of_year + 197_913;
    let march_month = month_and_day >> 16;
    let day = (month_and_day & 0xffff) / 2_141 + 1;
    let next_year = u32::from(day_of_year >= 306);
    // Removes the added 400 years.
    (100 * century + year_of_century + next_year - 400, march_month - 12 * next_year, day)
}
