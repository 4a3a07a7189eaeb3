use std::sync::Arc;
use std::time::Duration;

use kafka::position::{Offset, Partition};
use registry::wire::SchemaId;
use service::metrics::Registry;

use super::*;
use crate::batch::{Item, Origin};
use crate::config::{Compression, Expired, Strategy, VerifyDuplicates};
use crate::message::progress::BatchId;
use crate::message::target::{Age, Route, Target};
use stub::{Received, Reply, Stub, all_written, failure, items};

mod doubtful;
mod placement;
mod routes;
mod set_aside;
pub(crate) mod stub;

/// Creates a batch with one document per name, with the name as id.
pub(crate) fn batch_of<S: AsRef<str>>(names: &[S]) -> Batch {
    let mut body = Vec::new();
    let mut items = Vec::new();
    for (offset, name) in (0..).zip(names) {
        let start = body.len();
        let name = name.as_ref();
        body.extend_from_slice(format!("{{\"create\":{{\"_id\":\"{name}\"}}}}\n{{\"name\":\"{name}\"}}\n").as_bytes());
        let origin = Origin {
            partition: Partition(0),
            offset: Offset(offset),
            timestamp: None,
            key: None,
            value: 0..0,
            headers: 0..0,
        };
        items.push(Item { origin, body: start..body.len(), schema: SchemaId(1), target: 0, time: 0, is_twin: false });
    }
    Batch {
        id: BatchId(1),
        body: body.into(),
        items,
        targets: vec![Target {
            index: "cxone-events".into(),
            route: Route::default(),
            look_up: false,
            age: Age::Current,
        }],
        raw: bytes::Bytes::new(),
        undecodable: Vec::new(),
        progress: Vec::new(),
    }
}

fn numbered(count: usize) -> Batch {
    batch_of(&(0..count).map(|number| number.to_string()).collect::<Vec<_>>())
}

pub(crate) fn config(url: &str) -> Config {
    let mut config = Config::default();
    config.elasticsearch.url = url.to_owned();
    config.elasticsearch.compression = Compression::None;
    config.elasticsearch.strategy = Strategy::Single;
    // `verify/tests.rs` tests the verification of duplicates.
    config.elasticsearch.verify_duplicates = VerifyDuplicates::Never;
    config.indexer.retry.initial = Duration::from_millis(1);
    config.indexer.retry.max = Duration::from_millis(5);
    config
}

/// The service and what tests look at.
pub(crate) struct Service {
    pub(crate) bulk: Bulk,
    pub(crate) readiness: Arc<Readiness>,
    pub(crate) metrics: Metrics,
}

pub(crate) fn service(config: &Config) -> Service {
    let metrics = Metrics::new(&Registry::new()).unwrap();
    let readiness = Readiness::new();
    let bulk = Bulk::new(config, metrics.clone(), &readiness).unwrap();
    bulk.sets.all().for_each(|rounds| rounds.limiter.ready());
    Service { bulk, readiness, metrics }
}

/// Returns the number in the document line of a numbered batch.
fn number(document: &str) -> usize {
    document.trim_start_matches("{\"name\":\"").trim_end_matches("\"}").parse().unwrap()
}

fn indices(delivered: &Delivered) -> Vec<usize> {
    delivered.refused.iter().map(|refused| refused.item).collect()
}

/// Creates a script that answers `first`, and then reports everything as written.
fn first(first: Vec<Reply>) -> impl FnMut(&Received) -> Reply + Send {
    let mut first = first.into_iter();
    move |received| first.next().unwrap_or_else(|| all_written(received))
}

#[tokio::test]
async fn a_batch_is_sent_as_one_request_with_its_bytes() {
    let stub = Stub::start(all_written).await;
    let service = service(&config(&stub.url()));
    let batch = numbered(3);
    let delivered = service.bulk.deliver(&batch).await;
    assert_eq!((delivered.indexed, delivered.duplicates, delivered.refused.len()), (3, 0, 0));
    let requests = stub.bulk_requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].body.as_bytes(), &batch.body[..]);
    assert!(requests[0].line.starts_with("POST /cxone-events/_bulk?filter_path="), "{}", requests[0].line);
    assert!(requests[0].head.contains("content-type: application/x-ndjson"));
}

#[tokio::test]
async fn a_batch_without_documents_sends_no_request() {
    let stub = Stub::start(all_written).await;
    service(&config(&stub.url())).bulk.deliver(&numbered(0)).await;
    assert!(stub.requests().is_empty());
}

#[tokio::test]
async fn only_failed_items_of_a_mixed_answer_are_sent_again() {
    const MIX: [u16; 5] = [201, 409, 400, 429, 503];
    let stub = Stub::start(first(vec![items((0..500).map(|item| MIX[item % 5]))])).await;
    let service = service(&config(&stub.url()));
    let delivered = service.bulk.deliver(&numbered(500)).await;

    assert_eq!((delivered.indexed, delivered.duplicates), (300, 100));
    let refused: Vec<usize> = (0..500).filter(|item| item % 5 == 2).collect();
    assert_eq!(indices(&delivered), refused);
    assert!(delivered.refused.iter().all(|refused| refused.attempts == 1 && refused.status == 400));
    let requests = stub.bulk_requests();
    assert_eq!(requests.len(), 2);
    let again: Vec<usize> = requests[1].documents().into_iter().map(number).collect();
    assert_eq!(again, (0..500).filter(|item| item % 5 > 2).collect::<Vec<_>>());

    let documents = |outcome| service.metrics.documents.with_label_values(&[outcome]).get();
    assert_eq!((documents("indexed"), documents("duplicate"), documents("refused")), (300, 100, 100));
    assert_eq!(service.metrics.bulk.retried_documents.get(), 200);
    assert_eq!(service.metrics.bulk.requests.with_label_values(&["partial"]).get(), 1);
}

#[tokio::test]
async fn a_request_that_is_too_large_is_cut_until_it_fits() {
    let stub = Stub::start(|received| {
        if received.documents().len() > 40 { Reply::Answer(413, String::new()) } else { all_written(received) }
    })
    .await;
    let delivered = service(&config(&stub.url())).bulk.deliver(&numbered(500)).await;
    assert_eq!((delivered.indexed, delivered.refused.len()), (500, 0));
}

#[tokio::test]
async fn a_single_document_that_is_too_large_is_refused() {
    let stub = Stub::start(|received| {
        if received.body.contains("large") { Reply::Answer(413, String::new()) } else { all_written(received) }
    })
    .await;
    let mut names: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    names[77] = "large".repeat(1 << 18);
    let delivered = service(&config(&stub.url())).bulk.deliver(&batch_of(&names)).await;
    assert_eq!((delivered.indexed, indices(&delivered)), (99, vec![77]));
    assert_eq!(delivered.refused[0].status, 413);
}

#[tokio::test]
async fn an_answer_with_too_few_items_settles_nothing() {
    let stub = Stub::start(first(vec![items([201, 201])])).await;
    let delivered = service(&config(&stub.url())).bulk.deliver(&numbered(3)).await;
    assert_eq!(delivered.indexed, 3);
    assert_eq!(stub.bulk_requests()[1].documents().len(), 3);
}

#[tokio::test]
async fn a_document_in_the_failure_store_is_set_aside_and_counted() {
    let body = r#"{"items":[{"create":{"status":201,"failure_store":"used"}},{"create":{"status":201}}]}"#;
    let stub = Stub::start(first(vec![Reply::Answer(200, body.to_owned())])).await;
    let service = service(&config(&stub.url()));
    let delivered = service.bulk.deliver(&numbered(2)).await;
    assert_eq!((delivered.indexed, delivered.refused.len(), delivered.set_aside[0].item), (1, 0, 0));
    assert_eq!(service.metrics.bulk.failure_store.get(), 1);
}

#[tokio::test]
async fn a_block_pauses_requests_reports_its_reason_and_ends_by_itself() {
    let stub = Stub::start(first(vec![items([403; 50]), items([403; 10])])).await;
    let service = service(&config(&stub.url()));
    let batch = numbered(50);
    let mut pause = service.bulk.pause();
    let watched = async {
        pause.wait_for(Option::is_some).await.unwrap();
        let unmet = service.readiness.unmet().into_iter().find(|(name, _)| *name == "elasticsearch").unwrap().1;
        assert!(unmet.contains("cluster_block_exception") && unmet.contains("index.blocks"), "{unmet}");
        assert_eq!(service.metrics.bulk.blocked.of("index_block").get(), 1);
        pause.wait_for(Option::is_none).await.unwrap();
    };
    let (delivered, ()) = tokio::join!(service.bulk.deliver(&batch), watched);

    assert_eq!(delivered.indexed, 50);
    assert_eq!(service.metrics.bulk.blocked.of("index_block").get(), 0);
    assert!(!service.readiness.unmet().iter().any(|(name, _)| *name == "elasticsearch"));
    let sizes: Vec<usize> = stub.bulk_requests().iter().map(|request| request.documents().len()).collect();
    assert_eq!(sizes, [50, 10, 10, 40], "probes are small");
}

#[tokio::test]
async fn items_that_are_not_blocked_are_settled_at_once() {
    let stub = Stub::start(first(vec![items([201, 403, 409])])).await;
    let delivered = service(&config(&stub.url())).bulk.deliver(&numbered(3)).await;
    assert_eq!((delivered.indexed, delivered.duplicates), (2, 1));
    assert_eq!(stub.bulk_requests()[1].documents().into_iter().map(number).collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn delivery_waits_while_elasticsearch_is_away() {
    let address = Stub::start(all_written).await.address();
    let mut config = config(&format!("http://{address}"));
    config.indexer.retry.max_retries = 3;
    let service = service(&config);
    let batch = numbered(5);
    let mut pause = service.bulk.pause();
    let return_of_elasticsearch = async {
        pause.wait_for(Option::is_some).await.unwrap();
        assert_eq!(service.metrics.bulk.breaker_state.get(), 2);
        Stub::start_at(address, all_written).await
    };
    let (delivered, _stub) = tokio::join!(service.bulk.deliver(&batch), return_of_elasticsearch);
    assert_eq!(delivered.indexed, 5);
    assert_eq!(service.metrics.bulk.breaker_state.get(), 0);
    assert!(service.metrics.bulk.requests.with_label_values(&["connection"]).get() >= 3);
}

#[tokio::test]
async fn a_time_out_and_a_broken_answer_are_retried() {
    let stub = Stub::start(first(vec![Reply::Silence, Reply::Break])).await;
    let mut config = config(&stub.url());
    config.elasticsearch.request_timeout = Duration::from_millis(200);
    let service = service(&config);
    let delivered = service.bulk.deliver(&numbered(2)).await;
    assert_eq!(delivered.indexed, 2);
    let requests = |outcome| service.metrics.bulk.requests.with_label_values(&[outcome]).get();
    assert_eq!((requests("timed_out"), requests("connection"), requests("ok")), (1, 1, 1));
}

#[tokio::test]
async fn a_dead_node_costs_one_attempt() {
    let dead = Stub::start(all_written).await.address();
    let alive = Stub::start(all_written).await;
    let service = service(&config(&format!("http://{dead},{}", alive.url())));
    for _ in 0..10 {
        assert_eq!(service.bulk.deliver(&numbered(1)).await.indexed, 1);
    }
    assert_eq!(service.metrics.bulk.requests.with_label_values(&["connection"]).get(), 1);
    assert_eq!(alive.bulk_requests().len(), 10);
}

#[tokio::test]
async fn a_missing_index_is_created_again() {
    let mut made = false;
    let stub = Stub::start(move |received| match received.line.split(' ').next().unwrap() {
        "HEAD" | "GET" => failure(404, "index_not_found_exception"),
        "PUT" => {
            made |= received.line.starts_with("PUT /cxone-events ");
            Reply::Answer(200, "{}".to_owned())
        }
        _ if made => all_written(received),
        _ => items(received.documents().iter().map(|_| 404)),
    })
    .await;
    let delivered = service(&config(&stub.url())).bulk.deliver(&numbered(3)).await;
    assert_eq!(delivered.indexed, 3);
}

#[tokio::test]
async fn overload_lowers_the_number_of_requests_in_flight() {
    let stub = Stub::start(first(vec![failure(429, "es_rejected_execution_exception")])).await;
    let mut config = config(&stub.url());
    config.indexer.max_in_flight_requests = 8;
    let service = service(&config);
    assert_eq!(service.metrics.bulk.concurrency_limit.get(), 8);
    service.bulk.deliver(&numbered(3)).await;
    assert_eq!(service.metrics.bulk.concurrency_limit.get(), 4);
}

#[tokio::test]
async fn no_more_requests_are_in_flight_than_allowed() {
    let stub = Stub::start(|_| Reply::Silence).await;
    let mut config = config(&stub.url());
    config.indexer.max_in_flight_requests = 2;
    let service = service(&config);
    let batch = numbered(1);
    let mut deliveries: Vec<_> = (0..5).map(|_| Box::pin(service.bulk.deliver(&batch))).collect();
    // The first two requests have long arrived, and a third has not.
    for _ in 0..1_000 {
        for delivery in &mut deliveries {
            assert!(futures::poll!(delivery).is_pending());
        }
        tokio::task::yield_now().await;
    }
    while stub.bulk_requests().len() < 2 {
        assert!(futures::poll!(&mut deliveries[0]).is_pending());
        assert!(futures::poll!(&mut deliveries[1]).is_pending());
        tokio::task::yield_now().await;
    }
    assert_eq!(stub.bulk_requests().len(), 2);
}

#[tokio::test]
async fn an_abandoned_delivery_returns_its_slot() {
    let stub = Stub::start(first(vec![Reply::Silence])).await;
    let mut config = config(&stub.url());
    config.indexer.max_in_flight_requests = 1;
    let service = service(&config);
    let batch = numbered(1);
    {
        let delivery = service.bulk.deliver(&batch);
        tokio::pin!(delivery);
        while stub.bulk_requests().is_empty() {
            assert!(futures::poll!(&mut delivery).is_pending());
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(service.bulk.deliver(&batch).await.indexed, 1);
}

#[tokio::test]
async fn bodies_are_compressed_when_configured() {
    let stub = Stub::start(all_written).await;
    let mut config = config(&stub.url());
    config.elasticsearch.compression = Compression::Gzip;
    let batch = numbered(100);
    assert_eq!(service(&config).bulk.deliver(&batch).await.indexed, 100);
    let requests = stub.bulk_requests();
    assert!(requests[0].head.contains("content-encoding: gzip"));
    assert_eq!(requests[0].body.as_bytes(), &batch.body[..]);
}

/// For example, a proxy drops the header that says that the body is compressed.
#[tokio::test]
async fn a_server_that_cannot_read_compressed_bodies_gets_plain_ones() {
    let stub = Stub::start(|received| match received.head.contains("content-encoding: gzip") {
        true => failure(400, "x_content_parse_exception"),
        false => all_written(received),
    })
    .await;
    let mut config = config(&stub.url());
    config.elasticsearch.compression = Compression::Gzip;
    let service = service(&config);
    for _ in 0..2 {
        let delivered = service.bulk.deliver(&numbered(100)).await;
        assert_eq!((delivered.indexed, delivered.refused.len(), delivered.set_aside.len()), (100, 0, 0));
    }
    assert_eq!(stub.bulk_requests().len(), 3, "only the first request is compressed");
}

#[tokio::test]
async fn a_renewed_key_file_is_read_at_the_first_401() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, "old\n").unwrap();
    let stub = Stub::start(|received| {
        if received.head.contains("authorization: apikey new") {
            all_written(received)
        } else {
            failure(401, "security_exception")
        }
    })
    .await;
    let mut config = config(&stub.url());
    config.elasticsearch.auth =
        crate::config::ElasticsearchAuth::ApiKey { api_key: None, api_key_file: Some(file.clone()) };
    let service = service(&config);
    std::fs::write(&file, "new\n").unwrap();
    assert_eq!(service.bulk.deliver(&numbered(1)).await.indexed, 1);
    assert_eq!(service.metrics.bulk.requests.with_label_values(&["blocked"]).get(), 0);
}

#[test]
fn unusable_settings_are_refused_at_start() {
    let build = |change: fn(&mut Config)| {
        let mut config = Config::default();
        change(&mut config);
        let metrics = Metrics::new(&Registry::new()).unwrap();
        Bulk::new(&config, metrics, &Readiness::new()).map(drop).unwrap_err().to_string()
    };
    for (error, key) in [
        (build(|config| config.elasticsearch.url = "localhost".to_owned()), "url"),
        (build(|config| config.elasticsearch.index_name = "Events".to_owned()), "index_name"),
        (build(|config| config.elasticsearch.ca_file = Some("/nowhere".into())), "ca_file"),
    ] {
        assert!(error.starts_with(key), "{error}");
    }
}

#[test]
fn addresses_are_shown_without_their_password() {
    let config = config("http://me:hunter2@127.0.0.1:9200");
    assert!(!format!("{:?}", service(&config).bulk).contains("hunter2"));
}
