use super::*;

#[test]
fn missing_ids_wait_at_most_twice_the_patience_in_total() {
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
fn an_id_that_appears_after_all_restores_the_full_patience() {
    let patience = Patience::new(Duration::from_secs(16));
    let now = Instant::now();
    patience.spent(now);
    assert_eq!(patience.left(now), Duration::from_secs(8));
    patience.rewarded();
    assert_eq!(patience.left(now), Duration::from_secs(16));
}
