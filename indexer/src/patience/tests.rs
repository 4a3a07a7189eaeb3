use super::*;

#[test]
fn however_many_ids_are_missing_records_wait_for_them_twice_the_patience_at_most() {
    let patience = Patience::new(Duration::from_secs(16));
    let mut now = Instant::now();
    let mut waited = Duration::ZERO;
    for _ in 0..1_000 {
        let left = patience.left(now);
        (now, waited) = (now + left, waited + left);
        patience.spent(now);
    }
    assert!(waited <= Duration::from_secs(32), "{waited:?}");
    assert_eq!(patience.left(now + RECOVERY), Duration::from_secs(16));
}

#[test]
fn an_id_that_comes_after_all_makes_it_whole_again() {
    let patience = Patience::new(Duration::from_secs(16));
    let now = Instant::now();
    patience.spent(now);
    assert_eq!(patience.left(now), Duration::from_secs(8));
    patience.rewarded();
    assert_eq!(patience.left(now), Duration::from_secs(16));
}
