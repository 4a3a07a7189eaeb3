//! Dates and times, compared with the `time` crate.

use std::io::Write as _;

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use time::{Date, Duration, OffsetDateTime};

use super::*;

/// Returns the text of a date, or its milliseconds.
pub(super) fn date_text(days: i32) -> Json {
    let Some(date) = Date::from_ordinal_date(1970, 1).unwrap().checked_add(Duration::days(days.into())) else {
        return json!(i64::from(days) * 86_400_000);
    };
    if date.year() < 0 {
        return json!(i64::from(days) * 86_400_000);
    }
    json!(format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day()))
}

/// Returns the text of a time of day, or its number.
pub(super) fn time_text(value: i64, per_second: i64, digits: usize) -> Json {
    if value < 0 || value >= 86_400 * per_second {
        return json!(value);
    }
    let (seconds, fraction) = (value / per_second, value % per_second);
    json!(format!("{:02}:{:02}:{:02}.{fraction:0digits$}", seconds / 3600, seconds / 60 % 60, seconds % 60))
}

/// Returns the text of a timestamp, or its milliseconds.
pub(super) fn timestamp_text(value: i64, per_second: i64, digits: usize, zone: &str) -> Json {
    let nanos = i128::from(value) * i128::from(1_000_000_000 / per_second);
    let time = match OffsetDateTime::from_unix_timestamp_nanos(nanos) {
        Ok(time) if time.year() >= 0 => time,
        _ if per_second == 1_000 => return json!(value),
        _ => {
            let (sign, value) = (if value < 0 { "-" } else { "" }, value.unsigned_abs());
            let per_milli = per_second.unsigned_abs() / 1_000;
            let text = format!("{sign}{}.{:0width$}", value / per_milli, value % per_milli, width = digits - 3);
            return serde_json::from_str(&text).unwrap();
        }
    };
    let fraction = time.nanosecond() / u32::try_from(1_000_000_000 / per_second).unwrap();
    json!(format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{fraction:0digits$}{zone}",
        time.year(),
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute(),
        time.second(),
    ))
}

fn json_of(members: &str) -> Json {
    serde_json::from_str(members).unwrap()
}

#[test]
fn timestamps_have_as_many_digits_as_their_unit() {
    let cases = [
        ("timestamp-millis", 1_767_323_045_678, r#""2026-01-02T03:04:05.678Z""#),
        ("timestamp-micros", 1_767_323_045_678_901, r#""2026-01-02T03:04:05.678901Z""#),
        ("timestamp-nanos", 1_767_323_045_678_901_234, r#""2026-01-02T03:04:05.678901234Z""#),
        ("local-timestamp-millis", 1_767_323_045_678, r#""2026-01-02T03:04:05.678""#),
        ("local-timestamp-micros", 1_767_323_045_678_901, r#""2026-01-02T03:04:05.678901""#),
        ("local-timestamp-nanos", 1_767_323_045_678_901_234, r#""2026-01-02T03:04:05.678901234""#),
        ("timestamp-millis", 0, r#""1970-01-01T00:00:00.000Z""#),
        ("timestamp-millis", -1, r#""1969-12-31T23:59:59.999Z""#),
        ("timestamp-micros", -1, r#""1969-12-31T23:59:59.999999Z""#),
        ("timestamp-nanos", i64::MIN, r#""1677-09-21T00:12:43.145224192Z""#),
        ("timestamp-nanos", i64::MAX, r#""2262-04-11T23:47:16.854775807Z""#),
        ("timestamp-millis", 951_782_400_000, r#""2000-02-29T00:00:00.000Z""#),
    ];
    for (name, number, text) in cases {
        assert_eq!(value(&logical("long", name), &long(number)), text, "{name} {number}");
    }
}

#[test]
fn a_timestamp_beyond_rfc_3339_is_written_as_milliseconds() {
    let cases = [
        ("timestamp-millis", 253_402_300_799_999, r#""9999-12-31T23:59:59.999Z""#),
        ("timestamp-millis", 253_402_300_800_000, "253402300800000"),
        ("timestamp-millis", -62_167_219_200_000, r#""0000-01-01T00:00:00.000Z""#),
        ("timestamp-millis", -62_167_219_200_001, "-62167219200001"),
        ("timestamp-millis", i64::MIN, "-9223372036854775808"),
        ("timestamp-micros", 253_402_300_800_000_001, "253402300800000.001"),
        ("local-timestamp-micros", i64::MIN, "-9223372036854775.808"),
    ];
    for (name, number, text) in cases {
        assert_eq!(value(&logical("long", name), &long(number)), text, "{name} {number}");
    }
}

#[test]
fn dates_reach_from_year_0_to_year_9999() {
    let cases = [
        (0, r#""1970-01-01""#),
        (-1, r#""1969-12-31""#),
        (20_455, r#""2026-01-02""#),
        (11_016, r#""2000-02-29""#),
        (-25_509, r#""1900-02-28""#),
        (-25_508, r#""1900-03-01""#),
        (-719_528, r#""0000-01-01""#),
        (2_932_896, r#""9999-12-31""#),
        (-719_529, "-62167305600000"),
        (2_932_897, "253402300800000"),
        (i32::MAX, "185542587100800000"),
    ];
    for (days, text) in cases {
        assert_eq!(value(&logical("int", "date"), &long(days.into())), text, "{days}");
    }
}

#[test]
fn each_day_of_ten_thousand_years_matches_the_time_crate() {
    let mut date = Date::from_ordinal_date(0, 1).unwrap();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for days in -719_528..=2_932_896 {
        ours.clear();
        theirs.clear();
        assert!(calendar::write_date(days, &mut ours), "{days}");
        write!(theirs, "\"{:04}-{:02}-{:02}\"", date.year(), u8::from(date.month()), date.day()).unwrap();
        assert_eq!(ours, theirs, "{days}");
        date = date.next_day().unwrap_or(date);
    }
}

#[test]
fn times_of_day_end_before_midnight() {
    let millis = logical("int", "time-millis");
    assert_eq!(value(&millis, &long(11_045_678)), r#""03:04:05.678""#);
    assert_eq!(value(&millis, &long(86_399_999)), r#""23:59:59.999""#);
    assert_eq!(value(&millis, &long(86_400_000)), "86400000");
    assert_eq!(value(&millis, &long(-1)), "-1");
    let micros = logical("long", "time-micros");
    assert_eq!(value(&micros, &long(0)), r#""00:00:00.000000""#);
    assert_eq!(value(&micros, &long(11_045_678_901)), r#""03:04:05.678901""#);
    assert_eq!(value(&micros, &long(86_400_000_000)), "86400000000");
    assert_eq!(value(&micros, &long(i64::MIN)), "-9223372036854775808");
}

#[test]
fn epoch_timestamps_are_milliseconds_for_every_unit() {
    let rules = JsonRules { timestamps: Timestamps::Epoch, ..JsonRules::default() };
    let cases = [
        ("timestamp-millis", 1_767_323_045_678, "1767323045678"),
        ("timestamp-micros", 1_767_323_045_678_901, "1767323045678.901"),
        ("timestamp-nanos", 1_767_323_045_678_901_234, "1767323045678.901234"),
        ("local-timestamp-nanos", -1, "-0.000001"),
        ("timestamp-micros", -1_001, "-1.001"),
        ("timestamp-micros", 7_000_000, "7000.000"),
        ("timestamp-millis", 0, "0"),
        ("timestamp-micros", 0, "0.000"),
        ("timestamp-nanos", i64::MIN, "-9223372036854.775808"),
    ];
    for (name, number, text) in cases {
        let (schema, datum, mut out) = (schema(&logical("long", name)), long(number), Vec::new());
        write_members_and_find(&schema, &datum, LIMITS, rules, None, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), format!("\"value\":{text}"), "{name} {number}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn any_date_matches_the_time_crate(days in -800_000..3_000_000_i32) {
        prop_assert_eq!(json_of(&value(&logical("int", "date"), &long(days.into()))), date_text(days));
    }

    #[test]
    fn any_timestamp_matches_the_time_crate(millis in -63_000_000_000_000..254_000_000_000_000_i64, nanos in any::<i64>()) {
        let text = value(&logical("long", "timestamp-millis"), &long(millis));
        prop_assert_eq!(json_of(&text), timestamp_text(millis, 1_000, 3, "Z"));
        let text = value(&logical("long", "timestamp-nanos"), &long(nanos));
        prop_assert_eq!(json_of(&text), timestamp_text(nanos, 1_000_000_000, 9, "Z"));
    }
}
