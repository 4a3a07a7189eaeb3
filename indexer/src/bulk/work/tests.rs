use proptest::prelude::*;

use super::*;
use crate::bulk::aimd::Signal;
use crate::bulk::limiter::Health;
use crate::bulk::outcome::{Block, BlockKind, BulkFailure, Fate, Judgement, Trouble};
use crate::bulk::tests::batch_of;

const BUDGET: RequestBudget = RequestBudget { items: usize::MAX, bytes: usize::MAX };

fn again() -> Fate {
    Fate::Retry(BulkFailure { trouble: Trouble::Overload, detail: String::new() })
}

fn refusal() -> Refusal {
    Refusal { status: 400, error_type: "t".to_owned(), reason: "r".to_owned() }
}

fn blocked() -> Block {
    Block { kind: BlockKind::Index, index: None, status: 403, error_type: "t".to_owned(), reason: "r".to_owned() }
}

#[test]
fn an_empty_batch_is_done() {
    assert!(Work::new(&batch_of::<&str>(&[]), false).is_done());
}

#[test]
fn only_failed_documents_are_sent_again() {
    let batch = batch_of(&["a", "b", "c", "d", "e"]);
    let mut work = Work::new(&batch, false);
    let chunk = work.take(BUDGET).unwrap();
    let fates = vec![Fate::Indexed, again(), Fate::Duplicate(None), Fate::Refused(refusal()), Fate::Blocked(blocked())];
    let progress = apply(&mut work, chunk, Judgement::Items(fates));
    assert_eq!((progress.counts.settled(), progress.counts.failed), (3, 2));
    assert_eq!(work.take(BUDGET).unwrap(), [1, 4]);
    let progress = apply(&mut work, vec![1, 4], Judgement::Items(vec![Fate::Indexed, Fate::Indexed]));
    assert_eq!((progress.signal(), progress.health()), (Signal::Well, Health::Well));
    assert!(work.is_done());
    let delivered = work.delivered;
    assert_eq!((delivered.indexed, delivered.duplicates, delivered.refused.len()), (3, 1, 1));
    assert_eq!((delivered.refused[0].item, delivered.refused[0].attempts), (3, 1));
}

#[test]
fn a_chunk_is_limited_and_the_rest_comes_next() {
    let batch = batch_of(&["a", "b", "c", "d"]);
    let line = batch.items[0].body.len();
    let mut work = Work::new(&batch, false);
    assert_eq!(work.take(RequestBudget { items: 1, ..BUDGET }).unwrap(), [0]);
    assert_eq!(work.take(RequestBudget { bytes: line, ..BUDGET }).unwrap(), [1]);
    assert_eq!(work.take(RequestBudget { bytes: 0, items: 0 }).unwrap(), [2], "one document always goes");
    assert_eq!(work.take(BUDGET).unwrap(), [3]);
}

#[test]
fn the_last_document_may_exceed_the_target() {
    let batch = batch_of(&["a", "b", "c", "d"]);
    let most = batch.body.len() - 1;
    assert_eq!(Work::new(&batch, false).take(RequestBudget { bytes: most, ..BUDGET }).unwrap().len(), 4);
}

#[test]
fn an_answer_determines_signal_health_and_outcome() {
    let batch = batch_of(&["a", "b"]);
    let all = || BulkFailure { trouble: Trouble::Server, detail: "503".to_owned() };
    for (judgement, signal, health, outcome) in [
        (Judgement::Items(vec![Fate::Indexed, Fate::Indexed]), Signal::Well, Health::Well, "ok"),
        (Judgement::Items(vec![Fate::Indexed, again()]), Signal::Overloaded, Health::Well, "partial"),
        (Judgement::Retry(all()), Signal::Nothing, Health::Failed(all()), "server_error"),
        (Judgement::TooLarge, Signal::TooLarge, Health::Well, "too_large"),
        (Judgement::Doubtful(refusal()), Signal::Nothing, Health::Well, "bad_request"),
        (Judgement::IndexMissing, Signal::Nothing, Health::Well, "index_missing"),
        (Judgement::Blocked(blocked()), Signal::Nothing, Health::Blocked(blocked()), "blocked"),
    ] {
        let mut work = Work::new(&batch, false);
        let chunk = work.take(BUDGET).unwrap();
        let progress = apply(&mut work, chunk, judgement);
        assert_eq!((progress.signal(), progress.health(), progress.outcome()), (signal, health, outcome));
    }
}

/// A simulated Elasticsearch that refuses whole requests with a faulty document, accepts at most `most` documents per
/// request, and fails each document a number of times before it accepts it.
struct Model {
    culprits: Vec<bool>,
    most: usize,
    failures: Vec<u8>,
    written: Vec<u32>,
}

impl Model {
    fn answer(&mut self, chunk: &[usize]) -> Judgement {
        if chunk.len() > self.most {
            return Judgement::TooLarge;
        }
        if chunk.iter().any(|item| self.culprits[*item]) {
            return Judgement::Doubtful(refusal());
        }
        Judgement::Items(chunk.iter().map(|item| self.write(*item)).collect())
    }

    fn write(&mut self, item: usize) -> Fate {
        if self.failures[item] > 0 {
            self.failures[item] -= 1;
            return again();
        }
        self.written[item] += 1;
        Fate::Indexed
    }
}

proptest! {
    #[test]
    fn each_document_is_either_written_once_or_set_aside(
        documents in prop::collection::vec((prop::bool::weighted(0.1), 0_u8..4), 1..60),
        most in 1_usize..70,
        items in 1_usize..70,
    ) {
        let texts: Vec<String> = (0..documents.len()).map(|number| number.to_string()).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let batch = batch_of(&texts);
        let mut model = Model {
            culprits: documents.iter().map(|(offender, _)| *offender).collect(),
            most,
            failures: documents.iter().map(|(_, failures)| *failures).collect(),
            written: vec![0; documents.len()],
        };
        let mut work = Work::new(&batch, false);
        let mut requests = 0;
        while let Some(chunk) = work.take(RequestBudget { items, ..BUDGET }) {
            let judgement = model.answer(&chunk);
            apply(&mut work, chunk, judgement);
            requests += 1;
            prop_assert!(requests < 10_000, "it never ends");
        }
        let delivered = work.delivered;
        let set_aside: Vec<usize> = delivered.set_aside.iter().map(|set_aside| set_aside.item).collect();
        for (item, (offender, _)) in documents.iter().enumerate() {
            prop_assert_eq!(model.written[item], u32::from(!offender));
            prop_assert_eq!(set_aside.iter().filter(|one| **one == item).count(), usize::from(*offender));
        }
        prop_assert_eq!(delivered.indexed as usize + set_aside.len(), documents.len());
    }
}
