use super::*;

#[test]
fn a_moment_is_a_date_a_time_or_how_long_ago() {
    assert_eq!(moment("2026-01-31T08:00:00Z"), Ok(Moment(1_769_846_400_000)));
    assert_eq!(moment("2026-01-31 08:00:00"), Ok(Moment(1_769_846_400_000)));
    assert_eq!(moment("2026-01-31"), Ok(Moment(1_769_817_600_000)));
    let ago = moment("2h").unwrap().0;
    assert!((now() - ago - 7_200_000).abs() < 60_000, "{ago}");
    assert!(moment("yesterday").is_err() && moment("").is_err());
    assert_eq!(text(1_769_846_400_123), "2026-01-31T08:00:00.123Z");
    assert!(text(i64::MAX).starts_with("9999-12-31T") && text(-1).starts_with("1970-01-01T"));
}
