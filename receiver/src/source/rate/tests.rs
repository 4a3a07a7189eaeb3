use std::time::Duration;

use service::token_bucket::Empty;
use tokio::time::Instant;

use super::*;

#[test]
fn a_burst_is_taken_at_once_and_then_so_many_a_second() {
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
    // However long nothing comes, not more than a burst is saved up.
    for _ in 0..3 {
        assert!(taken(60_000).is_ok());
    }
    assert!(taken(60_000).is_err());
}

#[test]
fn without_a_limit_there_is_none() {
    assert!(rate(&Limits::default()).is_none());
}
