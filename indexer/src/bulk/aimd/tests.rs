use std::time::Duration;

use proptest::prelude::*;

use super::*;

const MIB: usize = 1 << 20;

/// Sends `count` requests one after the other at `now`, each with the outcome `signal`.
fn one_by_one(aimd: &mut Aimd, count: usize, signal: Signal, now: Instant) {
    for _ in 0..count {
        aimd.start();
        aimd.finish(now, aimd.target_bytes(), signal, now);
    }
}

#[test]
fn it_starts_with_both_maxima() {
    let mut aimd = Aimd::new(2, MIB);
    assert!(aimd.has_slot());
    aimd.start();
    aimd.start();
    assert!(!aimd.has_slot());
    assert_eq!(aimd.target_bytes(), MIB);
}

#[test]
fn requests_that_met_one_overload_halve_the_limit_once() {
    let begin = Instant::now();
    let later = begin + Duration::from_secs(1);
    let mut aimd = Aimd::new(8, MIB);
    for _ in 0..8 {
        aimd.start();
    }
    for _ in 0..8 {
        aimd.finish(begin, MIB, Signal::Overloaded, later);
    }
    assert_eq!((aimd.limit(), aimd.target_bytes()), (4, MIB));
    aimd.start();
    aimd.finish(later + Duration::from_millis(1), MIB, Signal::Overloaded, later + Duration::from_secs(1));
    assert_eq!(aimd.limit(), 2);
}

#[test]
fn at_one_request_in_flight_the_body_shrinks_instead() {
    let mut now = Instant::now();
    let mut aimd = Aimd::new(1, MIB);
    for expected in [MIB / 2, MIB / 4, MIB / 8, SMALLEST_TARGET, SMALLEST_TARGET] {
        aimd.start();
        aimd.finish(now + Duration::from_millis(1), MIB, Signal::Overloaded, now + Duration::from_millis(2));
        now += Duration::from_secs(1);
        assert_eq!(aimd.target_bytes(), expected);
    }
    one_by_one(&mut aimd, 100, Signal::Well, now);
    assert_eq!(aimd.target_bytes(), MIB);
}

#[test]
fn the_limit_grows_slowly_and_only_at_full_use() {
    let now = Instant::now();
    let mut aimd = Aimd::new(4, MIB);
    aimd.restart();
    one_by_one(&mut aimd, 3, Signal::Well, now);
    assert_eq!(aimd.limit(), 1);
    one_by_one(&mut aimd, 100, Signal::Well, now);
    assert_eq!(aimd.limit(), 2, "one of two was used from then on");
    for _ in 0..100 {
        let under_way = aimd.limit();
        (0..under_way).for_each(|_| aimd.start());
        (0..under_way).for_each(|_| aimd.finish(now, MIB, Signal::Well, now));
    }
    assert_eq!(aimd.limit(), 4);
}

#[test]
fn a_size_that_was_too_large_is_never_tried_again() {
    let now = Instant::now();
    let mut aimd = Aimd::new(1, 8 * MIB);
    one_by_one(&mut aimd, 1, Signal::TooLarge, now);
    one_by_one(&mut aimd, 100, Signal::Well, now);
    assert_eq!(aimd.target_bytes(), 4 * MIB);
}

#[test]
fn a_maximum_below_the_smallest_target_is_kept() {
    let now = Instant::now();
    let mut aimd = Aimd::new(1, 1_000);
    one_by_one(&mut aimd, 1, Signal::TooLarge, now);
    one_by_one(&mut aimd, 1, Signal::Overloaded, now);
    one_by_one(&mut aimd, 9, Signal::Well, now);
    assert_eq!(aimd.target_bytes(), 1_000);
}

proptest! {
    #[test]
    fn the_limits_stay_within_their_bounds(
        max in 1_usize..32,
        max_bytes in 1_usize..(64 * MIB),
        events in prop::collection::vec((0_u8..5, 0_usize..(80 * MIB)), 0..300),
    ) {
        let mut now = Instant::now();
        let mut aimd = Aimd::new(max, max_bytes);
        let mut started = Vec::new();
        for (event, bytes) in events {
            now += Duration::from_millis(10);
            if aimd.has_slot() {
                aimd.start();
                started.push(now);
            }
            let signal = match event {
                0 => Signal::Overloaded,
                1 => Signal::TooLarge,
                2 => Signal::Nothing,
                _ => Signal::Well,
            };
            if let Some(begun) = started.pop() {
                aimd.finish(begun, bytes, signal, now);
            }
            prop_assert!((1..=max).contains(&aimd.limit()));
            prop_assert!(aimd.target_bytes() <= max_bytes);
            prop_assert!(aimd.target_bytes() >= SMALLEST_TARGET.min(max_bytes));
        }
        prop_assert!(started.is_empty());
        prop_assert!(aimd.has_slot(), "nothing is in flight, so something may be sent");
    }
}
