//! Documents that land elsewhere than where they were sent first.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::*;

const STREAM: &str = ".ds-cxone-events-2026.11.24";

fn millis_ago(millis: u128) -> String {
    (SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() - millis).to_string()
}

fn backing(created: &str) -> Value {
    json!({"aliases": {}, "settings": {"index": {"creation_date": created}}})
}

/// Returns the list of so many backing indices of a data stream.
fn list(count: usize) -> Reply {
    let created = millis_ago(1_000);
    let all = (1..=count).map(|number| (format!("{STREAM}-{number:06}"), backing(&created)));
    Reply::Answer(200, Value::Object(all.collect()).to_string())
}

/// Returns the data stream with so many backing indices, in its own order.
fn stream(count: usize) -> Reply {
    let indices: Vec<Value> =
        (1..=count).map(|number| json!({"index_name": format!("{STREAM}-{number:06}")})).collect();
    Reply::Answer(200, json!({"data_streams": [{"indices": indices}]}).to_string())
}

fn found(received: &Received, is_found: impl Fn(&str) -> bool) -> Reply {
    let asked: Value = serde_json::from_str(&received.body).unwrap();
    let docs = asked["ids"].as_array().unwrap().iter().map(|id| json!({"found": is_found(id.as_str().unwrap())}));
    Reply::Answer(200, json!({"docs": docs.collect::<Vec<_>>()}).to_string())
}

/// What happens here in an instant: a rollover between the look at the backing indices and the write.
#[tokio::test]
async fn in_a_data_stream_what_was_written_twice_because_of_a_rollover_is_deleted_once() {
    let rolled = AtomicBool::new(false);
    let stub = Stub::start(move |received| match received.line.as_str() {
        line if line.starts_with("GET /_cluster/health?wait_for_events=") => Reply::Answer(200, "{}".to_owned()),
        line if line.starts_with("GET /_data_stream/") => stream(1 + usize::from(rolled.load(Ordering::Relaxed))),
        line if line.starts_with("GET ") => list(1 + usize::from(rolled.load(Ordering::Relaxed))),
        line if line.starts_with(&format!("POST /{STREAM}-000001/_mget")) => found(received, |id| id == "1"),
        line if line.starts_with(&format!("POST /{STREAM}-000002/_mget")) => found(received, |_| true),
        line if line.starts_with(&format!("POST /{STREAM}-000002/_bulk")) => {
            Reply::Answer(200, r#"{"items":[{"delete":{"status":200}}]}"#.into())
        }
        _ => {
            rolled.store(true, Ordering::Relaxed);
            all_written(received)
        }
    })
    .await;
    let mut config = config(&stub.url());
    config.elasticsearch.strategy = Strategy::DataStream;
    let service = service(&config);
    let delivered = service.bulk.deliver(&numbered(3)).await;

    assert_eq!((delivered.indexed, delivered.duplicates, delivered.refused.len()), (2, 1, 0));
    let deleted: Vec<String> = stub.bulk_requests().into_iter().skip(1).map(|request| request.body).collect();
    assert_eq!(deleted, ["{\"delete\":{\"_id\":\"1\"}}\n"]);
    // No list is asked for but behind the barrier.
    let lines: Vec<String> = stub.requests().into_iter().map(|request| request.line).collect();
    let is_list = |line: &String| line.starts_with("GET /_data_stream/cxone-events?");
    assert!(lines.iter().filter(|line| is_list(line)).count() >= 2, "{lines:?}");
    for pair in lines.windows(2).filter(|pair| is_list(&pair[1])) {
        assert!(pair[0].starts_with("GET /_cluster/health?wait_for_events=immediate"), "{lines:?}");
    }
    let copies =
        |outcome| service.metrics.placement.duplicate_copies.with_label_values(&["cxone-events", outcome]).get();
    assert_eq!((copies("deleted"), copies("left")), (1, 0));
}

/// The list is read a moment before the oldest index is deleted or closed, which no test against a real one can hit at
/// will.
#[tokio::test]
async fn a_document_whose_backing_index_is_gone_or_closed_is_placed_anew() {
    let closed = r#"{"create":{"status":400,"error":{"type":"index_closed_exception","reason":"closed"}}}"#;
    placed_anew(|| items([404, 404])).await;
    placed_anew(move || Reply::Answer(200, format!(r#"{{"items":[{closed},{closed}]}}"#))).await;
}

/// Writes documents of the oldest index, which gives this answer and is not in the list any more from then on.
async fn placed_anew(answer: impl Fn() -> Reply + Send + 'static) {
    let deleted = AtomicBool::new(false);
    let stub = Stub::start(move |received| {
        let is_deleted = deleted.load(Ordering::Relaxed);
        if received.line.starts_with("GET /_cluster") {
            return Reply::Answer(200, "{}".to_owned());
        }
        if received.line.contains("/_mapping") {
            return failure(404, "index_not_found_exception");
        }
        if received.line.starts_with("GET ") {
            let mut list = json!({});
            let alias = |is_write: bool| json!({"cxone-events": {"is_write_index": is_write}});
            for (number, is_write) in [(1, false), (2, true)].into_iter().skip(usize::from(is_deleted)) {
                let mut index = backing(&millis_ago(100_000 / number));
                index["aliases"] = alias(is_write);
                list[format!("cxone-events-{number:06}")] = index;
            }
            return Reply::Answer(200, list.to_string());
        }
        deleted.store(true, Ordering::Relaxed);
        match is_deleted {
            false => answer(),
            true => all_written(received),
        }
    })
    .await;
    let mut config = config(&stub.url());
    config.elasticsearch.strategy = Strategy::Rollover;
    let service = service(&config);
    let mut batch = numbered(2);
    batch.targets[0].index = "cxone-events-000001".into();
    let delivered = service.bulk.deliver(&batch).await;

    assert_eq!((delivered.indexed, delivered.refused.len()), (2, 0));
    let requests = stub.bulk_requests();
    assert_eq!(requests.len(), 2);
    assert!(requests[0].line.starts_with("POST /cxone-events-000001/_bulk"), "{}", requests[0].line);
    assert!(requests[1].line.starts_with("POST /cxone-events-000002/_bulk"), "{}", requests[1].line);
    assert_eq!(requests[1].documents().len(), 2);
}

/// The clock of the indexer steps back behind the placement time of what it holds: there is nothing to do but to wait,
/// and others go on.
#[tokio::test]
async fn a_document_from_ahead_of_the_clock_is_waited_for_without_a_spin() {
    let stub = Stub::start(|received| match received.line.as_str() {
        line if line.starts_with("GET /_cluster") => Reply::Answer(200, "{}".to_owned()),
        line if line.contains("/_mapping") => failure(404, "index_not_found_exception"),
        line if line.starts_with("GET ") => {
            let mut index = backing(&millis_ago(100_000));
            index["aliases"] = json!({"cxone-events": {"is_write_index": true}});
            Reply::Answer(200, json!({"cxone-events-000001": index}).to_string())
        }
        _ => all_written(received),
    })
    .await;
    let mut config = config(&stub.url());
    config.elasticsearch.strategy = Strategy::Rollover;
    let service = service(&config);
    let mut batch = numbered(1);
    batch.targets[0].look_up = true;
    batch.items[0].time = millis_ago(0).parse::<i64>().unwrap() + 600_000;
    let attempts = &service.metrics.bulk.retried_documents;
    let waits = async {
        while attempts.get() < 3 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        delivered = service.bulk.deliver(&batch) => panic!("its time has not come: {delivered:?}"),
        waited = tokio::time::timeout(Duration::from_secs(60), waits) => waited.expect("each attempt has its wait"),
    }
    assert!(stub.bulk_requests().is_empty());
}

/// A role without the privilege is not asked again, and places all the same.
#[tokio::test]
async fn where_the_master_may_not_be_waited_for_the_list_is_asked_for_without() {
    let stub = Stub::start(|received| match received.line.as_str() {
        line if line.starts_with("GET /_cluster") => failure(403, "security_exception"),
        line if line.starts_with("GET /_data_stream/") => stream(1),
        line if line.starts_with("GET ") => list(1),
        _ => all_written(received),
    })
    .await;
    let mut config = config(&stub.url());
    config.elasticsearch.strategy = Strategy::DataStream;
    let service = service(&config);
    for _ in 0..2 {
        assert_eq!(service.bulk.deliver(&numbered(3)).await.indexed, 3);
    }
    let asked = stub.requests().iter().filter(|request| request.line.starts_with("GET /_cluster")).count();
    assert_eq!(asked, 1);
}

/// Something before Elasticsearch that answers in its place says nothing about what there is, nor about what may be
/// asked: each kind of question has such answers first.
#[tokio::test]
async fn answers_that_are_not_elasticsearchs_own_are_asked_for_again() {
    let mut foreign = [0; 4];
    let stub = Stub::start(move |received| {
        let line = received.line.as_str();
        let kinds = ["GET /_cluster", "GET /_data_stream/", "GET ", "POST "];
        let kind = kinds.iter().position(|kind| line.starts_with(kind));
        if let Some(kind) = kind.filter(|_| !received.is_bulk() || line.contains("/_mget"))
            && foreign[kind] < 3
        {
            foreign[kind] += 1;
            return Reply::Answer([404, 403, 404][foreign[kind] % 3], "<html>no such backend</html>".to_owned());
        }
        match line {
            line if line.starts_with("GET /_cluster") => Reply::Answer(200, "{}".to_owned()),
            line if line.starts_with("GET /_data_stream/") => stream(2),
            line if line.starts_with("GET ") => list(2),
            line if line.contains("/_mget") => found(received, |_| line.contains("000001")),
            _ => all_written(received),
        }
    })
    .await;
    let mut config = config(&stub.url());
    config.elasticsearch.strategy = Strategy::DataStream;
    config.elasticsearch.placement.refresh_interval = Duration::from_millis(20);
    let service = service(&config);
    let mut batch = numbered(3);
    // They may have been written before the last rollover.
    batch.items.iter_mut().for_each(|item| item.time = 0);
    let delivered = service.bulk.deliver(&batch).await;
    assert_eq!((delivered.duplicates, delivered.indexed), (3, 0), "all are found, none is written a second time");
    let lines: Vec<String> = stub.requests().into_iter().map(|request| request.line).collect();
    assert!(!lines.iter().any(|line| line.starts_with("PUT ")), "nothing is made that is there");
    let before_lists = lines.windows(2).filter(|pair| pair[1].starts_with("GET /_data_stream/"));
    let barriers: Vec<bool> = before_lists.map(|pair| pair[0].starts_with("GET /_cluster")).collect();
    assert!(barriers.iter().all(|is_asked| *is_asked), "the master is waited for before each list: {lines:?}");
}
