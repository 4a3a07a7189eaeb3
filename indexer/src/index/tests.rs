use prometheus::Registry;
use shared::admin::Readiness;

use super::*;
use crate::bulk::Bulk;
use crate::bulk::tests::config;
use crate::bulk::tests::stub::{Received, Reply, Stub, failure};
use crate::metrics::Metrics;

fn service(url: &str) -> (Bulk, Arc<Readiness>) {
    let readiness = Readiness::new();
    let bulk = Bulk::new(&config(url), Metrics::new(&Registry::new()).unwrap(), &readiness).unwrap();
    (bulk, readiness)
}

/// Answers HEAD, the template and the index, each with what is given for it.
fn script(head: Reply, mut template: Option<Reply>, mut index: Option<Reply>) -> impl FnMut(&Received) -> Reply + Send {
    let mut head = Some(head);
    move |received| {
        let reply = match received.line.as_str() {
            line if line.starts_with("HEAD ") => head.take(),
            line if line.starts_with("PUT /_index_template/") => template.take(),
            _ => index.take(),
        };
        reply.unwrap_or(Reply::Answer(200, "{}".to_owned()))
    }
}

fn missing() -> Reply {
    Reply::Answer(404, String::new())
}

fn lines(stub: &Stub) -> Vec<String> {
    stub.requests().into_iter().map(|request| request.line.trim_end_matches(" http/1.1").to_owned()).collect()
}

#[tokio::test]
async fn an_index_that_exists_is_left_as_it_is() {
    let stub = Stub::start(script(Reply::Answer(200, String::new()), None, None)).await;
    let (bulk, readiness) = service(&stub.url());
    assert!(!readiness.is_ready());
    bulk.ensure_index().await;
    assert!(readiness.is_ready(), "{:?}", readiness.unmet());
    assert_eq!(lines(&stub), ["HEAD /cxone-events"]);
}

#[tokio::test]
async fn a_missing_index_is_made_with_its_mapping_and_a_template_of_its_name() {
    let stub = Stub::start(script(missing(), None, None)).await;
    service(&stub.url()).0.ensure_index().await;
    let template = "PUT /_index_template/penstock-cxone-events?create=true";
    assert_eq!(lines(&stub), ["HEAD /cxone-events", template, "PUT /cxone-events"]);
    for request in &stub.requests()[1..] {
        assert!(request.body.contains(&mapping::mapping().to_string()), "{}", request.body);
    }
}

#[tokio::test]
async fn by_default_a_backing_index_is_made_behind_the_write_alias() {
    let stub =
        Stub::start(
            |received: &Received| {
                if received.line.starts_with("HEAD ") { missing() } else { Reply::Answer(200, "{}".to_owned()) }
            },
        )
        .await;
    let mut config = config(&stub.url());
    config.elasticsearch.strategy = Strategy::Rollover;
    let bulk = Bulk::new(&config, Metrics::new(&Registry::new()).unwrap(), &Readiness::new()).unwrap();
    bulk.ensure_index().await;
    let template = "PUT /_index_template/penstock-cxone-events?create=true";
    let expected = ["HEAD /_alias/cxone-events", "HEAD /cxone-events", template, "PUT /cxone-events-000001"];
    assert_eq!(lines(&stub), expected);
    assert!(stub.requests()[2].body.contains(r#""index_patterns":["cxone-events-*"]"#));
    assert!(stub.requests()[3].body.contains(r#""aliases":{"cxone-events":{"is_write_index":true}}"#));
}

#[tokio::test]
async fn ten_indexers_may_make_it_at_the_same_time() {
    let exists = failure(400, "resource_already_exists_exception");
    let stub = Stub::start(script(missing(), Some(failure(400, "illegal_argument_exception")), Some(exists))).await;
    let (bulk, readiness) = service(&stub.url());
    bulk.ensure_index().await;
    assert!(readiness.is_ready());
}

#[tokio::test]
async fn whoever_may_only_write_is_let_through() {
    let denied = || failure(403, "security_exception");
    let stub = Stub::start(script(Reply::Answer(403, String::new()), Some(denied()), Some(denied()))).await;
    let (bulk, readiness) = service(&stub.url());
    bulk.ensure_index().await;
    assert!(readiness.is_ready());
    assert_eq!(stub.requests().len(), 3);
}

#[tokio::test]
async fn whatever_else_goes_wrong_is_tried_again() {
    let mut answers = vec![
        missing(),
        failure(403, "cluster_block_exception"),
        failure(503, "cluster_block_exception"),
        missing(),
        Reply::Answer(200, "{}".to_owned()),
        failure(403, "cluster_block_exception"),
        failure(401, "security_exception"),
        Reply::Answer(200, String::new()),
    ]
    .into_iter();
    let stub = Stub::start(move |_| answers.next().unwrap()).await;
    let (bulk, readiness) = service(&stub.url());
    bulk.ensure_index().await;
    assert!(readiness.is_ready());
    assert_eq!(stub.requests().len(), 8);
}

#[test]
fn names_that_elasticsearch_refuses_are_refused() {
    for name in ["cxone-events", "a", "events.2026_01", "+b".trim_start_matches('+'), "ключ"] {
        assert!(check_name(name).is_ok(), "{name}");
    }
    let long = "x".repeat(256);
    for name in
        ["", "Events", "-a", "_a", "+a", ".", "..", "a/b", "a*", "a b", "a,b", "a#b", "a:b", "a?b", "<a>", &long]
    {
        assert!(check_name(name).is_err(), "{name}");
    }
}
