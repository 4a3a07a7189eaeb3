//! What is within the bounds, and how fast.

use super::*;

const P: Partition = Partition(0);
const Q: Partition = Partition(1);

fn reading(rate: Option<u32>) -> Reading {
    Reading::within(Bounds {
        ranges: BTreeMap::from([(P, 10..20)]),
        rate,
        commits: true,
        notes: BTreeMap::new(),
        watched: Arc::default(),
    })
}

#[test]
fn a_service_reads_everything() {
    let mut reading = Reading::service();
    assert!(!reading.open(P, None) && !reading.is_beyond(P, Offset(i64::MAX - 1)) && !reading.is_closed(P));
    assert_eq!(reading.within_range(P, NextOffset(7)), Some(NextOffset(7)));
    assert_eq!(reading.allowance(256, Instant::now()), 256);
    assert!(reading.commits());
}

#[test]
fn a_partition_is_closed_at_its_end_and_where_it_is_no_part_of_the_ranges() {
    let mut reading = reading(None);
    assert!(!reading.open(P, Some(NextOffset(19))));
    assert!(reading.open(P, Some(NextOffset(20))), "it was read to its end by an earlier run");
    assert!(reading.open(Q, None), "it is not to be read");
    assert!(!reading.open(P, Some(NextOffset(10))) && !reading.is_closed(P));
    assert!(!reading.is_beyond(P, Offset(19)) && !reading.is_closed(P));
    assert!(reading.is_beyond(P, Offset(20)) && reading.is_closed(P));
    assert_eq!(reading.within_range(P, NextOffset(25)), Some(NextOffset(20)));
    assert_eq!(reading.within_range(Q, NextOffset(25)), None);
}

#[test]
fn the_rate_is_kept_evenly_over_each_second() {
    let mut reading = reading(Some(100));
    let begin = Instant::now();
    let mut taken = 0;
    for millis in (0..3_000).step_by(10) {
        let allowed = reading.allowance(256, begin + Duration::from_millis(millis));
        assert!(allowed <= 3, "{allowed} at once");
        reading.spend(allowed);
        taken += allowed;
    }
    assert!((290..=305).contains(&taken), "{taken}");
}

#[test]
fn the_slowest_rate_is_one_record_a_second() {
    let mut reading = reading(Some(1));
    let begin = Instant::now();
    assert_eq!(reading.allowance(256, begin), 1);
    reading.spend(1);
    assert_eq!(reading.allowance(256, begin + Duration::from_millis(900)), 0);
    assert_eq!(reading.allowance(256, begin + Duration::from_millis(1_900)), 1);
}
