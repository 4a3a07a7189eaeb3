use super::*;

#[test]
fn a_burst_is_available_at_once_and_then_the_rate_applies() {
    let (bucket, begin) = (TokenBucket::new(10.0, 3.0), Instant::now());
    let taken = |after: u64| bucket.take(begin + Duration::from_millis(after));
    assert!((0..3).all(|_| taken(0).is_ok()));
    assert_eq!(taken(0), Err(Empty(Duration::from_millis(100))));
    assert!(taken(100).is_ok());
    assert!(taken(100).is_err());
    assert_eq!((0..9).filter(|_| taken(60_000).is_ok()).count(), 3, "a quiet time saves no more than the burst");
}

#[test]
fn a_clock_that_goes_back_adds_and_removes_no_tokens() {
    let (bucket, begin) = (TokenBucket::new(1.0, 1.0), SystemTime::now());
    assert!(bucket.take(begin).is_ok());
    let before = begin - Duration::from_secs(3_600);
    assert!(bucket.take(before).is_err());
    assert!(bucket.take(before + Duration::from_secs(1)).is_ok());
}
