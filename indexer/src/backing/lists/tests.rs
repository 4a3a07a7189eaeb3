use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::bulk::tests::config;
use crate::bulk::tests::stub::{Received, Reply, Stub, failure};

mod barrier;
mod figures;

const TOPICS: usize = 64;

fn list(names: &[&str]) -> Value {
    let index = |name: &&str| {
        let alias = json!({ *name: { "is_write_index": true } });
        (format!("{name}-000001"), json!({"aliases": alias, "settings": {"index": {"creation_date": "1"}}}))
    };
    Value::Object(names.iter().map(index).collect())
}

/// Answers for each alias of the path, except for `missing`.
fn answer(received: &Received, missing: &str) -> Reply {
    let path = received.line.split(['/', '?']).nth(1).unwrap();
    let names: Vec<&str> = path.split(',').collect();
    match path {
        "_cluster" => Reply::Answer(200, "{}".to_owned()),
        _ if names.contains(&missing) => failure(404, "index_not_found_exception"),
        _ => Reply::Answer(200, list(&names).to_string()),
    }
}

async fn read_all(lists: &Arc<Lists>) -> Vec<Result<Listed, ReadError>> {
    let reads = (0..TOPICS).map(|topic| {
        let lists = Arc::clone(lists);
        async move { lists.read(&format!("topic-{topic}"), Strategy::Rollover, false).await }
    });
    futures::future::join_all(reads).await
}

fn lists(stub: &Stub) -> Arc<Lists> {
    Arc::new(Lists::new(Arc::new(Client::new(&config(&stub.url()).elasticsearch).unwrap())))
}

#[tokio::test]
async fn simultaneous_requests_of_all_topics_are_combined() {
    let stub = Stub::start(|received| answer(received, "nothing")).await;
    let all = read_all(&lists(&stub)).await;
    for (topic, listed) in all.into_iter().enumerate() {
        let found = listed.unwrap().found;
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].name.clone(), found[0].is_write), (format!("topic-{topic}-000001"), true));
    }
    let requests = stub.requests().len();
    eprintln!("{TOPICS} topics: {requests} requests, barrier included");
    // The first cache asks immediately, and all others together after it.
    assert_eq!(requests, 4);
}

#[tokio::test]
async fn a_missing_alias_does_not_affect_the_others() {
    let stub = Stub::start(|received| answer(received, "topic-7")).await;
    for (topic, listed) in read_all(&lists(&stub)).await.into_iter().enumerate() {
        match topic {
            7 => assert!(matches!(listed, Err(ReadError::Missing)), "{listed:?}"),
            _ => assert_eq!(listed.unwrap().found.len(), 1),
        }
    }
}

#[tokio::test]
async fn a_task_stopped_while_asking_does_not_delay_others() {
    let mut is_first = true;
    let stub = Stub::start(move |received| match std::mem::take(&mut is_first) {
        true => Reply::Silence,
        false => answer(received, "nothing"),
    })
    .await;
    let lists = lists(&stub);
    let first = tokio::spawn({
        let lists = Arc::clone(&lists);
        async move { lists.read("a", Strategy::Rollover, false).await }
    });
    while stub.requests().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let second = tokio::spawn(async move { lists.read("b", Strategy::Rollover, false).await });
    first.abort();
    assert_eq!(second.await.unwrap().unwrap().found[0].name, "b-000001");
}

#[test]
fn names_that_do_not_fit_into_one_path_are_divided() {
    let ask = |_| Ask {
        name: "x".repeat(250),
        strategy: Strategy::Rollover,
        is_opensearch: false,
        answer: oneshot::channel().0,
    };
    let chunks = chunks((0..30).map(ask).collect());
    assert_eq!(chunks.iter().map(Vec::len).collect::<Vec<_>>(), [11, 11, 8]);
}
