use super::cause::{ROUNDS, SERVER_SPAN, SPAN, TIMED_OUT_ROUNDS, WHOLE_ROUNDS, WHOLE_SPAN};
use super::*;
use crate::bulk::outcome::{Fate, Refusal};

mod world;

fn cause(status: u16, error_type: &str) -> Cause {
    Cause { status, error_type: error_type.to_owned() }
}

fn failed_processor() -> Cause {
    cause(500, "fail_processor_exception")
}

fn illegal() -> Cause {
    cause(400, "illegal_argument_exception")
}

fn index() -> Arc<str> {
    Arc::from("events")
}

fn document(number: i64) -> Document {
    (Partition(0), Offset(number))
}

/// Refuses the document of `case` again, after its index has accepted `accepted` others.
fn again(case: &mut Case, doubts: &mut Doubts, accepted: u64, now: Instant) -> bool {
    doubts.accept(&index(), accepted, 0, now);
    let (cause, before) = (case.cause().clone(), doubts.accepted_by(&index(), case.cause()));
    doubts.refuse(&index(), &cause, document(1));
    case.refuse(&index(), cause, before, doubts, now)
}

#[test]
fn a_document_is_at_fault_if_others_are_accepted_between_refusals() {
    let (mut doubts, start) = (Doubts::default(), Instant::now());
    let mut case = Case::new(index(), failed_processor(), &doubts, start);
    let at = |second| start + Duration::from_secs(second);
    let verdicts: Vec<bool> = (1..=5).map(|round| again(&mut case, &mut doubts, 1, at(3 * round))).collect();
    assert_eq!(verdicts, [false, false, false, false, true]);
}

/// As if its request timed out: the server may be slow for a while.
#[test]
fn a_document_that_takes_too_long_is_at_fault_after_a_minute() {
    let (mut doubts, start) = (Doubts::default(), Instant::now());
    let mut case = Case::new(index(), cause(408, "status_exception"), &doubts, start);
    for _ in 0..100 {
        assert!(!again(&mut case, &mut doubts, 1, start + WHOLE_SPAN - Duration::from_millis(1)));
    }
    assert!(again(&mut case, &mut doubts, 1, start + WHOLE_SPAN));
    let mut case = Case::new(index(), cause(408, "status_exception"), &doubts, start);
    let verdicts =
        (1..=10).map(|_| again(&mut case, &mut doubts, 1, start + WHOLE_SPAN)).filter(|is_at_fault| *is_at_fault);
    assert_eq!(verdicts.count(), 1, "only the tenth refusal");
}

/// Others may be accepted each time the block ends for a moment, as at the disk's flood stage.
#[test]
fn a_block_is_no_evidence_against_a_document() {
    let (mut doubts, start) = (Doubts::default(), Instant::now());
    let block = cause(429, "cluster_block_exception");
    let mut case = Case::new(index(), block.clone(), &doubts, start);
    let at = |second| start + Duration::from_secs(second);
    for round in 1..100 {
        assert!(!again(&mut case, &mut doubts, 1, at(3 * round)));
    }
    assert_eq!(case.first(), start, "since when it waits");
    assert!(block.is_block() && !failed_processor().is_block());
    // What it meets once the block is gone is judged from there on.
    case.refuse(&index(), illegal(), u64::MAX, &doubts, at(300));
    let verdicts: Vec<bool> = (1..=5).map(|round| again(&mut case, &mut doubts, 1, at(300 + 3 * round))).collect();
    assert_eq!(verdicts, [false, false, false, false, true]);
}

/// A failing shard fails at its documents only, and an overloaded pipeline at those that it is asked to process.
#[test]
fn a_failure_for_now_is_no_evidence_against_document_or_index() {
    let (mut doubts, start) = (Doubts::default(), Instant::now());
    let failing = cause(503, "server_error");
    assert!(failing.is_transient() && !cause(0, "server_error").is_transient() && !failed_processor().is_transient());
    let mut case = Case::new(index(), failing.clone(), &doubts, start);
    let late = start + Duration::from_secs(3_600);
    assert!((0..100).all(|_| !again(&mut case, &mut doubts, 1, late)));
    (1..9).for_each(|number| doubts.refuse(&index(), &failing, document(number)));
    assert!(!doubts.blames("events", &failing));
    // It also voids no evidence.
    let mut case = Case::new(index(), failed_processor(), &doubts, start);
    assert!((1..ROUNDS).all(|_| !again(&mut case, &mut doubts, 1, late)));
    assert!(!case.refuse(&index(), failing, u64::MAX, &doubts, late));
    assert!(again(&mut case, &mut doubts, 1, late));
}

#[test]
fn a_verdict_takes_the_minimum_time_however_many_are_accepted() {
    let (mut doubts, start) = (Doubts::default(), Instant::now());
    for (cause, span) in [(failed_processor(), SERVER_SPAN), (illegal(), SPAN)] {
        let mut case = Case::new(index(), cause, &doubts, start);
        for _ in 0..100 {
            assert!(!again(&mut case, &mut doubts, 100, start + span - Duration::from_millis(1)));
        }
        assert!(again(&mut case, &mut doubts, 1, start + span));
    }
}

#[test]
fn without_other_documents_nothing_is_decided() {
    let (mut doubts, start) = (Doubts::default(), Instant::now());
    doubts.accept(&index(), 1_000, 0, start);
    doubts.refuse(&index(), &failed_processor(), document(1));
    let mut case = Case::new(index(), failed_processor(), &doubts, start);
    for minute in 0..1_000 {
        assert!(!again(&mut case, &mut doubts, 0, start + Duration::from_secs(60 * minute)));
        assert!(!doubts.blames("events", &failed_processor()), "one document is not enough to blame the index");
    }
}

#[test]
fn an_index_is_at_fault_if_it_refuses_several_and_accepts_none() {
    let mut doubts = Doubts::default();
    doubts.refuse(&index(), &illegal(), document(1));
    doubts.refuse(&index(), &illegal(), document(1));
    assert!(!doubts.blames("events", &illegal()), "twice the same document");
    doubts.refuse(&index(), &failed_processor(), document(2));
    assert!(!doubts.blames("events", &illegal()), "in another way");
    doubts.refuse(&Arc::from("other"), &illegal(), document(3));
    assert!(!doubts.blames("events", &illegal()), "in another index");
    doubts.refuse(&index(), &illegal(), document(4));
    assert!(doubts.blames("events", &illegal()));
    doubts.accept(&index(), 1, 0, Instant::now());
    assert!(!doubts.blames("events", &illegal()), "it has accepted one");
}

#[test]
fn an_index_at_fault_stops_the_topic_only_if_no_other_accepts() {
    let (mut doubts, start) = (Doubts::default(), Instant::now());
    doubts.accept(&index(), 1, 0, start);
    assert!(doubts.is_alone("events", start));
    doubts.accept(&Arc::from("other"), 0, 1, start);
    assert!(!doubts.is_alone("events", start));
    assert!(doubts.is_alone("events", start + LATELY));
}

#[test]
fn a_decided_document_is_no_evidence_any_more() {
    let mut doubts = Doubts::default();
    for number in 1..=3 {
        doubts.refuse(&index(), &illegal(), document(number));
    }
    doubts.forget(&index(), document(1));
    assert!(doubts.blames("events", &illegal()), "the other two count");
    doubts.forget(&index(), document(2));
    assert!(!doubts.blames("events", &illegal()));
}

#[test]
fn an_index_with_a_witness_is_blamed_only_if_it_refuses_the_witness() {
    let mut doubts = Doubts::default();
    doubts.set_witness(&index(), true);
    for number in 1..=9 {
        doubts.refuse(&index(), &failed_processor(), document(number));
    }
    assert!(!doubts.blames("events", &failed_processor()), "it has not been asked");
    doubts.refuse_witness(&index(), &failed_processor());
    assert!(doubts.blames("events", &failed_processor()));
    (2..=9).for_each(|number| doubts.forget(&index(), document(number)));
    assert!(doubts.blames("events", &failed_processor()), "one document and the witness are two");
}

/// Its reason is hidden, and the witness is refused with it.
#[test]
fn an_index_is_at_fault_if_all_go_into_its_failure_store() {
    let stored = cause(201, "failure_store");
    for has_witness in [false, true] {
        let mut doubts = Doubts::default();
        doubts.set_witness(&index(), has_witness);
        (1..=2).for_each(|number| doubts.refuse(&index(), &stored, document(number)));
        assert_eq!(doubts.blames("events", &stored), !has_witness, "the witness is asked first");
        doubts.refuse_witness(&index(), &illegal());
        assert!(doubts.blames("events", &stored));
        doubts.accept(&index(), 1, 0, Instant::now());
        assert!(!doubts.blames("events", &stored));
    }
}

#[test]
fn a_witness_does_not_clear_an_index_whose_shard_may_be_full() {
    let mut doubts = Doubts::default();
    doubts.set_witness(&index(), true);
    for number in 1..=2 {
        doubts.refuse(&index(), &illegal(), document(number));
    }
    doubts.accept(&index(), 0, 1, Instant::now());
    assert!(doubts.blames("events", &illegal()));
    assert_eq!(doubts.accepted_by("events", &illegal()), 0);
    assert_eq!(doubts.accepted_by("events", &failed_processor()), 1);
    doubts.accept(&index(), 1, 0, Instant::now());
    assert!(!doubts.blames("events", &illegal()));
}

#[test]
fn a_document_that_moves_to_another_index_is_judged_from_scratch() {
    let (mut doubts, start) = (Doubts::default(), Instant::now());
    let mut case = Case::new(index(), illegal(), &doubts, start);
    for _ in 0..9 {
        again(&mut case, &mut doubts, 1, start);
    }
    let other: Arc<str> = Arc::from("other");
    let late = start + Duration::from_secs(3_600);
    assert!(!case.refuse(&other, illegal(), 0, &doubts, late));
    assert_eq!((case.index(), case.first()), (&other, late));
}

#[test]
fn the_remembered_evidence_is_bounded() {
    let mut doubts = Doubts::default();
    for number in 0..100 {
        let index = Arc::from(format!("events-{number}"));
        for cause in 0..20 {
            for number in 0..20 {
                doubts.refuse(&index, &Cause { status: cause, error_type: String::new() }, document(number));
            }
        }
    }
    assert_eq!((doubts.indices.len(), doubts.order.len()), (MAX_INDICES, MAX_INDICES));
    let evidence = doubts.indices.values().next().unwrap();
    assert_eq!((evidence.refused.len(), evidence.refused[0].documents.len()), (MAX_CAUSES, MAX_DOCUMENTS));
}

#[test]
fn what_a_full_shard_refused_is_no_evidence_later() {
    let (mut doubts, begin) = (Doubts::default(), Instant::now());
    let mut case = Case::new(index(), illegal(), &doubts, begin);
    let late = begin + SPAN;
    assert!((1..ROUNDS).all(|_| !again(&mut case, &mut doubts, 1, late)));
    assert!(again(&mut case, &mut doubts, 1, late), "without the shard, it would be at fault");
    case.excuse();
    assert!((1..ROUNDS).all(|_| !again(&mut case, &mut doubts, 1, late)), "it needs all the evidence again");
    assert!(again(&mut case, &mut doubts, 1, late));
}

#[test]
fn only_an_illegal_argument_of_a_400_needs_a_written_document() {
    assert!(illegal().needs_writing());
    for other in [cause(400, "odd_exception"), cause(500, "illegal_argument_exception"), failed_processor()] {
        assert!(!other.needs_writing(), "{other:?}");
    }
}

#[test]
fn failures_of_whole_requests_need_more_refusals_and_a_minute() {
    for (cause, rounds) in [(cause(0, "connection"), WHOLE_ROUNDS), (cause(0, "timed_out"), TIMED_OUT_ROUNDS)] {
        let (mut doubts, start) = (Doubts::default(), Instant::now());
        let mut case = Case::new(index(), cause.clone(), &doubts, start);
        let verdict = (1..=100).find(|_| again(&mut case, &mut doubts, 1, start + WHOLE_SPAN));
        assert_eq!(verdict, Some(rounds), "{cause:?}");
        let mut case = Case::new(index(), cause, &doubts, start);
        let early = start + WHOLE_SPAN - Duration::from_millis(1);
        assert!((1..=100).all(|_| !again(&mut case, &mut doubts, 1, early)));
    }
}

#[test]
fn a_few_failures_of_whole_requests_leave_the_evidence_as_it_is() {
    let (mut doubts, start) = (Doubts::default(), Instant::now());
    let (whole, late) = (cause(0, "connection"), start + WHOLE_SPAN);
    let mut case = Case::new(index(), failed_processor(), &doubts, start);
    assert!((1..ROUNDS).all(|_| !again(&mut case, &mut doubts, 1, late)));
    for _ in 0..MAX_STRAYS {
        assert!(!case.refuse(&index(), whole.clone(), u64::MAX, &doubts, late));
        assert_eq!(case.cause(), &failed_processor());
    }
    assert!(again(&mut case, &mut doubts, 1, late), "the refusals before them count");
    for _ in 0..MAX_STRAYS {
        assert!(!case.refuse(&index(), whole.clone(), u64::MAX, &doubts, late));
    }
    assert!(!case.refuse(&index(), whole.clone(), u64::MAX, &doubts, late));
    assert_eq!(case.cause(), &whole, "one more, and it is judged by them");
}

#[test]
fn a_block_voids_the_evidence_against_a_document() {
    let (mut doubts, start) = (Doubts::default(), Instant::now());
    let late = start + SERVER_SPAN;
    let mut case = Case::new(index(), failed_processor(), &doubts, start);
    assert!((1..ROUNDS).all(|_| !again(&mut case, &mut doubts, 1, late)));
    assert!(!case.refuse(&index(), cause(403, "cluster_block_exception"), u64::MAX, &doubts, late));
    assert_eq!(case.first(), start);
    assert!(!case.refuse(&index(), failed_processor(), u64::MAX, &doubts, late));
    assert!((1..ROUNDS).all(|_| !again(&mut case, &mut doubts, 1, late)), "it needs all the evidence again");
    assert!(again(&mut case, &mut doubts, 1, late));
}

fn refused(status: u16, error_type: &str) -> Fate {
    let (error_type, reason) = (error_type.to_owned(), String::new());
    Fate::Doubtful(Refusal { status, error_type, reason })
}

#[test]
fn an_attempt_is_void_only_if_its_witness_is_refused_like_the_document() {
    let (mut doubts, now) = (Doubts::default(), Instant::now());
    doubts.accept(&index(), 7, 0, now);
    let mut attempt = Attempt::new(index(), failed_processor());
    attempt.start(&doubts);
    let document = refused(500, "fail_processor_exception");
    assert!(!attempt.hear(&mut doubts, &refused(403, "odd_exception"), Some(&document), now));
    assert!(!attempt.hear(&mut doubts, &Fate::Dropped, None, now));
    assert_eq!(attempt.before, 7, "refused in another way, and not refused");
    assert!(!attempt.hear(&mut doubts, &refused(500, "fail_processor_exception"), Some(&document), now));
    assert_eq!(attempt.before, 0);
    assert!(attempt.hear(&mut doubts, &Fate::Duplicate(None), Some(&document), now));
    assert_eq!(attempt.before, 8, "the witness was accepted again");
}
