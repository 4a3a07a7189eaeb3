use super::*;

const P: Partition = Partition(0);

#[test]
fn a_transaction_that_stays_open_is_reported_once() {
    let (mut open, begin) = (OpenTransactions::default(), Instant::now());
    let mut note =
        |end, high, seconds| open.note(P, NextOffset(end), NextOffset(high), begin + Duration::from_secs(seconds));
    assert_eq!(note(7, 7, 0), None);
    assert_eq!(note(7, 9, 10), None, "it has just begun");
    assert_eq!(note(7, 15, 99), None);
    assert_eq!(note(7, 17, 100), Some(10));
    assert_eq!(note(7, 20, 200), None, "it is known");
    assert_eq!(note(12, 20, 210), None, "the next one has just begun");
    assert_eq!(note(12, 20, 300), Some(8));
}

#[test]
fn a_transaction_that_ends_or_moves_away_is_forgotten() {
    for is_forgotten in [false, true] {
        let (mut open, begin) = (OpenTransactions::default(), Instant::now());
        assert_eq!(open.note(P, NextOffset(7), NextOffset(9), begin), None);
        match is_forgotten {
            true => open.forget(P),
            false => assert_eq!(open.note(P, NextOffset(9), NextOffset(9), begin), None),
        }
        assert_eq!(open.note(P, NextOffset(7), NextOffset(9), begin + PATIENCE), None);
    }
}
