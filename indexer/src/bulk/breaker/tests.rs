use proptest::prelude::*;

use super::*;
use crate::bulk::outcome::{BlockKind, Trouble};

fn failure() -> BulkFailure {
    BulkFailure { trouble: Trouble::Connection, detail: "refused".to_owned() }
}

fn block(kind: BlockKind) -> Block {
    Block { kind, index: None, status: 403, error_type: "t".to_owned(), reason: "r".to_owned() }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Creates a breaker that a failure at `now` has opened.
fn opened(now: Instant) -> Breaker {
    let mut breaker = Breaker::new(1);
    assert!(matches!(breaker.failed(false, failure(), 1.0, now, now), Some(Change::Paused(Pause::Failing(_)))));
    breaker
}

/// Waits for the probe and returns the time at which it was sent.
fn probe(breaker: &mut Breaker, now: Instant) -> Instant {
    match breaker.admit(now) {
        Admission::Probe => now,
        Admission::At(at) => {
            assert_eq!(breaker.admit(at), Admission::Probe);
            at
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn it_opens_after_the_maximum_of_failures_in_a_row() {
    let now = Instant::now();
    let mut breaker = Breaker::new(3);
    for _ in 0..2 {
        assert_eq!(breaker.failed(false, failure(), 0.5, now, now), None);
        assert_eq!(breaker.failed(false, failure(), 0.5, now, now), None);
        assert_eq!(breaker.succeeded(false, now), None);
    }
    assert_eq!(breaker.admit(now), Admission::Free);
    for _ in 0..3 {
        breaker.failed(false, failure(), 0.5, now, now);
    }
    assert!(matches!(breaker.admit(now), Admission::At(at) if at > now));
    assert_eq!(breaker.position(), Position::Open);
}

#[test]
fn requests_that_meet_one_overload_count_as_one_failure() {
    let begin = Instant::now();
    let overload = || BulkFailure { trouble: Trouble::Overload, detail: String::new() };
    let mut breaker = Breaker::new(2);
    for late in 1..20 {
        breaker.failed(false, overload(), 0.5, begin, begin + seconds(late));
    }
    assert_eq!(breaker.position(), Position::Closed);
    breaker.failed(false, overload(), 0.5, begin + seconds(20), begin + seconds(21));
    assert_eq!(breaker.position(), Position::Open);
}

#[test]
fn a_block_opens_it_at_once() {
    let now = Instant::now();
    let mut breaker = Breaker::new(100);
    assert!(breaker.blocked(false, block(BlockKind::Index), 0.5, now).is_some());
    assert!(matches!(breaker.pause(), Some(Pause::Blocked(_))));
}

#[test]
fn only_the_single_probe_closes_it() {
    let now = Instant::now();
    let mut breaker = opened(now);
    let at = probe(&mut breaker, now);
    assert_eq!(breaker.position(), Position::HalfOpen);
    assert_eq!(breaker.admit(at + seconds(60)), Admission::AfterProbe);
    assert_eq!(breaker.succeeded(false, at), None, "those from before do not count");
    assert_eq!(breaker.position(), Position::HalfOpen);
    assert_eq!(breaker.succeeded(true, at + seconds(1)), Some(Change::Resumed(at + seconds(1) - now)));
    assert_eq!(breaker.admit(at), Admission::Free);
}

#[test]
fn failed_probes_lengthen_the_wait_up_to_the_cap() {
    let mut now = Instant::now();
    let mut breaker = opened(now);
    for _ in 0..20 {
        let at = probe(&mut breaker, now);
        assert!(at - now <= PROBES.max);
        now = at;
        breaker.failed(true, failure(), 1.0, now, now);
    }
    assert_eq!(breaker.admit(now), Admission::At(now + PROBES.max));
}

#[test]
fn an_abandoned_probe_permits_another() {
    let now = Instant::now();
    let mut breaker = opened(now);
    let at = probe(&mut breaker, now);
    breaker.abandoned();
    assert_eq!(breaker.admit(at), Admission::Probe);
}

#[test]
fn a_late_answer_does_not_move_the_next_probe() {
    let now = Instant::now();
    let mut breaker = opened(now);
    let before = breaker.admit(now);
    assert_eq!(breaker.failed(false, failure(), 1.0, now, now), None);
    assert_eq!(breaker.blocked(false, block(BlockKind::Index), 1.0, now), None);
    assert_eq!(breaker.admit(now), before);
}

#[test]
fn a_pause_is_logged_at_its_start_at_a_new_reason_and_each_minute() {
    let begin = Instant::now();
    let mut now = begin;
    let mut breaker = opened(now);
    let mut logged = Vec::new();
    while now < begin + seconds(150) {
        now = probe(&mut breaker, now);
        if breaker.failed(true, failure(), 1.0, now, now).is_some() {
            logged.push((now - begin).as_secs() / 60);
        }
    }
    assert_eq!(logged, [1, 2]);
    now = probe(&mut breaker, now);
    assert!(breaker.blocked(true, block(BlockKind::Security), 1.0, now).is_some());
}

#[test]
fn a_flapping_state_is_not_logged_each_time() {
    let mut now = Instant::now();
    let mut breaker = opened(now);
    now = probe(&mut breaker, now);
    assert!(breaker.succeeded(true, now).is_some());
    for _ in 0..5 {
        assert_eq!(breaker.failed(false, failure(), 1.0, now, now), None);
        now = probe(&mut breaker, now);
        assert_eq!(breaker.succeeded(true, now), None);
    }
}

proptest! {
    #[test]
    fn a_request_may_always_be_sent_within_the_cap(
        events in prop::collection::vec((0_u8..4, any::<bool>(), 0.0_f64..1.0), 0..200),
        max in 0_u32..5,
    ) {
        let mut now = Instant::now();
        let mut breaker = Breaker::new(max);
        for (event, late, jitter) in events {
            // First a late answer of an older request, then the next request that may be sent.
            if late {
                breaker.failed(false, failure(), jitter, now, now);
            }
            let probe = match breaker.admit(now) {
                Admission::Free => false,
                Admission::Probe => true,
                Admission::At(at) => {
                    prop_assert!(at - now <= PROBES.max);
                    now = at;
                    prop_assert_eq!(breaker.admit(now), Admission::Probe);
                    true
                }
                Admission::AfterProbe => panic!("no probe is in flight"),
            };
            match event {
                0 => drop(breaker.failed(probe, failure(), jitter, now, now)),
                1 => drop(breaker.blocked(probe, block(BlockKind::Index), jitter, now)),
                2 if probe => breaker.abandoned(),
                _ => {
                    breaker.succeeded(probe, now);
                    prop_assert_eq!(breaker.position(), Position::Closed);
                }
            }
        }
    }
}

#[test]
fn an_unclear_answer_ends_an_outage_but_not_a_block() {
    let now = Instant::now();
    let mut breaker = opened(now);
    assert_eq!(breaker.unclear(false, 0.5, now), None, "it is not a probe");
    assert_eq!(breaker.position(), Position::Open);
    let at = probe(&mut breaker, now);
    assert!(matches!(breaker.unclear(true, 0.5, at), Some(Change::Resumed(_))));
    assert_eq!(breaker.position(), Position::Closed);

    breaker.blocked(false, block(BlockKind::Refused), 1.0, at);
    let at = probe(&mut breaker, at);
    breaker.unclear(true, 1.0, at);
    assert_eq!(breaker.pause(), Some(&Pause::Blocked(block(BlockKind::Refused))));
    assert!(matches!(breaker.admit(at), Admission::At(next) if next > at), "the next probe waits");
}
