use super::*;
use crate::bulk::tests::batch_of;
use crate::bulk::work::apply;

fn refusal() -> Refusal {
    Refusal { status: 400, error_type: "odd".to_owned(), reason: "r".to_owned() }
}

/// Applies `fates` to a batch with one document per fate, and weighs the result.
fn weigh(evidence: &TopicEvidence, fates: Vec<Fate>) -> Option<Block> {
    let batch = batch_of(&vec!["x"; fates.len()]);
    let mut work = Work::new(&batch, false);
    let chunk: Vec<usize> = (0..fates.len()).collect();
    let judgement = Judgement::Items(fates);
    let tallies = Tally::of(&work, &chunk, &judgement);
    apply(&mut work, chunk, judgement);
    evidence.weigh(&work, &batch, 0, tallies)
}

#[test]
fn an_accepted_document_becomes_a_witness_and_prevents_a_block() {
    let evidence = TopicEvidence::new(false);
    assert_eq!(weigh(&evidence, vec![Fate::Indexed, Fate::Doubtful(refusal())]), None);
    let others = evidence.others("cxone-events");
    assert_eq!((others.accepted, others.has_witness), (1, true));
    assert!(evidence.known_block("cxone-events", &refusal()).is_none());
    evidence.drop_witness(&"cxone-events".into());
    assert!(evidence.witness("cxone-events").is_none() && !evidence.others("cxone-events").has_witness);
}

#[test]
fn an_index_that_refuses_all_documents_alike_is_blocked() {
    let evidence = TopicEvidence::new(false);
    let block = weigh(&evidence, vec![Fate::Doubtful(refusal()), Fate::Doubtful(refusal())]).unwrap();
    assert_eq!((block.index.as_deref(), block.status), (Some("cxone-events"), 400));
    assert_eq!(evidence.known_block("cxone-events", &refusal()), Some(block));
    assert!(evidence.hear(&"cxone-events".into(), &Fate::Duplicate(None)), "its witness is accepted again");
    assert_eq!(evidence.known_block("cxone-events", &refusal()), None);
}

#[test]
fn a_tally_counts_written_and_existing_documents_per_index() {
    let batch = batch_of(&["x", "y", "z"]);
    let work = Work::new(&batch, false);
    let fates = vec![Fate::Indexed, Fate::Doubtful(refusal()), Fate::Duplicate(None)];
    let tallies = Tally::of(&work, &[0, 1, 2], &Judgement::Items(fates));
    assert_eq!(tallies.len(), 1);
    assert_eq!((tallies[0].written, tallies[0].present, tallies[0].item), (1, 1, 0));
    assert!(Tally::of(&work, &[0], &Judgement::TooLarge).is_empty());
}
