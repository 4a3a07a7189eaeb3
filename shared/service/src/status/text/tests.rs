use super::*;

#[test]
fn values_are_short_and_include_their_unit() {
    let text = |number, unit| value(Some(number), unit);
    for (number, unit, expected) in [
        (0.0, Unit::Count, "0"),
        (0.25, Unit::PerSecond, "0.2/s"),
        (9.97, Unit::PerSecond, "10/s"),
        (999.0, Unit::Count, "999"),
        (1_234.0, Unit::PerSecond, "1,234/s"),
        (1_234_567.0, Unit::Count, "1,234,567"),
        (12.0, Unit::PerMinute, "12/min"),
        (0.0, Unit::Seconds, "0 s"),
        (0.0042, Unit::Seconds, "4.2 ms"),
        (0.12, Unit::Seconds, "120 ms"),
        (12.34, Unit::Seconds, "12.3 s"),
        (3_725.9, Unit::Seconds, "1h 2m 5s"),
        (512.0, Unit::Bytes, "512 B"),
        (5.0 * 1_024.0 * 1_024.0, Unit::Bytes, "5.0 MiB"),
    ] {
        assert_eq!(text(number, unit), expected);
    }
    assert_eq!(value(None, Unit::Count), "–");
}
