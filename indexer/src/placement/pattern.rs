//! The names of the strategy `time`: a function of the placement time alone. Pure.

use std::fmt::Write;

use time::{Date, Month, OffsetDateTime};

use super::names::is_prefix;

/// `NAME-` and the pattern of `elasticsearch.placement.time_pattern`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    prefix: String,
    pattern: String,
    /// The finest unit of the pattern.
    unit: Unit,
}

/// The finest unit of a pattern, which determines how often the name changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Unit {
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

impl Unit {
    /// Returns the length in milliseconds. A month counts as a day: the name is then formatted more often than it
    /// changes, which does no harm.
    fn millis(self) -> i64 {
        match self {
            Self::Month | Self::Day => 86_400_000,
            Self::Hour => 3_600_000,
            Self::Minute => 60_000,
            Self::Second => 1_000,
        }
    }
}

impl Pattern {
    /// Creates the names `name-…` with `pattern`, which the config has checked.
    pub fn new(name: &str, pattern: &str) -> Self {
        let units =
            [("%S", Unit::Second), ("%M", Unit::Minute), ("%H", Unit::Hour), ("%d", Unit::Day), ("%m", Unit::Month)];
        let unit = units.iter().find(|(text, _)| pattern.contains(text)).map_or(Unit::Month, |(_, unit)| *unit);
        Self { prefix: format!("{name}-"), pattern: pattern.to_owned(), unit }
    }

    /// Returns the first and the last placement time with the same name as `time`, or of a part of that span that
    /// contains `time`.
    pub fn span(&self, time: i64) -> (i64, i64) {
        let millis = self.unit.millis();
        let start = time.div_euclid(millis).saturating_mul(millis);
        (start, start.saturating_add(millis - 1))
    }

    /// Returns the index of placement time `time`, in milliseconds since the Unix epoch.
    pub fn name(&self, time: i64) -> String {
        // Before the year 0000 and after 9999 no name exists. The nearest one is used, and it is always the same.
        let seconds = time.div_euclid(1_000).clamp(-62_167_219_200, 253_402_300_799);
        let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let mut name = self.prefix.clone();
        let mut parts = self.pattern.split('%');
        name.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let (unit, text) = part.split_at_checked(1).unwrap_or((part, ""));
            let number = match unit {
                "m" => u8::from(at.month()),
                "d" => at.day(),
                "H" => at.hour(),
                "M" => at.minute(),
                "S" => at.second(),
                _ => 0,
            };
            let written = if unit == "Y" { write!(name, "{:04}", at.year()) } else { write!(name, "{number:02}") };
            debug_assert!(written.is_ok(), "writing to a string does not fail");
            name.push_str(text);
        }
        name
    }

    /// Works like [`Pattern::time`], but also accepts the name of a copy, which has something before or after it, for
    /// example `shrink-x1y2-` or `-v2`.
    pub fn time_of_copy(&self, name: &str) -> Option<i64> {
        let at = name.find(&*self.prefix)?;
        let (before, name) = name.split_at(at);
        let is_copy = |after: &str| after.is_empty() || after.starts_with(['-', '_']);
        let (time, after) = self.parse(name)?;
        (is_prefix(before) && is_copy(after)).then_some(time)
    }

    /// Returns the first placement time of the index `name`, in milliseconds since the Unix epoch, or `None` if the
    /// pattern does not match.
    pub fn time(&self, name: &str) -> Option<i64> {
        self.parse(name).filter(|(_, after)| after.is_empty()).map(|(time, _)| time)
    }

    /// Returns the time of the name at the start of `name`, and the text after it.
    fn parse<'n>(&self, name: &'n str) -> Option<(i64, &'n str)> {
        let mut rest = name.strip_prefix(&*self.prefix)?;
        let (mut year, mut numbers) = (0, [1, 1, 0, 0, 0]);
        let mut parts = self.pattern.split('%');
        rest = rest.strip_prefix(parts.next().unwrap_or_default())?;
        for part in parts {
            let (unit, text) = part.split_at_checked(1)?;
            let (digits, after) = rest.split_at_checked(if unit == "Y" { 4 } else { 2 })?;
            let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
            let number: u16 = digits.parse().ok().filter(|_| is_number)?;
            match "mdHMS".find(unit) {
                Some(which) => numbers[which] = u8::try_from(number).ok()?,
                None => year = number,
            }
            rest = after.strip_prefix(text)?;
        }
        let [month, day, hour, minute, second] = numbers;
        let date = Date::from_calendar_date(i32::from(year), Month::try_from(month).ok()?, day).ok()?;
        let at = date.with_hms(hour, minute, second).ok()?.assume_utc();
        Some((at.unix_timestamp() * 1_000, rest))
    }
}
