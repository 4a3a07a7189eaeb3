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

/// How an old backing index refuses what concerns it.
#[derive(Clone, Copy, Debug)]
enum Refuses {
    /// Documents, as at the flood stage of its node's disk, which the list of indices does not show.
    Documents,
    /// Documents and look-ups: it is read-only, and may not be read.
    LookUps,
    /// To be created: the cluster has its limit of shards.
    ToBeCreated,
}

impl Refuses {
    fn error(self) -> Value {
        match self {
            Self::Documents | Self::LookUps => json!({"type": "cluster_block_exception", "reason": "why"}),
            Self::ToBeCreated => json!({"type": "validation_exception", "reason": "too many shards"}),
        }
    }

    /// Returns the stub, whose old index refuses like this until `is_over` says so.
    async fn stub(self, is_over: Arc<AtomicUsize>) -> Stub {
        Stub::start(move |received| {
            let is_over = is_over.load(Ordering::Relaxed) > 0;
            match received.line.as_str() {
                line if line.starts_with("GET /_cluster") => Reply::Answer(200, "{}".to_owned()),
                line if line.contains("/_mapping") => failure(404, "index_not_found_exception"),
                line if line.starts_with("GET /cxone-events?") => {
                    list(if matches!(self, Self::LookUps) { READ_ONLY } else { WRITABLE })
                }
                line if line.contains("/_mget") => {
                    let is_refused = matches!(self, Self::LookUps) && line.contains(OLD) && !is_over;
                    let doc = if is_refused { json!({"error": self.error()}) } else { json!({"found": false}) };
                    let ids: Value = serde_json::from_str(&received.body).unwrap();
                    let docs = vec![doc; ids["ids"].as_array().unwrap().len()];
                    Reply::Answer(200, json!({ "docs": docs }).to_string())
                }
                line if line.contains("/_bulk") => {
                    let lines: Vec<&str> = received.body.lines().collect();
                    let is_old = |action: &str| match action.contains("_index") {
                        true => action.contains(OLD),
                        false => line.contains(OLD),
                    };
                    let item = |pair: &[&str]| match is_old(pair[0]) && !is_over {
                        true => json!({"create": {"status": 403, "error": self.error()}}),
                        false => json!({"create": {"status": 201}}),
                    };
                    let items: Vec<Value> = lines.chunks(2).map(item).collect();
                    Reply::Answer(200, json!({ "items": items }).to_string())
                }
                _ => Reply::Answer(200, "{}".to_owned()),
            }
        })
        .await
    }
}

/// Returns a batch of documents for the write index, and of `late` ones for the old one.
fn late_and_fresh(refuses: Refuses, late: usize) -> Batch {
    let names: Vec<String> = (0..3)
        .map(|number| format!("fresh-{number}"))
        .chain((0..late).map(|number| format!("late-{number}")))
        .collect();
    let mut batch = batch_of(&names);
    batch.targets[0].index = WRITE.into();
    let look_up = matches!(refuses, Refuses::LookUps);
    batch.targets.push(Target { index: OLD.into(), route: Route::default(), look_up, age: Age::Older });
    let mut body = Vec::new();
    for item in &mut batch.items {
        let start = body.len();
        let lines = &batch.body[item.body.clone()];
        let is_late = lines.windows(4).any(|window| window == b"late");
        let mut named = bytes::BytesMut::new();
        crate::document::rename(lines, is_late.then_some(OLD), &mut named);
        body.extend_from_slice(&named);
        item.target = u32::from(is_late);
        item.time = if is_late { 0 } else { i64::MAX / 2 };
        item.body = start..body.len();
    }
    batch.body = body.into();
    batch
}

async fn rollover(stub: &Stub) -> Service {
    let mut config = config(&stub.url());
    config.elasticsearch.strategy = Strategy::Rollover;
    let service = service(&config);
    service.bulk.index_cache(Route::default()).unwrap().renewed().await;
    service
}

/// One late document is not to stop a topic.
#[tokio::test]
async fn a_block_of_an_old_index_sets_its_documents_aside_and_stops_no_others() {
    for refuses in [Refuses::Documents, Refuses::LookUps, Refuses::ToBeCreated] {
        let is_over = Arc::new(AtomicUsize::new(0));
        let stub = refuses.stub(Arc::clone(&is_over)).await;
        let service = rollover(&stub).await;
        let batch = late_and_fresh(refuses, 2);
        let delivered = tokio::time::timeout(Duration::from_secs(30), service.bulk.deliver(&batch)).await;
        let delivered = delivered.expect("the others go on");
        assert_eq!((delivered.indexed, delivered.refused.len()), (3, 0), "{refuses:?}");
        let waiting: Vec<(usize, &str)> = delivered.set_aside.iter().map(|one| (one.item, &*one.index)).collect();
        assert_eq!(waiting, [(3, OLD), (4, OLD)], "{refuses:?}");
        assert_eq!(*service.bulk.pause().borrow(), None, "{refuses:?}");

        let mut lone = service.bulk.single_out(&batch, &delivered.set_aside[0]).await;
        let unmet = service.readiness.unmet().into_iter().find(|(name, _)| *name == "documents").unwrap().1;
        assert!(unmet.contains(OLD) && unmet.contains("operator"), "{unmet}");
        let decide = tokio::time::timeout(Duration::from_millis(1_500), service.bulk.decide(&mut lone)).await;
        assert!(decide.is_err(), "{refuses:?}: it waits");
        assert_eq!(*service.bulk.pause().borrow(), None, "{refuses:?}: and alone");
        is_over.store(1, Ordering::Relaxed);
        let decided = tokio::time::timeout(Duration::from_secs(30), service.bulk.decide(&mut lone)).await;
        assert_eq!(decided.expect("the block is over").indexed, 1, "{refuses:?}");
        let to_write = |request: &Received| request.line.contains(WRITE) && request.body.contains("late-0");
        let last = stub.bulk_requests().pop().unwrap();
        assert_eq!(to_write(&last), matches!(refuses, Refuses::LookUps), "{refuses:?}: {}", last.line);
    }
}

/// Then the index is the one that matters, or nothing is known about the others.
#[tokio::test]
async fn a_block_of_an_old_index_stops_all_while_no_other_accepts_documents_or_if_many_wait() {
    for late in [2, 200] {
        let stub = Refuses::Documents.stub(Arc::default()).await;
        let service = rollover(&stub).await;
        let mut batch = late_and_fresh(Refuses::Documents, late);
        if late == 2 {
            batch.items.drain(..3);
        }
        let mut pause = service.bulk.pause();
        tokio::select! {
            delivered = service.bulk.deliver(&batch) => panic!("{late}: {delivered:?}"),
            paused = pause.wait_for(Option::is_some) => assert!(paused.is_ok()),
        }
    }
}

/// As at a failing shard, or at an ingest processor that is overloaded. With as many such batches as may be in flight,
/// nothing else would be sent.
#[tokio::test]
async fn a_document_that_fails_for_ever_does_not_hold_up_its_batch() {
    for (status, error_type) in [(429, "es_rejected_execution_exception"), (503, "unavailable_shards_exception")] {
        let is_over = Arc::new(AtomicUsize::new(0));
        let of_stub = Arc::clone(&is_over);
        let stub = Stub::start(move |received| {
            let is_over = of_stub.load(Ordering::Relaxed) > 0;
            let item = |document: &&str| match document.contains("stuck") && !is_over {
                true => json!({"create": {"status": status, "error": {"type": error_type, "reason": "why"}}}),
                false => json!({"create": {"status": 201}}),
            };
            match received.is_bulk() {
                true => {
                    let items: Vec<Value> = received.documents().iter().map(item).collect();
                    Reply::Answer(200, json!({ "items": items }).to_string())
                }
                false => Reply::Answer(200, "{}".to_owned()),
            }
        })
        .await;
        let bulk = service(&config(&stub.url())).bulk;
        let batch = batch_of(&["a", "stuck", "b"]);
        let delivered = tokio::time::timeout(Duration::from_secs(30), bulk.deliver(&batch)).await;
        let delivered = delivered.expect("the batch is free");
        assert_eq!((delivered.indexed, delivered.refused.len(), delivered.set_aside.len()), (2, 0, 1), "{status}");

        let mut lone = bulk.single_out(&batch, &delivered.set_aside[0]).await;
        let decide = tokio::time::timeout(Duration::from_millis(1_500), bulk.decide(&mut lone)).await;
        assert!(decide.is_err(), "{status}: it waits");
        // It takes 429 longer to be set aside, until requests are held back.
        assert!(status == 429 || bulk.pause().borrow().is_none(), "a document alone is no outage");
        is_over.store(1, Ordering::Relaxed);
        let decided = tokio::time::timeout(Duration::from_secs(60), bulk.decide(&mut lone)).await;
        assert_eq!(decided.expect("it is accepted").indexed, 1, "{status}");
    }
}

/// The failure store of a data stream takes all documents, and does not say why.
#[tokio::test]
async fn a_missing_pipeline_blocks_although_a_failure_store_takes_all_documents() {
    let is_over = Arc::new(AtomicUsize::new(0));
    let of_stub = Arc::clone(&is_over);
    let stub = Stub::start(move |received| {
        if !received.is_bulk() {
            return Reply::Answer(200, "{}".to_owned());
        }
        let item = match of_stub.load(Ordering::Relaxed) {
            0 => json!({"create": {"status": 201, "failure_store": "used"}}),
            _ => json!({"create": {"status": 201}}),
        };
        Reply::Answer(200, json!({ "items": vec![item; received.documents().len()] }).to_string())
    })
    .await;
    let service = service(&config(&stub.url()));
    let batch = numbered(200);
    let mut pause = service.bulk.pause();
    let repaired = async {
        pause.wait_for(Option::is_some).await.unwrap();
        is_over.store(1, Ordering::Relaxed);
    };
    let (delivered, ()) = tokio::join!(service.bulk.deliver(&batch), repaired);
    assert_eq!((delivered.indexed, delivered.refused.len()), (200, 0));
}
