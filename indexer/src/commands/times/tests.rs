//! Tests the times on the command line.

use super::*;

#[test]
fn a_moment_is_a_date_a_time_or_a_duration_ago() {
    assert_eq!(moment("2026-01-31T08:00:00Z"), Ok(Moment(1_769_846_400_000)));
    assert_eq!(moment("2026-01-31 08:00:00"), Ok(Moment(1_769_846_400_000)));
    assert_eq!(moment("2026-01-31"), Ok(Moment(1_769_817_600_000)));
    let ago = moment("2h").unwrap().0;
    assert!((now() - ago - 7_200_000).abs() < 60_000, "{ago}");
    for text in ["yesterday", "", "0", "999999years"] {
        assert!(moment(text).is_err(), "{text:?}");
    }
    assert_eq!(text(1_769_846_400_123), "2026-01-31T08:00:00.123Z");
    assert!(text(i64::MAX).starts_with("9999-12-31T") && text(-1).starts_with("1970-01-01T"));
}

#[test]
fn times_may_have_any_offset_and_fractions() {
    for text in ["2026-11-28T09:00:00Z", "2026-11-28T11:00:00+02:00", "2026-11-28T09:00:00.000Z"] {
        assert_eq!(text.parse(), Ok(When::Time(1_795_856_400_000)), "{text}");
    }
    assert_eq!("2026-11-28T09:00:00.25Z".parse(), Ok(When::Time(1_795_856_400_250)));
    assert_eq!("2026-11-28".parse(), Ok(When::Time(1_795_824_000_000)));
}

#[test]
fn a_duration_means_that_long_ago() {
    let Ok(When::Time(time)) = "24h".parse() else { panic!("24h is no time") };
    assert!((now() - time - 86_400_000).abs() < 60_000, "{time}");
}

#[test]
fn offsets_are_given_by_partition() {
    let offsets = BTreeMap::from([(Partition(0), 12), (Partition(3), 0)]);
    assert_eq!("0:12,3:0".parse(), Ok(When::Offsets(offsets)));
}

#[test]
fn other_text_is_refused_with_an_example() {
    for text in ["", "yesterday", "0", "0:", "0:-1", "-1:5", "0:1,0:2", "0:1,"] {
        let refused = text.parse::<When>().unwrap_err();
        assert!(refused.contains("0:1200"), "{text:?}: {refused}");
    }
}
