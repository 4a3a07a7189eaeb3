use std::time::Duration;

use service::token_bucket::Empty;
use tokio::time::Instant;

use super::*;

#[test]
fn a_burst_is_accepted_at_once_and_then_the_rate_applies() {
    let limits = Limits { max_requests_per_second: Some(10), burst: Some(3), ..Limits::default() };
    let rate = rate(&limits).unwrap();
    let begin = Instant::now();
    let taken = |after: u64| rate.take(begin + Duration::from_millis(after));
    for _ in 0..3 {
        assert!(taken(0).is_ok());
    }
    assert!(matches!(taken(0), Err(Empty(wait)) if wait == Duration::from_millis(100)));
    assert!(matches!(taken(99), Err(Empty(_))));
    assert!(taken(100).is_ok());
    assert!(taken(100).is_err());
    // A quiet time saves up no more than a burst.
    for _ in 0..3 {
        assert!(taken(60_000).is_ok());
    }
    assert!(taken(60_000).is_err());
}

#[test]
fn limits_without_a_rate_allow_any_number_of_requests() {
    assert!(rate(&Limits::default()).is_none());
}
