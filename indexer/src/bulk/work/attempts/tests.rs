use super::*;

#[test]
fn a_document_is_retried_up_to_its_limits_unless_it_was_set_aside() {
    let mut attempts = Attempts::new(2, false);
    for sent in 1..=MISSES {
        attempts.start(&[1]);
        assert_eq!((attempts.of(1), attempts.of(0)), (sent, 0));
        assert_eq!(attempts.has_faulted(1), sent >= FAULTS);
        assert_eq!(attempts.has_missed(1), sent >= MISSES);
    }
    let mut alone = Attempts::new(1, true);
    alone.start(&[0]);
    assert!(alone.has_faulted(0) && !alone.has_missed(0), "it may be placed again once");
    alone.start(&[0]);
    assert!(alone.has_missed(0));
}

#[test]
fn a_request_that_elasticsearch_fails_at_is_retried_up_to_a_limit() {
    let mut attempts = Attempts::new(1, false);
    for _ in 0..2 {
        (0..FAULTS).for_each(|_| assert!(attempts.fault()));
        assert!(!attempts.fault());
        attempts.answered(0);
    }
    assert!(!Attempts::new(1, true).fault());
}

#[test]
fn the_mapping_is_updated_once_for_each_document() {
    let mut attempts = Attempts::new(2, false);
    assert!(attempts.adopt(0) && attempts.adopt(1) && !attempts.adopt(0));
}

#[test]
fn an_unanswered_document_is_set_aside_once_others_are_accepted() {
    let mut attempts = Attempts::new(2, false);
    let others = Others { accepted: 1, has_witness: true };
    attempts.note_others(others);
    assert!(!attempts.fail_whole(&[0]));
    attempts.note_others(Others { accepted: 2, ..others });
    assert!(attempts.fail_whole(&[0]));
    assert!(Attempts::new(1, true).fail_whole(&[0]));
}

#[test]
fn a_document_that_fails_for_now_is_stuck_once_others_are_accepted() {
    let (mut attempts, failing) = (Attempts::new(4, false), Trouble::Server);
    assert!((1..STUCK_LATER).all(|_| !attempts.is_stuck(0, failing)), "nothing is accepted");
    assert!(attempts.is_stuck(0, failing), "perhaps because of this document");
    assert!((0..STUCK).all(|_| !attempts.is_stuck(1, failing)));
    attempts.note_others(Others { accepted: 1, has_witness: false });
    assert!(attempts.is_stuck(1, failing));
    assert!((0..STUCK).all(|_| !attempts.is_stuck(2, failing)), "nothing is accepted since");
    attempts.note_others(Others { accepted: 2, has_witness: false });
    attempts.answered(FEW + 1);
    assert!(!attempts.is_stuck(2, failing), "the server is overloaded");
    attempts.answered(FEW);
    assert!(attempts.is_stuck(2, failing));
    attempts.is_stuck(3, Trouble::Overload);
    attempts.note_others(Others { accepted: 3, has_witness: false });
    assert!((2..STUCK_LATER).all(|_| !attempts.is_stuck(3, Trouble::Overload)), "it may pass");
    assert!(attempts.is_stuck(3, Trouble::Overload));
    assert!(Attempts::new(1, true).is_stuck(0, failing));
}
