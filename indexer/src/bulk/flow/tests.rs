use std::time::Duration;

use proptest::prelude::*;

use super::*;

const MIB: usize = 1 << 20;

/// One request after the other at `now`, each as `sign` says.
fn one_by_one(flow: &mut Flow, count: usize, sign: Sign, now: Instant) {
    for _ in 0..count {
        flow.start();
        flow.finish(now, flow.target_bytes(), sign, now);
    }
}

#[test]
fn it_begins_with_as_much_as_is_allowed() {
    let mut flow = Flow::new(2, MIB);
    assert!(flow.has_slot());
    flow.start();
    flow.start();
    assert!(!flow.has_slot());
    assert_eq!(flow.target_bytes(), MIB);
}

#[test]
fn overload_halves_once_for_all_that_were_under_way_together() {
    let begin = Instant::now();
    let later = begin + Duration::from_secs(1);
    let mut flow = Flow::new(8, MIB);
    for _ in 0..8 {
        flow.start();
    }
    for _ in 0..8 {
        flow.finish(begin, MIB, Sign::Overloaded, later);
    }
    assert_eq!((flow.limit(), flow.target_bytes()), (4, MIB));
    flow.start();
    flow.finish(later + Duration::from_millis(1), MIB, Sign::Overloaded, later + Duration::from_secs(1));
    assert_eq!(flow.limit(), 2);
}

#[test]
fn with_one_request_at_a_time_the_body_shrinks_instead() {
    let mut now = Instant::now();
    let mut flow = Flow::new(1, MIB);
    for expected in [MIB / 2, MIB / 4, MIB / 8, SMALLEST_TARGET, SMALLEST_TARGET] {
        flow.start();
        flow.finish(now + Duration::from_millis(1), MIB, Sign::Overloaded, now + Duration::from_millis(2));
        now += Duration::from_secs(1);
        assert_eq!(flow.target_bytes(), expected);
    }
    one_by_one(&mut flow, 100, Sign::Well, now);
    assert_eq!(flow.target_bytes(), MIB);
}

#[test]
fn the_limit_grows_slowly_and_only_at_full_use() {
    let now = Instant::now();
    let mut flow = Flow::new(4, MIB);
    flow.restart();
    one_by_one(&mut flow, 3, Sign::Well, now);
    assert_eq!(flow.limit(), 1);
    one_by_one(&mut flow, 100, Sign::Well, now);
    assert_eq!(flow.limit(), 2, "one of two was used from then on");
    for _ in 0..100 {
        let under_way = flow.limit();
        (0..under_way).for_each(|_| flow.start());
        (0..under_way).for_each(|_| flow.finish(now, MIB, Sign::Well, now));
    }
    assert_eq!(flow.limit(), 4);
}

#[test]
fn what_was_too_large_once_is_never_asked_for_again() {
    let now = Instant::now();
    let mut flow = Flow::new(1, 8 * MIB);
    one_by_one(&mut flow, 1, Sign::TooLarge, now);
    one_by_one(&mut flow, 100, Sign::Well, now);
    assert_eq!(flow.target_bytes(), 4 * MIB);
}

#[test]
fn a_small_maximum_is_kept() {
    let now = Instant::now();
    let mut flow = Flow::new(1, 1_000);
    one_by_one(&mut flow, 1, Sign::TooLarge, now);
    one_by_one(&mut flow, 1, Sign::Overloaded, now);
    one_by_one(&mut flow, 9, Sign::Well, now);
    assert_eq!(flow.target_bytes(), 1_000);
}

proptest! {
    #[test]
    fn it_stays_within_its_bounds(
        max in 1_usize..32,
        max_bytes in 1_usize..(64 * MIB),
        events in prop::collection::vec((0_u8..5, 0_usize..(80 * MIB)), 0..300),
    ) {
        let mut now = Instant::now();
        let mut flow = Flow::new(max, max_bytes);
        let mut started = Vec::new();
        for (event, bytes) in events {
            now += Duration::from_millis(10);
            if flow.has_slot() {
                flow.start();
                started.push(now);
            }
            let sign = match event {
                0 => Sign::Overloaded,
                1 => Sign::TooLarge,
                2 => Sign::Nothing,
                _ => Sign::Well,
            };
            if let Some(begun) = started.pop() {
                flow.finish(begun, bytes, sign, now);
            }
            prop_assert!((1..=max).contains(&flow.limit()));
            prop_assert!(flow.target_bytes() <= max_bytes);
            prop_assert!(flow.target_bytes() >= SMALLEST_TARGET.min(max_bytes));
        }
        prop_assert!(started.is_empty());
        prop_assert!(flow.has_slot(), "nothing is under way, so something may go");
    }
}
