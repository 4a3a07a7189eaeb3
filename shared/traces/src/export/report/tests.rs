use super::*;

#[test]
fn failures_are_logged_once_a_minute_with_all_that_was_lost_since() {
    let (mut state, begin) = (State::default(), Instant::now());
    assert_eq!(state.failed(3, begin), Some(3));
    assert_eq!(state.failed(4, begin + Duration::from_secs(59)), None);
    assert_eq!(state.failed(5, begin + Duration::from_secs(60)), Some(9));
    assert_eq!(state.failed(1, begin + Duration::from_secs(61)), None);
}

#[test]
fn a_recovery_is_logged_once_after_each_failure_that_was() {
    let (mut state, begin) = (State::default(), Instant::now());
    assert!(!state.recovered());
    state.failed(1, begin);
    assert!(state.recovered() && !state.recovered());
    // Not logged, so its end is not either.
    state.failed(1, begin);
    assert!(!state.recovered());
}
