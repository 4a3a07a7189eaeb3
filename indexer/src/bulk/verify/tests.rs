//! Tests with a stub. A real Elasticsearch cannot be made to lose a document at a given moment, to fail a read, or to
//! send an answer of many megabytes. `tests/it/proof.rs` covers what it can do.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::bulk::Delivered;
use crate::bulk::tests::stub::{Received, Reply, Stub, failure};
use crate::bulk::tests::{Service, batch_of, config, service};

const AT: &str = "2026-01-02T03:04:05.678Z";
const LATER: &str = "2026-01-02T03:04:06.000Z";
const AT_MILLIS: i64 = 1_767_323_045_678;

/// Creates a batch of these documents, each an id and a body, from records with the time [`AT`].
fn batch(documents: &[(&str, Value)]) -> Batch {
    let mut batch = batch_of::<&str>(&[]);
    let mut body = Vec::new();
    let template = batch_of(&["x"]).items.remove(0);
    for (offset, (id, document)) in (0..).zip(documents) {
        let start = body.len();
        let mut document = document.clone();
        document["_ingested_at"] = json!(AT);
        body.extend_from_slice(format!("{{\"create\":{{\"_id\":{}}}}}\n{document}\n", json!(id)).as_bytes());
        let mut item = template.clone();
        item.body = start..body.len();
        item.origin.offset.0 = offset;
        item.origin.timestamp = Some(AT_MILLIS);
        batch.items.push(item);
    }
    batch.body = body.into();
    batch
}

fn stored(ingested_at: &str, document: &Value) -> Value {
    let mut document = document.clone();
    document["_ingested_at"] = json!(ingested_at);
    json!({"_index": "x", "_id": "y", "_version": 1, "found": true, "_source": document})
}

fn taken(received: &Received) -> Reply {
    let item = json!({"create": {"status": 409, "error": {"type": "version_conflict_engine_exception", "index": "real-000001"}}});
    Reply::Answer(200, json!({"items": vec![item; received.documents().len()]}).to_string())
}

fn ids(received: &Received) -> Vec<String> {
    let asked: Value = serde_json::from_str(&received.body).unwrap();
    asked["ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

fn is_read(received: &Received) -> bool {
    received.line.starts_with("POST /real-000001/_mget")
}

/// Returns `document`'s value for each id that is requested.
fn documents(received: &Received, document: impl Fn(&str) -> Value) -> Reply {
    let by_timestamp = received.line.contains("_source_includes=_ingested_at");
    let docs: Vec<Value> = ids(received)
        .iter()
        .map(|id| {
            let mut document = document(id);
            if by_timestamp && document["_source"].is_object() {
                document["_source"] = json!({"_ingested_at": document["_source"]["_ingested_at"]});
            }
            document
        })
        .collect();
    Reply::Answer(200, json!({"docs": docs}).to_string())
}

/// Starts a stub in which `document` has taken every id, in an index with `settings`.
async fn stub_of(settings: &'static str, document: impl Fn(&str) -> Value + Send + 'static) -> Stub {
    Stub::start(move |received| match received {
        bulk if bulk.is_bulk() => taken(bulk),
        read if is_read(read) => documents(read, &document),
        _ => Reply::Answer(200, format!(r#"{{"real-000001":{settings}}}"#)),
    })
    .await
}

fn proving(stub: &Stub, how: VerifyDuplicates) -> Service {
    let mut config = config(&stub.url());
    config.elasticsearch.verify_duplicates = how;
    service(&config)
}

fn proofs(service: &Service) -> [u64; 3] {
    ["record", "content", "none"].map(|proof| service.metrics.verify.duplicates.with_label_values(&[proof]).get())
}

fn conflicts(delivered: &Delivered) -> Vec<usize> {
    assert!(delivered.refused.iter().all(|refused| refused.error_type == "id-conflict" && refused.status == 409));
    delivered.refused.iter().map(|refused| refused.item).collect()
}

const BOTH: [VerifyDuplicates; 2] = [VerifyDuplicates::Always, VerifyDuplicates::ByTimestamp];

#[tokio::test]
async fn the_stored_document_decides_whether_it_is_a_duplicate() {
    for how in BOTH {
        let stub = stub_of("{}", |id| match id {
            "record" => stored(AT, &json!({"a": 1})),
            // Written by an earlier release, for example, or changed by hand.
            "record, changed" => stored(AT, &json!({"a": "one"})),
            "repeated" => stored(LATER, &json!({"a": 1.0})),
            "other" => stored(LATER, &json!({"a": 2, "secret": "s3cret"})),
            "no source" => json!({"found": true}),
            other => panic!("{other}"),
        })
        .await;
        let service = proving(&stub, how);
        let names = ["record", "record, changed", "repeated", "other", "no source"];
        let delivered = service.bulk.deliver(&batch(&names.map(|name| (name, json!({"a": 1}))))).await;

        assert_eq!((delivered.indexed, delivered.duplicates, conflicts(&delivered)), (0, 4, vec![3]), "{how:?}");
        let reason = &delivered.refused[0].reason;
        for part in ["cxone-events-0@3", AT, r#""other""#, "real-000001", LATER] {
            assert!(reason.contains(part), "{part}: {reason}");
        }
        assert!(!reason.contains("s3cret"));
        assert_eq!(proofs(&service), [2, 1, 1], "{how:?}");
        assert_eq!(service.metrics.verify.conflicts.with_label_values(&["cxone-events"]).get(), 1);
        let reads: Vec<usize> = stub.requests().iter().filter(|r| is_read(r)).map(|r| ids(r).len()).collect();
        assert_eq!(reads, if how == VerifyDuplicates::Always { vec![5] } else { vec![5, 3] }, "one request for all");
    }
}

#[tokio::test]
async fn without_verification_nothing_is_read() {
    let stub = stub_of("{}", |_| panic!("it is read")).await;
    let service = proving(&stub, VerifyDuplicates::Never);
    let delivered = service.bulk.deliver(&batch(&[("a", json!({"a": 1}))])).await;
    assert_eq!((delivered.duplicates, delivered.refused.len()), (1, 0));
}

#[tokio::test]
async fn two_events_of_one_request_with_one_id_are_an_id_conflict() {
    for how in BOTH {
        let stub = stub_of("{}", |_| stored(AT, &json!({"a": 1}))).await;
        let service = proving(&stub, how);
        let of_one_request = [("x", json!({"a": 1})), ("x", json!({"a": 2})), ("y", json!({"a": 1}))];
        let delivered = service.bulk.deliver(&batch(&of_one_request)).await;
        assert_eq!((delivered.duplicates, conflicts(&delivered)), (2, vec![1]), "{how:?}");
    }
}

/// A document that waits alone, or is sent again while the fuse is blown, leaves its batch.
#[tokio::test]
async fn an_event_taken_out_of_its_batch_is_still_told_from_its_twin() {
    for how in BOTH {
        let stub = stub_of("{}", |_| stored(AT, &json!({"a": 1}))).await;
        let service = proving(&stub, how);
        let whole = batch(&[("x", json!({"a": 1})), ("x", json!({"a": 2})), ("y", json!({"a": 1}))]);
        for part in [whole.only(1, "cxone-events".into()), whole.some(std::iter::once(1))] {
            let delivered = service.bulk.deliver(&part).await;
            assert_eq!((delivered.duplicates, conflicts(&delivered)), (0, vec![0]), "{how:?}");
        }
    }
}

#[tokio::test]
async fn an_index_that_changes_documents_is_compared_by_shared_fields() {
    const SETTINGS: [&str; 3] = [
        r#"{"settings":{"index":{"default_pipeline":"p"}}}"#,
        r#"{"settings":{"index":{"mapping":{"source":{"mode":"synthetic"}}}}}"#,
        r#"{"mappings":{"_source":{"excludes":["b"]}}}"#,
    ];
    for settings in SETTINGS {
        let stub = stub_of(settings, |id| match id {
            "enriched" => stored(LATER, &json!({"a": 1, "c": 3})),
            "other" => stored(LATER, &json!({"a": 2, "c": 3})),
            _ => stored(LATER, &json!({"c": 3})),
        })
        .await;
        let service = proving(&stub, VerifyDuplicates::Always);
        let names = ["enriched", "other", "nothing left"];
        let delivered = service.bulk.deliver(&batch(&names.map(|name| (name, json!({"a": 1, "b": 2}))))).await;
        assert_eq!((delivered.duplicates, conflicts(&delivered)), (2, vec![1]), "{settings}");
        assert_eq!(proofs(&service), [0, 1, 1]);
        let asked = stub.requests().iter().filter(|received| received.line.starts_with("GET /real-000001")).count();
        assert_eq!(asked, 1, "it is asked once what the index does");
    }
}

#[tokio::test]
async fn a_document_changed_later_is_compared_by_shared_fields() {
    let stub = stub_of("{}", |_| {
        let mut document = stored(LATER, &json!({"a": 1, "note": "by hand"}));
        document["_version"] = json!(2);
        document
    })
    .await;
    let delivered = proving(&stub, VerifyDuplicates::Always).bulk.deliver(&batch(&[("x", json!({"a": 1}))])).await;
    assert_eq!((delivered.duplicates, delivered.refused.len()), (1, 0));
}

#[tokio::test]
async fn a_document_gone_at_its_verification_is_sent_again() {
    let sent = AtomicUsize::new(0);
    let stub = Stub::start(move |received| match received {
        bulk if bulk.is_bulk() => match sent.fetch_add(1, Ordering::Relaxed) {
            0 => taken(bulk),
            _ => Reply::Answer(200, r#"{"items":[{"create":{"status":201}}]}"#.to_owned()),
        },
        read => documents(read, |_| json!({"found": false})),
    })
    .await;
    let delivered = proving(&stub, VerifyDuplicates::Always).bulk.deliver(&batch(&[("x", json!({"a": 1}))])).await;
    assert_eq!((delivered.indexed, delivered.duplicates, delivered.refused.len()), (1, 0, 0));
}

/// The primary answers 409 as soon as it has the document. The read may go to a replica that gets it a moment later.
#[tokio::test]
async fn a_replica_that_is_behind_proves_no_duplicate() {
    let mut first_read = None;
    let stub = Stub::start(move |received| match received {
        bulk if bulk.is_bulk() => taken(bulk),
        read if is_read(read) => {
            let is_behind = first_read.get_or_insert_with(Instant::now).elapsed() < Duration::from_millis(150);
            documents(read, |_| if is_behind { json!({"found": false}) } else { stored(LATER, &json!({"a": 2})) })
        }
        _ => Reply::Answer(200, "{}".to_owned()),
    })
    .await;
    let mut config = config(&stub.url());
    config.elasticsearch.verify_duplicates = VerifyDuplicates::Always;
    (config.indexer.retry.initial, config.indexer.retry.max) = (Duration::from_secs(2), Duration::from_secs(2));
    let delivered = service(&config).bulk.deliver(&batch(&[("x", json!({"a": 1}))])).await;
    assert_eq!((delivered.duplicates, conflicts(&delivered)), (0, vec![0]));
}

#[tokio::test]
async fn a_document_that_exists_but_is_never_visible_ends_as_a_duplicate() {
    let stub = stub_of("{}", |_| json!({"found": false})).await;
    let service = proving(&stub, VerifyDuplicates::Always);
    let delivered = service.bulk.deliver(&batch(&[("x", json!({"a": 1}))])).await;
    assert_eq!((delivered.duplicates, delivered.refused.len()), (1, 0));
    assert_eq!(proofs(&service), [0, 0, 1]);
}

#[tokio::test]
async fn a_failed_read_is_retried_and_refuses_no_document() {
    let (reads, asked) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let stub = Stub::start(move |received| match received {
        bulk if bulk.is_bulk() => taken(bulk),
        read if is_read(read) => match reads.fetch_add(1, Ordering::Relaxed) {
            0 => failure(503, "unavailable"),
            1 => Reply::Break,
            2 => {
                Reply::Answer(200, r#"{"docs":[{"error":{"type":"no_shard_available_action_exception"}}]}"#.to_owned())
            }
            3 => failure(403, "security_exception"),
            4 => failure(429, "es_rejected_execution_exception"),
            _ => documents(read, |_| stored(LATER, &json!({"a": 2}))),
        },
        _ if asked.fetch_add(1, Ordering::Relaxed) == 0 => failure(503, "unavailable"),
        _ => Reply::Answer(200, "{}".to_owned()),
    })
    .await;
    let service = proving(&stub, VerifyDuplicates::Always);
    let mut pause = service.bulk.pause();
    let batch = batch(&[("x", json!({"a": null}))]);
    let watched = async {
        let blocked = pause.wait_for(Option::is_some).await.map(|pause| format!("{:?}", *pause));
        assert!(blocked.unwrap().contains("verify_duplicates"), "it says which privilege is missing");
    };
    let (delivered, ()) = tokio::join!(service.bulk.deliver(&batch), watched);
    assert_eq!(conflicts(&delivered), [0]);
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_requested_in_parts() {
    let stub = stub_of("{}", |id| {
        let length = if id < "4" { 6 << 20 } else { 1 };
        stored(LATER, &json!({"a": "x".repeat(length)}))
    })
    .await;
    let service = proving(&stub, VerifyDuplicates::Always);
    let documents: Vec<String> = (0..8).map(|number| number.to_string()).collect();
    let documents: Vec<(&str, Value)> = documents.iter().map(|id| (id.as_str(), json!({"a": "x"}))).collect();
    let delivered = service.bulk.deliver(&batch(&documents)).await;
    assert_eq!((delivered.duplicates, conflicts(&delivered)), (4, vec![0, 1, 2, 3]));
}

/// A stored document, and the document to write under the same id.
#[derive(Clone, Debug)]
struct Case {
    ours: BTreeMap<String, u8>,
    theirs: BTreeMap<String, u8>,
    same_time: bool,
}

fn cases() -> impl Strategy<Value = Vec<Case>> {
    let fields = || prop::collection::btree_map("[a-c]", 0_u8..3, 1..3);
    let case = (fields(), fields(), any::<bool>(), any::<bool>()).prop_map(|(ours, theirs, same, same_time)| {
        let theirs = if same { ours.clone() } else { theirs };
        Case { ours, theirs, same_time }
    });
    prop::collection::vec(case, 1..20)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever is stored, an event is a dead letter if another event has its id, and a duplicate otherwise.
    #[test]
    fn events_conflict_exactly_if_their_contents_differ(cases in cases(), by_timestamp in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let of_stub = cases.clone();
            let stub = stub_of("{}", move |id| {
                let case = &of_stub[id.parse::<usize>().unwrap()];
                stored(if case.same_time { AT } else { LATER }, &json!(case.theirs))
            })
            .await;
            let how = if by_timestamp { VerifyDuplicates::ByTimestamp } else { VerifyDuplicates::Always };
            let names: Vec<String> = (0..cases.len()).map(|number| number.to_string()).collect();
            let documents: Vec<(&str, Value)> =
                names.iter().zip(&cases).map(|(name, case)| (name.as_str(), json!(case.ours))).collect();
            let delivered = proving(&stub, how).bulk.deliver(&batch(&documents)).await;
            let others = cases.iter().enumerate().filter(|(_, case)| !case.same_time && case.ours != case.theirs);
            let expected: Vec<usize> = others.map(|(number, _)| number).collect();
            assert_eq!(conflicts(&delivered), expected);
            assert_eq!(delivered.duplicates as usize, cases.len() - delivered.refused.len());
        });
    }
}
