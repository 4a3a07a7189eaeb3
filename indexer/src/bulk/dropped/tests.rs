use std::time::Duration;

use super::*;
use crate::bulk::tests::stub::{Received, Reply, Stub, failure, items};
use crate::bulk::tests::{batch_of, config, service};

async fn report(settings: &'static str) -> (Stub, DroppedReport) {
    let stub = Stub::start(move |_| match settings {
        "" => failure(403, "security_exception"),
        settings => Reply::Answer(200, format!(r#"{{"x-000001":{{"settings":{{"index":{settings}}}}}}}"#)),
    })
    .await;
    let config = config(&stub.url());
    let client = Arc::new(Client::new(&config.elasticsearch).unwrap());
    let report = DroppedReport::new(&config, &client);
    (stub, report)
}

#[tokio::test]
async fn the_pipelines_of_the_index_are_named() {
    for (settings, expected) in [
        (r#"{"default_pipeline":"a"}"#, "a"),
        (r#"{"default_pipeline":"a","final_pipeline":"b"}"#, "a, b"),
        (r#"{"default_pipeline":"_none","final_pipeline":"b"}"#, "b"),
        ("{}", "unknown"),
        ("", "unknown"),
    ] {
        let (_stub, report) = report(settings).await;
        assert_eq!(report.pipelines("x-000001").await, expected, "{settings}");
    }
}

#[tokio::test]
async fn one_line_speaks_of_all_that_were_dropped_since_the_last() {
    let (stub, report) = report("{}").await;
    let mut progress = Progress::default();
    report.report(&progress).await;
    assert!(stub.requests().is_empty(), "nothing was dropped");
    progress.counts.dropped = 3;
    progress.dropped_by = Some("x-000001".into());
    for _ in 0..5 {
        report.report(&progress).await;
    }
    assert_eq!(stub.requests().len(), 1, "the others are within a minute");
    let now = Instant::now();
    assert_eq!(report.lines.take(0, now), None);
    assert_eq!(report.lines.take(3, now + Duration::from_secs(60)), Some(15));
}

/// An ingest pipeline drops every second document; Elasticsearch answers those 200, with the result `noop`.
#[tokio::test]
async fn what_is_dropped_is_settled_and_counts_as_dropped() {
    let stub = Stub::start(|received| match received.is_bulk() {
        true => items([201, 200, 201, 200]),
        false => Reply::Answer(200, "{}".to_owned()),
    })
    .await;
    let service = service(&config(&stub.url()));
    let delivered = service.bulk.deliver(&batch_of(&["a", "b", "c", "d"])).await;
    assert_eq!((delivered.indexed, delivered.duplicates, delivered.refused.len()), (2, 0, 0));
    assert_eq!(stub.bulk_requests().len(), 1, "nothing is sent again");
    let documents = |outcome| service.metrics.documents.with_label_values(&[outcome]).get();
    assert_eq!((documents("indexed"), documents("dropped")), (2, 2));
    assert_eq!(service.metrics.bulk.requests.with_label_values(&["ok"]).get(), 1);
    let settings = |received: &&Received| received.line.starts_with("GET /cxone-events/_settings");
    assert_eq!(stub.requests().iter().filter(settings).count(), 1, "its pipelines are named in the log");
}
