use super::*;

#[test]
fn without_a_limit_everything_may_be_taken() {
    assert_eq!(Rate::new(None).allowance(256, Instant::now()), 256);
}

#[test]
fn the_rate_is_spread_evenly_over_each_second() {
    let mut rate = Rate::new(Some(100));
    let begin = Instant::now();
    let mut taken = 0;
    for millis in (0..3_000).step_by(10) {
        let allowed = rate.allowance(256, begin + Duration::from_millis(millis));
        assert!(allowed <= 3, "{allowed} at once");
        rate.spend(allowed);
        taken += allowed;
    }
    assert!((290..=305).contains(&taken), "{taken}");
}

#[test]
fn the_slowest_rate_is_one_record_a_second() {
    let mut rate = Rate::new(Some(1));
    let begin = Instant::now();
    assert_eq!(rate.allowance(256, begin), 1);
    rate.spend(1);
    assert_eq!(rate.allowance(256, begin + Duration::from_millis(900)), 0);
    assert_eq!(rate.allowance(256, begin + Duration::from_millis(1_900)), 1);
}
