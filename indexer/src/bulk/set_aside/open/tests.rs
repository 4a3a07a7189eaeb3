use kafka::position::{Offset, Partition};
use service::admin::Readiness;
use service::metrics::Registry;

use super::*;
use crate::metrics::Metrics;

const DOCUMENT: Document = (Partition(0), Offset(7));

fn open(since: Instant) -> Open {
    let cause = Cause { status: 500, error_type: "odd_exception".to_owned() };
    Open { since, bytes: 10, index: "events".into(), cause }
}

#[tokio::test(start_paused = true)]
async fn readiness_reports_a_document_that_is_undecided_for_long() {
    let metrics = Metrics::new(&Registry::new()).unwrap();
    let readiness = Readiness::new();
    let documents = OpenDocuments::new("topic", readiness.condition("documents"), metrics.bulk.clone());
    documents.insert(DOCUMENT, open(now()));
    assert!(readiness.unmet().is_empty());
    assert_eq!(metrics.bulk.doubtful_documents.with_label_values(&["topic"]).get(), 1);
    assert_eq!(metrics.bulk.doubtful_bytes.with_label_values(&["topic"]).get(), 10);
    let since = now();
    tokio::time::advance(PATIENCE).await;
    documents.renew(DOCUMENT, since, &"others".into(), open(since).cause);
    let (_, reason) = readiness.unmet().remove(0);
    assert!(reason.contains("\"others\" answers 500 odd_exception"), "{reason}");
    documents.remove(DOCUMENT);
    assert!(readiness.unmet().is_empty());
    assert_eq!(metrics.bulk.doubtful_documents.with_label_values(&["topic"]).get(), 0);
}

#[test]
fn an_abandoned_document_is_not_renewed() {
    let metrics = Metrics::new(&Registry::new()).unwrap();
    let documents = OpenDocuments::new("topic", Readiness::new().condition("documents"), metrics.bulk.clone());
    documents.renew(DOCUMENT, Instant::now(), &"events".into(), open(Instant::now()).cause);
    assert!(documents.lock().is_empty());
}
