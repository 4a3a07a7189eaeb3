use super::*;

#[test]
fn failures_are_logged_once_a_minute_with_the_total_lost() {
    let (mut state, begin) = (State::default(), Instant::now());
    assert_eq!(state.failed(3, begin), Some(3));
    assert_eq!(state.failed(4, begin + Duration::from_secs(59)), None);
    assert_eq!(state.failed(5, begin + Duration::from_secs(60)), Some(9));
    assert_eq!(state.failed(1, begin + Duration::from_secs(61)), None);
}

#[test]
fn a_recovery_is_logged_once_after_each_logged_failure() {
    let (mut state, begin) = (State::default(), Instant::now());
    assert!(!state.recovered());
    state.failed(1, begin);
    assert!(state.recovered() && !state.recovered());
    // This failure was not logged, so its recovery is not logged either.
    state.failed(1, begin);
    assert!(!state.recovered());
}
