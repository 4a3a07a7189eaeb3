use bytes::Bytes;

use super::*;
use crate::bulk::tests::batch_of;

const AT_MILLIS: i64 = 1_767_323_045_678;

/// Creates a batch of two documents, both from records of [`AT_MILLIS`].
fn batch() -> Batch {
    let mut batch = batch_of(&["a", "b"]);
    for item in &mut batch.items {
        item.origin.timestamp = Some(AT_MILLIS);
    }
    batch
}

fn answer(sources: &[&str]) -> ServerAnswer {
    let docs: Vec<String> = sources.iter().map(|source| format!(r#"{{"found":true,"_source":{source}}}"#)).collect();
    let body = Bytes::from(format!(r#"{{"docs":[{}]}}"#, docs.join(",")));
    ServerAnswer { status: 200, body, is_elasticsearch: true }
}

#[test]
fn timestamps_prove_records_only_if_all_match_and_none_is_a_twin() {
    let ours = r#"{"_ingested_at":"2026-01-02T03:04:05.678Z"}"#;
    let other = r#"{"_ingested_at":"2026-01-02T03:04:05.679Z"}"#;
    let none = HashSet::new();
    let is_ours = |batch: &Batch, sources: &[&str], twins: &HashSet<usize>| {
        is_as_sent(&answer(sources), batch, &[0, 1], Part::Timestamp, twins)
    };
    assert!(is_ours(&batch(), &[ours, ours], &none));
    assert!(!is_ours(&batch(), &[ours, other], &none));
    assert!(!is_ours(&batch(), &[ours, "{}"], &none));
    assert!(!is_ours(&batch(), &[ours, ours], &HashSet::from([1])));
    let mut without = batch();
    without.items[1].origin.timestamp = None;
    assert!(!is_ours(&without, &[ours, ours], &none));
}

#[test]
fn whole_documents_prove_records_if_every_byte_matches() {
    let batch = batch();
    let sources: Vec<String> =
        batch.items.iter().map(|item| String::from_utf8_lossy(own_document(&batch, item)).into_owned()).collect();
    let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
    let none = HashSet::new();
    assert!(is_as_sent(&answer(&sources), &batch, &[0, 1], Part::Whole, &none));
    assert!(!is_as_sent(&answer(&[sources[0], "{}"]), &batch, &[0, 1], Part::Whole, &none));
}
