use super::*;
use crate::bulk::tests::stub::{Reply, Stub};
use crate::bulk::tests::{batch_of, config};

#[tokio::test]
async fn documents_are_compared_and_nothing_is_written() {
    let stub = Stub::start(|received| {
        if received.line.contains("/_search?") {
            return Reply::Answer(200, "{}".to_owned());
        }
        let there = r#"{"_id":"a","_version":1,"found":true,"_source":{"name":"a"}}"#;
        let other = r#"{"_id":"b","_version":1,"found":true,"_source":{"name":"another"}}"#;
        match received.line.contains("/_mget") {
            true if received.body.contains("\"a\"") => {
                Reply::Answer(200, format!(r#"{{"docs":[{there},{other},{{"_id":"c","found":false}}]}}"#))
            }
            true => Reply::Answer(200, r#"{"docs":[{"_id":"c","found":false}]}"#.to_owned()),
            false => Reply::Answer(200, r#"{"cxone-events":{}}"#.to_owned()),
        }
    })
    .await;
    let dry_run = DryRun::new(&config(&stub.url())).unwrap();
    dry_run.compare(&batch_of(&["a", "b", "c"])).await;
    let counts = [&dry_run.same, &dry_run.conflicts, &dry_run.new, &dry_run.undecodable];
    assert_eq!(counts.map(|count| count.load(Ordering::Relaxed)), [1, 1, 1, 0]);
    assert!(stub.bulk_requests().is_empty());
}

#[tokio::test]
async fn a_dry_run_retries_until_elasticsearch_answers() {
    let mut failures = 2;
    let stub = Stub::start(move |received| {
        if failures > 0 {
            failures -= 1;
            return Reply::Answer(503, String::new());
        }
        match received.line.contains("/_search?") {
            true => Reply::Answer(200, "{}".to_owned()),
            false => Reply::Answer(200, r#"{"docs":[{"_id":"a","found":false}]}"#.to_owned()),
        }
    })
    .await;
    let dry_run = DryRun::new(&config(&stub.url())).unwrap();
    dry_run.compare(&batch_of(&["a"])).await;
    assert_eq!(dry_run.new.load(Ordering::Relaxed), 1);
}
