//! Tests documents that are set aside and whose index changes meanwhile, which no test against a real server can hit at
//! will.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::*;

const OLD: &str = "cxone-events-000001";
const WRITE: &str = "cxone-events-000002";

/// What has become of the old backing index.
const WRITABLE: usize = 0;
const READ_ONLY: usize = 1;
const DELETED: usize = 2;

/// Returns the backing indices behind the alias.
fn list(old: usize) -> Reply {
    let index = |created: &str, is_write: bool, is_blocked: bool| {
        json!({
            "aliases": {"cxone-events": {"is_write_index": is_write}},
            "settings": {"index": {"creation_date": created, "blocks": {"write": is_blocked.to_string()}}},
        })
    };
    let mut list = json!({ WRITE: index("1790000000002", true, false) });
    if old != DELETED {
        list[OLD] = index("1790000000001", false, old == READ_ONLY);
    }
    Reply::Answer(200, list.to_string())
}

/// Answers a bulk request: the old index fails at "bad", and refuses all once it has changed.
fn answer(received: &Received, old: usize) -> Reply {
    let error = |document: &&str| match old {
        _ if received.line.contains(WRITE) => None,
        READ_ONLY => Some((403, "cluster_block_exception")),
        DELETED => Some((404, "index_not_found_exception")),
        _ => document.contains("bad").then_some((500, "odd_exception")),
    };
    let item = |document: &&str| match error(document) {
        None => json!({"create": {"status": 201}}),
        Some((status, error_type)) => json!({"create": {"status": status, "error": {"type": error_type}}}),
    };
    let items: Vec<Value> = received.documents().iter().map(item).collect();
    Reply::Answer(200, json!({ "items": items }).to_string())
}

/// Sets a document of the old index aside, which has a witness. Then the index becomes `old`. Returns what is sent to
/// the write index until the document is decided.
async fn sent_after(old: usize) -> Vec<String> {
    let state = Arc::new(AtomicUsize::new(WRITABLE));
    let of_stub = Arc::clone(&state);
    let stub = Stub::start(move |received| {
        let old = of_stub.load(Ordering::Relaxed);
        match received.line.as_str() {
            line if line.starts_with("GET /_cluster") => Reply::Answer(200, "{}".to_owned()),
            line if line.contains("/_mapping") => failure(404, "index_not_found_exception"),
            line if line.starts_with("GET /cxone-events?") => list(old),
            line if line.contains("/_mget") => {
                let is_witness = line.contains(OLD) && received.body.contains("witness");
                Reply::Answer(200, json!({"docs": [{"found": is_witness}]}).to_string())
            }
            line if line.contains("/_bulk") => answer(received, old),
            _ => Reply::Answer(200, "{}".to_owned()),
        }
    })
    .await;
    let mut config = config(&stub.url());
    config.elasticsearch.strategy = Strategy::Rollover;
    let bulk = service(&config).bulk;
    let batch = |name: &str| {
        let mut batch = batch_of(&[name]);
        batch.targets[0].index = OLD.into();
        batch
    };
    assert_eq!(bulk.deliver(&batch("witness")).await.indexed, 1);
    let bad = batch("bad");
    let delivered = bulk.deliver(&bad).await;
    let mut lone = bulk.single_out(&bad, &delivered.set_aside[0]).await;
    state.store(old, Ordering::Relaxed);
    let decided = tokio::time::timeout(Duration::from_secs(60), bulk.decide(&mut lone)).await;
    assert_eq!(decided.expect("it is placed again").indexed, 1);
    let to_write = stub.bulk_requests().into_iter().filter(|request| request.line.contains(WRITE));
    to_write.flat_map(|request| request.documents().into_iter().map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[tokio::test]
async fn a_witness_does_not_follow_its_document_into_another_index() {
    assert_eq!(sent_after(READ_ONLY).await, ["{\"name\":\"bad\"}"]);
}

#[tokio::test]
async fn a_document_that_was_set_aside_is_placed_again_if_its_index_is_deleted() {
    assert_eq!(sent_after(DELETED).await, ["{\"name\":\"bad\"}"]);
}
