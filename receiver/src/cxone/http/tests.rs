use super::*;

fn header(value: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())])
}

#[test]
fn retry_after_accepts_seconds_and_ignores_dates() {
    assert_eq!(retry_after(&header("7")), Some(Duration::from_secs(7)));
    assert_eq!(retry_after(&header(" 0 ")), Some(Duration::ZERO));
    assert_eq!(retry_after(&header("Fri, 31 Dec 1999 23:59:59 GMT")), None);
    assert_eq!(retry_after(&header("-1")), None);
    assert_eq!(retry_after(&HeaderMap::new()), None);
}

#[test]
fn waits_stay_within_a_doubling_bound() {
    for attempt in 1..=ATTEMPTS {
        let bound = BACKOFF.initial * 2_u32.pow(attempt - 1);
        assert!((0..100).all(|_| backoff(attempt) <= bound), "attempt {attempt}");
    }
}
