use super::*;

fn noted(drift: &Drift, times: u32, at: Instant) -> usize {
    (0..times).filter(|_| drift.note(at).is_some()).count()
}

#[tokio::test]
async fn a_rise_in_failures_is_reported_once_and_again_after_the_pause() {
    let (drift, start) = (Drift::default(), Instant::now());
    let mut suspected = drift.suspected();
    assert_eq!(noted(&drift, 4, start), 0);
    assert!(!suspected.has_changed().unwrap());
    assert_eq!(drift.note(start), Some(5));
    assert!(suspected.has_changed().unwrap());
    suspected.mark_unchanged();
    assert_eq!(noted(&drift, 1_000, start + Duration::from_secs(30)), 0);
    assert!(!suspected.has_changed().unwrap());
    assert_eq!(noted(&drift, 3_000, start + Duration::from_secs(70)), 1);
    assert!(suspected.has_changed().unwrap());
}

#[tokio::test]
async fn steady_failures_are_not_a_rise() {
    let (drift, start) = (Drift::default(), Instant::now());
    assert_eq!(noted(&drift, 100, start), 1);
    for minute in 1..10 {
        assert_eq!(noted(&drift, 100, start + WINDOW * minute), 0, "minute {minute}");
    }
    let later = start + WINDOW * 20;
    assert_eq!(noted(&drift, 100, later), 1, "after a quiet time it is one again");
}
