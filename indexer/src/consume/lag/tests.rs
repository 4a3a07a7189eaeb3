use super::*;

#[test]
fn lag_counts_from_the_committed_offset_or_the_start_of_the_log() {
    let mut lag = Lag::default();
    let p = Partition(0);
    assert_eq!(lag.of(p), None);
    lag.note(p, NextOffset(200), NextOffset(250));
    assert_eq!(lag.of(p), Some(50));
    for (committed, records, why) in [
        (240, 10, "from what is committed"),
        (100, 50, "what retention deleted does not wait"),
        (260, 0, "the end is a few seconds old"),
    ] {
        lag.note_committed(p, NextOffset(committed));
        assert_eq!(lag.of(p), Some(records), "{why}");
    }
}
