//! Tests documents that end up in another index than the one they were first sent to.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::*;
use crate::message::target::Route;

const STREAM: &str = ".ds-cxone-events-2026.11.24";

fn millis_ago(millis: u128) -> String {
    (SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() - millis).to_string()
}

fn backing(created: &str) -> Value {
    json!({"aliases": {}, "settings": {"index": {"creation_date": created}}})
}

/// Returns the list of `count` backing indices of a data stream.
fn list(count: usize) -> Reply {
    let created = millis_ago(1_000);
    let all = (1..=count).map(|number| (format!("{STREAM}-{number:06}"), backing(&created)));
    Reply::Answer(200, Value::Object(all.collect()).to_string())
}

/// Returns the data stream with `count` backing indices, in the stream's own order.
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

/// A rollover happens between the listing of the backing indices and the write. A real server cannot be timed like
/// this.
#[tokio::test]
async fn a_duplicate_written_because_of_a_rollover_is_deleted_once() {
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
    // Every list is requested behind the barrier.
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

/// Each look-up takes longer than the time until the next rollover. A real server cannot be timed like this.
#[tokio::test]
async fn a_rollover_during_each_full_look_up_does_not_stop_the_documents() {
    const ROLLOVERS: usize = 5;
    let count = AtomicUsize::new(2);
    let stub = Stub::start(move |received| match received.line.as_str() {
        line if line.starts_with("GET /_cluster") => Reply::Answer(200, "{}".to_owned()),
        line if line.starts_with("GET /_data_stream/") => stream(count.load(Ordering::Relaxed)),
        line if line.starts_with("GET ") => list(count.load(Ordering::Relaxed)),
        line if line.contains("/_mget") => {
            if line.contains("000001/") && count.load(Ordering::Relaxed) < 2 + ROLLOVERS {
                count.fetch_add(1, Ordering::Relaxed);
            }
            found(received, |_| false)
        }
        _ => all_written(received),
    })
    .await;
    let mut config = config(&stub.url());
    config.elasticsearch.strategy = Strategy::DataStream;
    // Each list is read again.
    config.elasticsearch.placement.refresh_interval = Duration::from_millis(1);
    let service = service(&config);
    let mut batch = numbered(3);
    batch.items.iter_mut().for_each(|item| item.time = 0);
    assert_eq!(service.bulk.deliver(&batch).await.indexed, 3);
    let is_oldest = |received: &Received| received.line.contains("000001/_mget");
    let full = stub.requests().iter().filter(|received| is_oldest(received)).count();
    assert_eq!(full, 1, "what an old index did not hold once, it does not receive later");
}

/// The list is read a moment before the oldest index is deleted or closed, which no test against a real one can hit at
/// will.
#[tokio::test]
async fn a_document_of_a_deleted_or_closed_index_is_placed_again() {
    let closed = r#"{"create":{"status":400,"error":{"type":"index_closed_exception","reason":"closed"}}}"#;
    placed_again(|| items([404, 404])).await;
    placed_again(move || Reply::Answer(200, format!(r#"{{"items":[{closed},{closed}]}}"#))).await;
}

/// Writes documents of the oldest index, which gives this answer and is not in the list any more from then on.
async fn placed_again(answer: impl Fn() -> Reply + Send + 'static) {
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

/// If a role lacks the privilege, the indexer does not ask again and places documents all the same.
#[tokio::test]
async fn without_the_privilege_lists_are_read_without_the_barrier() {
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
async fn answers_that_are_not_elasticsearchs_are_retried() {
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
    // The documents may have been written before the last rollover.
    batch.items.iter_mut().for_each(|item| item.time = 0);
    let delivered = service.bulk.deliver(&batch).await;
    assert_eq!((delivered.duplicates, delivered.indexed), (3, 0), "all are found, none is written a second time");
    let lines: Vec<String> = stub.requests().into_iter().map(|request| request.line).collect();
    assert!(!lines.iter().any(|line| line.starts_with("PUT ")), "nothing is made that is there");
    let before_lists = lines.windows(2).filter(|pair| pair[1].starts_with("GET /_data_stream/"));
    let barriers: Vec<bool> = before_lists.map(|pair| pair[0].starts_with("GET /_cluster")).collect();
    assert!(barriers.iter().all(|is_asked| *is_asked), "the master is waited for before each list: {lines:?}");
}

/// Returns the list of so many backing indices behind the alias, of which all but the last have a write block.
fn blocked_list(count: usize) -> Reply {
    let mut list = json!({});
    for number in 1..=count {
        let mut index = backing(&(1_790_000_000_000_usize + number).to_string());
        index["aliases"] = json!({"cxone-events": {"is_write_index": number == count}});
        index["settings"]["index"]["blocks"] = json!({"write": (number < count).to_string()});
        list[format!("cxone-events-{number:06}")] = index;
    }
    Reply::Answer(200, list.to_string())
}

/// Delivers three documents of the first backing index, which is read-only, by a list that is read while
/// the alias has two; then it has `count`. `holder` is the number of the index that has them.
async fn deliver_late(count: usize, holder: usize) -> (Delivered, Vec<String>) {
    let backing = Arc::new(AtomicUsize::new(2));
    let of_stub = Arc::clone(&backing);
    let stub = Stub::start(move |received| match received.line.as_str() {
        line if line.starts_with("GET /_cluster") => Reply::Answer(200, "{}".to_owned()),
        line if line.contains("/_mapping") => failure(404, "index_not_found_exception"),
        line if line.starts_with("GET ") => blocked_list(of_stub.load(Ordering::Relaxed)),
        line if line.contains("/_mget") => found(received, |_| line.contains(&format!("{holder:06}/"))),
        _ => all_written(received),
    })
    .await;
    let mut config = config(&stub.url());
    config.elasticsearch.strategy = Strategy::Rollover;
    // No list is read again because of its age.
    config.elasticsearch.placement.refresh_interval = Duration::from_secs(3_600);
    config.elasticsearch.placement.margin = Duration::from_secs(60 * 3_600);
    let service = service(&config);
    service.bulk.index_cache(Route::default()).unwrap().renewed().await;
    backing.store(count, Ordering::Relaxed);
    let mut batch = numbered(3);
    batch.targets[0].look_up = true;
    let delivered = service.bulk.deliver(&batch).await;
    (delivered, stub.requests().into_iter().map(|request| request.line).collect())
}

/// Another indexer looked the documents up, missed them and wrote them to an index that the list does not have yet.
/// Then the partition changed hands.
#[tokio::test]
async fn a_document_of_another_indexer_is_not_written_again() {
    let (delivered, lines) = deliver_late(3, 3).await;
    assert_eq!((delivered.duplicates, delivered.indexed), (3, 0), "{lines:?}");
}

#[tokio::test]
async fn a_document_missing_by_the_newest_list_is_written_once() {
    for count in [2, 3] {
        let (delivered, lines) = deliver_late(count, 99).await;
        assert_eq!((delivered.duplicates, delivered.indexed), (0, 3), "{lines:?}");
        let bulk: Vec<&String> = lines.iter().filter(|line| line.contains("/_bulk")).collect();
        assert!(matches!(bulk[..], [one] if one.contains(&format!("{count:06}/"))), "{lines:?}");
    }
}

#[tokio::test]
async fn a_document_that_is_found_needs_no_list() {
    let (delivered, lines) = deliver_late(3, 2).await;
    assert_eq!((delivered.duplicates, delivered.indexed), (3, 0));
    let lists = lines.iter().filter(|line| line.starts_with("GET /cxone-events?")).count();
    assert_eq!(lists, 1, "{lines:?}");
}

/// That a question could not be answered in time says nothing of the index.
#[tokio::test]
async fn the_age_of_the_oldest_index_is_read_again_after_a_failure() {
    let mut searches = [408, 429, 503].into_iter();
    let stub = Stub::start(move |received| match received.line.as_str() {
        line if line.starts_with("GET /_cluster") => Reply::Answer(200, "{}".to_owned()),
        line if line.contains("/_search") => match searches.next() {
            Some(status) => failure(status, "timeout_exception"),
            None => Reply::Answer(200, r#"{"aggregations":{"first":{"value":1790000000000}}}"#.to_owned()),
        },
        _ => {
            let mut list = json!({});
            for (name, is_write) in [("shrink-x-cxone-events-000002", false), ("cxone-events-000003", true)] {
                list[name] = backing("1790000000001");
                list[name]["aliases"] = json!({"cxone-events": {"is_write_index": is_write}});
            }
            Reply::Answer(200, list.to_string())
        }
    })
    .await;
    let mut config = config(&stub.url());
    config.elasticsearch.strategy = Strategy::Rollover;
    config.elasticsearch.placement.expired = Expired::Skip;
    let service = service(&config);
    for _ in 0..3 {
        assert_eq!(service.bulk.index_cache(Route::default()).unwrap().renewed().await.known_from(), i64::MIN);
    }
    assert!(service.bulk.index_cache(Route::default()).unwrap().renewed().await.known_from() > 1_790_000_000_000);
}
