//! Several index sets of one topic: each has its own requests, and one that is blocked leaves the others alone.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::config::Routes;

const NAMES: [&str; 3] = ["cxone-events", "calls", "chats"];

fn routed(url: &str) -> Config {
    let mut config = config(url);
    let to = NAMES[1..].iter().map(|name| ((*name).to_owned(), (*name).to_owned())).collect();
    config.elasticsearch.routes = Some(Routes { field: "kind".to_owned(), to });
    config
}

/// A batch whose documents go to the index sets in turn.
fn in_turn(count: usize) -> Batch {
    let mut batch = numbered(count);
    batch.targets = (0..)
        .zip(NAMES)
        .map(|(number, name)| Target { index: name.into(), route: Route(number), look_up: false, age: Age::Current })
        .collect();
    for (number, item) in batch.items.iter_mut().enumerate() {
        item.target = u32::try_from(number % NAMES.len()).unwrap();
    }
    batch
}

fn to(received: &Received, name: &str) -> bool {
    received.line.starts_with(&format!("POST /{name}/_bulk?"))
}

fn numbers(requests: &[Received], name: &str) -> Vec<usize> {
    let of = requests.iter().filter(|received| to(received, name));
    of.flat_map(|received| received.documents().into_iter().map(number).collect::<Vec<_>>()).collect()
}

#[tokio::test]
async fn each_index_set_gets_its_own_documents_in_a_request_of_its_own() {
    let stub = Stub::start(all_written).await;
    let delivered = service(&routed(&stub.url())).bulk.deliver(&in_turn(8)).await;
    assert_eq!((delivered.indexed, delivered.refused.len()), (8, 0));
    let requests = stub.bulk_requests();
    assert_eq!(requests.len(), 3);
    let all: Vec<Vec<usize>> = NAMES.iter().map(|name| numbers(&requests, name)).collect();
    assert_eq!(all, [vec![0, 3, 6], vec![1, 4, 7], vec![2, 5]]);
    assert!(requests.iter().all(|received| !received.body.contains("_index")), "{requests:?}");
}

#[tokio::test]
async fn a_batch_of_one_index_set_is_one_request_with_the_batchs_bytes() {
    let stub = Stub::start(all_written).await;
    let mut batch = in_turn(4);
    batch.targets.remove(0);
    batch.items.iter_mut().for_each(|item| item.target = 0);
    service(&routed(&stub.url())).bulk.deliver(&batch).await;
    let requests = stub.bulk_requests();
    assert_eq!((requests.len(), requests[0].body.as_bytes()), (1, &batch.body[..]));
    assert!(to(&requests[0], "calls"), "{}", requests[0].line);
}

#[tokio::test]
async fn refused_documents_keep_their_number_in_the_whole_batch() {
    let refused =
        |error_type| format!(r#"{{"create":{{"status":400,"error":{{"type":"{error_type}","reason":"r"}}}}}}"#);
    let answer = move |document: &str| match number(document) {
        4 | 5 => refused("document_parsing_exception"),
        7 => refused("odd_exception"),
        _ => r#"{"create":{"status":201}}"#.to_owned(),
    };
    let stub = Stub::start(move |received| {
        let items: Vec<String> = received.documents().into_iter().map(&answer).collect();
        Reply::Answer(200, format!(r#"{{"items":[{}]}}"#, items.join(",")))
    })
    .await;
    let service = service(&routed(&stub.url()));
    let batch = in_turn(9);
    let delivered = service.bulk.deliver(&batch).await;
    assert_eq!(delivered.indexed, 6);
    let mut refused = indices(&delivered);
    refused.sort_unstable();
    assert_eq!(refused, [4, 5]);
    let set_aside: Vec<_> = delivered.set_aside.iter().map(|aside| (aside.item, &*aside.index)).collect();
    assert_eq!(set_aside, [(7, "calls")]);
    let lone = service.bulk.single_out(&batch, &delivered.set_aside[0]).await;
    let target = &lone.batch().targets[0];
    assert_eq!((&*target.index, target.route), ("calls", Route(1)));
}

#[tokio::test]
async fn a_blocked_index_set_holds_back_its_own_documents_alone() {
    let is_open = Arc::new(AtomicBool::new(false));
    let opened = Arc::clone(&is_open);
    let stub = Stub::start(move |received| {
        let is_blocked = to(received, "calls") && !opened.load(Ordering::Relaxed);
        items(received.documents().iter().map(|_| if is_blocked { 403 } else { 201 }))
    })
    .await;
    let service = service(&routed(&stub.url()));
    let (first, second) = (in_turn(6), in_turn(60));
    let blocked = service.metrics.bulk.blocked.of("index_block");
    let mut pauses: Vec<_> = service.bulk.sets.all().map(|rounds| rounds.limiter.pause()).collect();
    let watched = async {
        pauses[1].wait_for(Option::is_some).await.unwrap();
        assert_eq!(blocked.get(), 1);
        assert!(service.metrics.bulk.breaker_state.get() > 0, "that of the worst is shown");
        let unmet: Vec<String> = service.readiness.unmet().into_iter().map(|(name, _)| name).collect();
        assert!(unmet.contains(&"elasticsearch of calls".to_owned()), "{unmet:?}");
        assert!(!unmet.contains(&"elasticsearch".to_owned()), "{unmet:?}");
        // A later batch: what goes elsewhere is written while calls is blocked.
        while numbers(&stub.bulk_requests(), "chats").len() < 22 {
            tokio::task::yield_now().await;
        }
        assert!(pauses[0].borrow().is_none() && pauses[2].borrow().is_none());
        is_open.store(true, Ordering::Relaxed);
    };
    let both = async { tokio::join!(service.bulk.deliver(&first), service.bulk.deliver(&second)) };
    let ((one, other), ()) = tokio::join!(both, watched);
    assert_eq!((one.indexed, other.indexed), (6, 60));
    assert_eq!(blocked.get(), 0);
}

#[tokio::test]
async fn all_index_sets_share_the_limit_of_requests_in_flight() {
    let is_routed = |received: &Received| NAMES.iter().any(|name| to(received, name));
    let stub = Stub::start(move |received| if is_routed(received) { Reply::Silence } else { all_written(received) });
    let stub = stub.await;
    let sent = || stub.bulk_requests().iter().filter(|received| is_routed(received)).count();
    let mut config = routed(&stub.url());
    config.indexer.max_in_flight_requests = 2;
    let service = service(&config);
    let mut other = super::config(&stub.url());
    other.elasticsearch.index_name = "other".to_owned();
    let (other, mut elsewhere) = (super::service(&other), numbered(3));
    elsewhere.targets[0].index = "other".into();
    let batch = in_turn(9);
    let watched = async {
        while sent() < 2 {
            tokio::task::yield_now().await;
        }
        // In the time of these, a third one would come too.
        for _ in 0..20 {
            assert_eq!(other.bulk.deliver(&elsewhere).await.indexed, 3);
        }
    };
    tokio::select! {
        delivered = service.bulk.deliver(&batch) => panic!("nothing was answered: {delivered:?}"),
        () = watched => {}
    }
    assert_eq!(sent(), 2);
}
