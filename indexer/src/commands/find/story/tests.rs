use super::*;

fn at() -> RecordPosition {
    RecordPosition { topic: "t".to_owned(), partition: 0, offset: 1 }
}

fn record(committed: bool) -> Record {
    Record { at: at(), received: None, source: None, request_id: None, redriven_from: None, committed }
}

fn document() -> Document {
    Document { index: "i".to_owned(), version: Some(1), ingested_at: None }
}

fn letter(kind: Kind, state: LetterState, error_type: &str) -> Letter {
    let error_type = error_type.to_owned();
    let (written, source, request_id) = (None, None, None);
    Letter { at: at(), kind, state, written, source, request_id, error_type, reason: String::new() }
}

#[test]
fn the_results_determine_the_state_of_the_event() {
    use LetterState::{Dropped, Open, Redriven};
    let (dead, quarantined) = (Kind::DeadLetter, Kind::Quarantined);
    let is = |records: &[bool], documents: usize, letters: &[Letter]| {
        let records: Vec<Record> = records.iter().map(|committed| record(*committed)).collect();
        judge(&records, &vec![document(); documents], letters)
    };
    assert_eq!(is(&[false], 0, &[]), EventState::Waiting);
    assert_eq!(is(&[true], 1, &[]), EventState::Indexed);
    assert_eq!(is(&[], 1, &[]), EventState::Indexed, "retention has deleted the record");
    assert_eq!(is(&[false], 1, &[]), EventState::Indexed, "between the document and the commit");
    assert_eq!(is(&[true, true], 1, &[]), EventState::Repeated);
    assert_eq!(is(&[true, false], 1, &[]), EventState::Repeated, "the other one waits");
    assert_eq!(is(&[true], 2, &[]), EventState::Copies);
    assert_eq!(is(&[true, true], 1, &[letter(dead, Open, "id-conflict")]), EventState::IdConflict);
    assert_eq!(is(&[true, true], 1, &[letter(dead, Dropped, "id-conflict")]), EventState::Repeated);
    assert_eq!(is(&[true], 0, &[letter(dead, Open, "not-framed")]), EventState::DeadLetter);
    assert_eq!(is(&[true], 0, &[letter(dead, Dropped, "not-framed")]), EventState::Dropped);
    assert_eq!(is(&[true, false], 0, &[letter(dead, Redriven, "not-framed")]), EventState::Waiting);
    assert_eq!(is(&[true, true], 1, &[letter(dead, Redriven, "not-framed")]), EventState::Repeated);
    assert_eq!(is(&[], 0, &[letter(quarantined, Open, "invalid-event")]), EventState::Quarantined);
    assert_eq!(is(&[true], 1, &[letter(quarantined, Open, "invalid-event")]), EventState::Indexed);
    assert_eq!(is(&[true], 0, &[]), EventState::Gone);
}
