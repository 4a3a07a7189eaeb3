use super::*;

const ALL: [usize; 8] = [0, 1, 2, 3, 4, 5, 6, 7];

fn others(accepted: u64) -> Others {
    Others { accepted, has_witness: true }
}

#[test]
fn while_nothing_is_accepted_nothing_is_halved() {
    let mut whole = Whole::default();
    for _ in 0..100 {
        assert!(!whole.fail(&ALL, others(7)));
        assert!(!whole.fail(&ALL[..1], others(7)));
        assert_eq!(whole.share(&ALL), 8);
    }
}

#[test]
fn documents_that_fail_beside_accepted_ones_are_halved_down_to_one() {
    let mut whole = Whole::default();
    assert!(!whole.fail(&ALL, others(0)));
    for (accepted, failed, share) in [(1, 8, 4), (2, 4, 2), (3, 2, 1)] {
        assert!(!whole.fail(&ALL[..failed], others(accepted)));
        assert_eq!(whole.share(&ALL), share);
    }
    assert_eq!(whole.share(&[9, 4, 0]), 2, "one that may go alone only does not join others");
    assert!(whole.fail(&[0], others(4)));
}

#[test]
fn a_document_is_at_fault_only_after_a_second_failure() {
    let mut whole = Whole::default();
    assert!(!whole.fail(&[0], others(100)), "it is the first time");
    assert!(!whole.fail(&[0], others(100)), "none was accepted since");
    assert!(whole.fail(&[0], others(101)));
}

#[test]
fn without_a_witness_a_document_that_fails_alone_is_set_aside() {
    let mut whole = Whole::default();
    let nobody = Others { accepted: 0, has_witness: false };
    for _ in 1..MANY {
        assert!(!whole.fail(&[0], nobody));
        assert!(!whole.fail(&ALL, nobody));
    }
    assert!(whole.fail(&[0], nobody));
}
