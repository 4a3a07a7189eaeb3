use service::metrics::Registry;

use super::*;
use crate::batch::Undecodable;
use crate::bulk::tests::stub::{Received, Reply, Stub};
use crate::bulk::tests::{batch_of, config, service};
use crate::metrics::Metrics;

/// Refuses only the documents named "bad".
fn some_are_bad(received: &Received) -> Reply {
    let answer = |document: &&str| match document.contains("bad") {
        true => r#"{"create":{"status":400,"error":{"type":"document_parsing_exception"}}}"#,
        false => r#"{"create":{"status":201}}"#,
    };
    let items: Vec<&str> = received.documents().iter().map(answer).collect();
    Reply::Answer(200, format!(r#"{{"items":[{}]}}"#, items.join(",")))
}

/// Returns a hold that tests whether it is over almost at once.
fn hold(config: &Config) -> Hold {
    let metrics = Metrics::new(&Registry::new()).unwrap();
    Hold { pauses: [Duration::from_millis(1); 2], ..Hold::new(config, metrics.fuse_blown.clone()) }
}

fn refused() -> Vec<Refused> {
    let (error_type, reason) = ("document_parsing_exception".to_owned(), String::new());
    vec![Refused { item: 0, status: 400, error_type, reason, attempts: 1 }]
}

#[tokio::test]
async fn a_faulty_document_does_not_prevent_the_fuse_from_closing() {
    let stub = Stub::start(some_are_bad).await;
    let mut config = config(&stub.url());
    config.indexer.fuse.max_consecutive = 1;
    let (service, hold) = (service(&config), hold(&config));
    assert!(hold.count(1, 1).is_some());
    let (bad, good) = (batch_of(&["bad"]), batch_of(&["good"]));
    let waiting =
        futures::future::join(hold.wait(&service.bulk, &bad, refused()), hold.wait(&service.bulk, &good, refused()));
    let (bad, good) = tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("the fuse closes");
    assert_eq!((bad.len(), good.len(), hold.is_blown()), (1, 0, false));
}

/// So that an index which refuses all documents still is not sent a whole batch each time.
#[tokio::test]
async fn whether_it_is_over_is_tried_with_a_few_documents() {
    let stub = Stub::start(some_are_bad).await;
    let mut config = config(&stub.url());
    config.indexer.fuse.max_consecutive = 1;
    let (service, hold) = (service(&config), hold(&config));
    assert!(hold.count(50, 50).is_some());
    let batch = batch_of(&(0..50).map(|number| number.to_string()).collect::<Vec<_>>());
    let refused: Vec<Refused> = (0..50).map(|item| Refused { item, ..refused().remove(0) }).collect();
    let waiting = hold.wait(&service.bulk, &batch, refused);
    let still = tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("the fuse closes");
    let sizes: Vec<usize> = stub.bulk_requests().iter().map(|request| request.documents().len()).collect();
    assert_eq!((still.len(), sizes), (0, vec![SAMPLE, 50]), "the rest goes once it is over");
}

/// Otherwise a topic of which each batch has a faulty record would stand forever.
#[tokio::test]
async fn a_batch_of_which_most_is_accepted_closes_the_fuse() {
    let stub = Stub::start(some_are_bad).await;
    let config = config(&stub.url());
    let (service, hold) = (service(&config), hold(&config));

    let batch = batch_of(&["bad", "good", "better"]);
    assert!(hold.count(5_000, 5_000).is_some());
    let waiting = hold.wait(&service.bulk, &batch, refused());
    let still = tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("the fuse closes");
    assert_eq!((still.len(), hold.is_blown()), (1, false), "only the faulty document is refused");

    let mut batch = batch_of(&["good", "better"]);
    let origin = batch.items[0].origin.clone();
    batch.undecodable.push(Undecodable { origin, schema: None, error_type: "not-framed", reason: String::new() });
    assert!(hold.count(5_000, 5_000).is_some());
    assert!(hold.wait(&service.bulk, &batch, Vec::new()).await.is_empty());
    assert!(!hold.is_blown(), "a record that is not Avro does not keep it open");
}

/// They were refused before, and now their shard fails for a while.
#[tokio::test]
async fn a_document_that_waits_for_its_index_survives_a_closing_fuse() {
    let mut failures = 8;
    let stub = Stub::start(move |received| {
        let answer = |document: &&str| match document.contains("stuck") && failures > 0 {
            true => {
                failures -= 1;
                r#"{"create":{"status":503,"error":{"type":"unavailable_shards_exception"}}}"#
            }
            false => r#"{"create":{"status":201}}"#,
        };
        let items: Vec<&str> = received.documents().iter().map(answer).collect();
        Reply::Answer(200, format!(r#"{{"items":[{}]}}"#, items.join(",")))
    })
    .await;
    let mut config = config(&stub.url());
    config.indexer.fuse.max_consecutive = 1;
    let (service, hold) = (service(&config), hold(&config));
    assert!(hold.count(2, 2).is_some());
    let refused: Vec<Refused> = (0..2).map(|item| Refused { item, ..refused().remove(0) }).collect();
    let batch = batch_of(&["good", "stuck"]);
    let waiting = hold.wait(&service.bulk, &batch, refused);
    let still = tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("the fuse closes");
    assert_eq!((still.len(), hold.is_blown()), (0, false));
}
