use super::*;
use crate::bulk::outcome::{Block, BlockKind};

fn failure(trouble: Trouble) -> Option<BulkFailure> {
    Some(BulkFailure { trouble, detail: "d".to_owned() })
}

fn counts(settled: usize, failed: usize, set_aside: usize) -> Counts {
    Counts { indexed: settled, failed, set_aside, ..Counts::default() }
}

#[test]
fn a_failure_counts_only_if_no_document_was_settled() {
    let failed = failure(Trouble::Server);
    for (settled, health, outcome) in
        [(0, Health::Failed(failed.clone().unwrap()), "server_error"), (1, Health::Well, "partial")]
    {
        let progress = Progress { counts: counts(settled, 1, 0), failure: failed.clone(), ..Progress::default() };
        assert_eq!((progress.health(), progress.outcome(), progress.signal()), (health, outcome, Signal::Nothing));
    }
    let overloaded = Progress { failure: failure(Trouble::Overload), ..Progress::default() };
    assert_eq!(overloaded.signal(), Signal::Overloaded);
}

#[test]
fn documents_set_aside_alone_say_nothing_about_elasticsearch() {
    let progress = Progress { counts: counts(0, 0, 1), ..Progress::default() };
    assert_eq!((progress.health(), progress.outcome()), (Health::Unclear, "doubtful"));
    let progress = Progress { counts: counts(1, 0, 1), ..Progress::default() };
    assert_eq!((progress.health(), progress.outcome()), (Health::Well, "partial"));
}

#[test]
fn an_ending_or_a_repair_sets_signal_and_outcome() {
    for (ending, repair, signal, outcome) in [
        (Ending::TooLarge, None, Signal::TooLarge, "too_large"),
        (Ending::Parted { is_too_large: true }, None, Signal::TooLarge, "too_large"),
        (Ending::Parted { is_too_large: false }, None, Signal::Nothing, "bad_request"),
        (Ending::Plain, Some(Repair::Index), Signal::Nothing, "index_missing"),
        (Ending::Plain, Some(Repair::Mapping), Signal::Nothing, "bad_request"),
    ] {
        let progress = Progress { ending, repairs: repair.into_iter().collect(), ..Progress::default() };
        assert_eq!((progress.signal(), progress.outcome()), (signal, outcome));
    }
}

#[test]
fn an_obstacle_counts_as_a_failure_or_a_lasting_block() {
    let mut progress = Progress::default();
    progress.hindered(Obstacle::Failed(failure(Trouble::TimedOut).unwrap()));
    assert_eq!(progress.signal(), Signal::Overloaded);
    let (error_type, reason) = ("t".to_owned(), "r".to_owned());
    let block = Block { kind: BlockKind::Security, index: None, status: 403, error_type, reason };
    progress.hindered(Obstacle::Block(block.clone()));
    assert_eq!((progress.health(), progress.outcome()), (Health::Blocked(block), "blocked"));
}
