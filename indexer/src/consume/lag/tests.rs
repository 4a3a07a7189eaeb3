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

/// For example, the client no longer fetches it, while its lag grows.
#[test]
fn unread_records_wait_until_one_of_them_is_read() {
    let (mut lag, start, p) = (Lag::default(), Instant::now(), Partition(0));
    let at = |second| start + Duration::from_secs(second);
    assert_eq!(lag.unread(p, None, at(0)), Duration::ZERO, "the ends are unknown");
    lag.note(p, NextOffset(200), NextOffset(250));
    for (position, second, waited, why) in [
        (None, 0, 0, "from now on"),
        (None, 9, 9, "nothing is read"),
        (Some(210), 10, 0, "it is read"),
        (Some(210), 40, 30, "it no longer is"),
        (Some(250), 41, 0, "all are read"),
        (Some(210), 42, 0, "again"),
        (Some(210), 43, 1, "again"),
    ] {
        let waits = lag.unread(p, position.map(NextOffset), at(second));
        assert_eq!(waits, Duration::from_secs(waited), "{why}");
    }
    lag.note(p, NextOffset(240), NextOffset(900));
    assert_eq!(lag.unread(p, Some(NextOffset(210)), at(100)), Duration::from_secs(58), "retention reads nothing");
    lag.note(p, NextOffset(900), NextOffset(900));
    assert_eq!(lag.unread(p, Some(NextOffset(210)), at(101)), Duration::ZERO, "it has deleted all");
    lag.forget(p);
    assert_eq!(lag.unread(p, Some(NextOffset(210)), at(102)), Duration::ZERO);
}
