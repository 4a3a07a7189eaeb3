//! Tests refusals that may be the fault of the document or of the index. Real servers cannot be made to give these
//! answers for chosen documents.

use super::*;
use crate::bulk::SetAside;

fn refused(status: u16, error_type: &str) -> String {
    format!(r#"{{"create":{{"status":{status},"error":{{"type":"{error_type}","reason":"why"}}}}}}"#)
}

/// Creates an answer that refuses the documents for which `is_refused` is true.
fn some(received: &Received, status: u16, error_type: &str, is_refused: impl Fn(&str) -> bool) -> Reply {
    let written = r#"{"create":{"status":201}}"#.to_owned();
    let answer = |document: &&str| if is_refused(document) { refused(status, error_type) } else { written.clone() };
    let items: Vec<String> = received.documents().iter().map(answer).collect();
    Reply::Answer(200, format!(r#"{{"items":[{}]}}"#, items.join(",")))
}

fn set_aside(delivered: &Delivered) -> Vec<(usize, u16, &str)> {
    let set_aside = |set_aside: &SetAside| (set_aside.item, set_aside.refusal.status);
    delivered
        .set_aside
        .iter()
        .map(|one| (set_aside(one).0, set_aside(one).1, one.refusal.error_type.as_str()))
        .collect()
}

#[tokio::test]
async fn a_document_refused_beside_accepted_ones_is_set_aside() {
    let stub =
        Stub::start(|received| some(received, 400, "odd_exception", |document| document.contains("\"3\""))).await;
    let delivered = service(&config(&stub.url())).bulk.deliver(&numbered(5)).await;
    assert_eq!((delivered.indexed, delivered.refused.len()), (4, 0));
    assert_eq!(set_aside(&delivered), [(3, 400, "odd_exception")]);
    assert_eq!(stub.bulk_requests().len(), 1);
}

#[tokio::test]
async fn a_server_error_sets_a_document_aside_at_the_second_attempt() {
    let stub =
        Stub::start(|received| some(received, 500, "fail_processor_exception", |document| document.contains("\"3\"")))
            .await;
    let service = service(&config(&stub.url()));
    let delivered = service.bulk.deliver(&numbered(5)).await;
    assert_eq!((delivered.indexed, delivered.refused.len()), (4, 0));
    assert_eq!(set_aside(&delivered), [(3, 500, "fail_processor_exception")]);
    assert_eq!(stub.bulk_requests().len(), 2);
}

/// For example, the processor `inference` of an ingest pipeline needs longer than its time-out for one document.
#[tokio::test]
async fn a_document_that_takes_too_long_is_set_aside_at_the_second_attempt() {
    let stub =
        Stub::start(|received| some(received, 408, "status_exception", |document| document.contains("\"3\""))).await;
    let delivered = service(&config(&stub.url())).bulk.deliver(&numbered(5)).await;
    assert_eq!((delivered.indexed, delivered.refused.len()), (4, 0));
    assert_eq!(set_aside(&delivered), [(3, 408, "status_exception")]);
    assert_eq!(stub.bulk_requests().len(), 2);
}

/// For example, a firewall may object to one document.
#[tokio::test]
async fn a_document_that_gets_its_request_refused_is_found_by_halving() {
    let stub = Stub::start(|received| match received.body.contains("\"77\"") {
        true => Reply::Answer(403, "<html>blocked by policy</html>".to_owned()),
        false => all_written(received),
    })
    .await;
    let delivered = service(&config(&stub.url())).bulk.deliver(&numbered(500)).await;
    assert_eq!((delivered.indexed, delivered.refused.len()), (499, 0));
    assert_eq!(set_aside(&delivered), [(77, 403, "none")]);
    assert!(stub.bulk_requests().len() < 30, "it halves and does not try one by one");
}

#[tokio::test]
async fn a_document_that_elasticsearch_fails_at_is_found_by_halving() {
    let stub = Stub::start(|received| match received.body.contains("\"77\"") {
        true => failure(500, "null_pointer_exception"),
        false => all_written(received),
    })
    .await;
    let delivered = service(&config(&stub.url())).bulk.deliver(&numbered(100)).await;
    assert_eq!((delivered.indexed, delivered.refused.len()), (99, 0));
    assert_eq!(set_aside(&delivered), [(77, 500, "null_pointer_exception")]);
}

#[tokio::test]
async fn documents_that_fail_a_whole_request_are_found_by_halving() {
    let stub = Stub::start(|received| match received.body.contains("\"7\"") || received.body.contains("\"300\"") {
        true => failure(400, "x_content_parse_exception"),
        false => all_written(received),
    })
    .await;
    let delivered = service(&config(&stub.url())).bulk.deliver(&numbered(500)).await;
    assert_eq!((delivered.indexed, delivered.refused.len()), (498, 0));
    let refused = |item| (item, 400, "x_content_parse_exception");
    assert_eq!(set_aside(&delivered), [refused(7), refused(300)]);
    assert!(stub.bulk_requests().len() < 50, "it halves and does not try one by one");
}

/// For example, an ingress may not find Elasticsearch, or changes the body of every request.
#[tokio::test]
async fn if_every_request_is_refused_no_document_is_set_aside() {
    let unparsed = r#"{"error":{"type":"x_content_parse_exception","reason":"why"},"status":400}"#;
    for (status, body) in [(403, "<html>no such backend</html>"), (404, "<html></html>"), (400, unparsed)] {
        let mut refusals = 0;
        let stub = Stub::start(move |received| {
            refusals += 1;
            if refusals < 1_000 { Reply::Answer(status, body.to_owned()) } else { all_written(received) }
        })
        .await;
        let service = service(&config(&stub.url()));
        let batch = numbered(500);
        let mut pause = service.bulk.pause();
        let watched = async {
            pause.wait_for(Option::is_some).await.unwrap();
            assert!(stub.bulk_requests().len() < 30, "it is not tried one by one");
        };
        let delivering = service.bulk.deliver(&batch);
        tokio::pin!(delivering);
        tokio::select! {
            () = watched => {}
            delivered = &mut delivering => panic!("{delivered:?}"),
        }
    }
}

/// For example, a proxy has a limit that is wrong. No document is at fault for being larger than that.
#[tokio::test(start_paused = true)]
async fn a_limit_of_a_proxy_that_small_documents_exceed_makes_no_dead_letters() {
    let stub = Stub::start(|received| match received.body.contains("\"77\"") {
        true => Reply::Answer(413, String::new()),
        false => all_written(received),
    })
    .await;
    let delivered = service(&config(&stub.url())).bulk.deliver(&numbered(100)).await;
    assert_eq!((delivered.indexed, delivered.refused.len()), (99, 0));
    assert_eq!(set_aside(&delivered), [(77, 413, "content_too_large")]);

    let mut refusals = 0;
    let stub = Stub::start(move |received| {
        refusals += 1;
        if refusals <= 20 { Reply::Answer(413, String::new()) } else { all_written(received) }
    })
    .await;
    let service = service(&config(&stub.url()));
    let batch = numbered(100);
    let mut pause = service.bulk.pause();
    let watched = async {
        pause.wait_for(Option::is_some).await.unwrap();
        assert_eq!(service.metrics.bulk.blocked.of("refused").get(), 1);
        assert!(stub.bulk_requests().len() < 20, "it is not tried one by one");
    };
    let (delivered, ()) = tokio::join!(service.bulk.deliver(&batch), watched);
    assert_eq!((delivered.indexed + delivered.set_aside.len() as u64, delivered.refused.len()), (100, 0));
}

/// For example, a full shard refuses every document until a rollover.
#[tokio::test]
async fn an_index_that_refuses_all_blocks_until_it_accepts_again() {
    let mut refusals = 0;
    let stub = Stub::start(move |received| {
        refusals += 1;
        some(received, 400, "illegal_argument_exception", |_| refusals <= 2)
    })
    .await;
    let service = service(&config(&stub.url()));
    let batch = numbered(500);
    let mut pause = service.bulk.pause();
    let watched = async {
        pause.wait_for(Option::is_some).await.unwrap();
        assert_eq!(service.metrics.bulk.blocked.of("refused").get(), 1);
        let unmet = service.readiness.unmet().into_iter().find(|(name, _)| *name == "elasticsearch").unwrap().1;
        assert!(unmet.contains("illegal_argument_exception") && unmet.contains("cxone-events"), "{unmet}");
        pause.wait_for(Option::is_none).await.unwrap();
    };
    let (delivered, ()) = tokio::join!(service.bulk.deliver(&batch), watched);
    assert_eq!((delivered.indexed, delivered.refused.len(), delivered.set_aside.len()), (500, 0, 0));
    let sizes: Vec<usize> = stub.bulk_requests().iter().map(|request| request.documents().len()).collect();
    assert_eq!(sizes, [500, 10, 10, 490], "probes are small");
}

#[tokio::test]
async fn if_bodies_may_not_name_an_index_each_request_is_for_one_index() {
    let stub = Stub::start(|received| match received.body.contains("_index") {
        true => failure(400, "illegal_argument_exception"),
        false => all_written(received),
    })
    .await;
    let service = service(&config(&stub.url()));
    let mut batch = batch_of(&["a", "b", "c", "d"]);
    let named: Vec<u8> = String::from_utf8(batch.body.to_vec())
        .unwrap()
        .replace("{\"_id\":\"b", "{\"_index\":\"other\",\"_id\":\"b")
        .into();
    let extra = named.len() - batch.body.len();
    batch.body = named.into();
    batch.items[1].target = 1;
    batch.items[1].body.end += extra;
    for item in &mut batch.items[2..] {
        item.body = item.body.start + extra..item.body.end + extra;
    }
    batch.targets.push(Target { index: "other".into(), route: Route::default(), look_up: false, age: Age::Previous });
    for requests in [3, 5] {
        assert_eq!(service.bulk.deliver(&batch).await.indexed, 4);
        assert_eq!(stub.bulk_requests().len(), requests, "a refused one is tried once");
    }
    let lines: Vec<String> = stub.bulk_requests().into_iter().map(|request| request.line).collect();
    let to = |index: &str| lines.iter().filter(|line| line.starts_with(&format!("POST /{index}/_bulk?"))).count();
    assert_eq!((to("cxone-events"), to("other")), (3, 2), "{lines:?}");
    assert!(lines.iter().all(|line| line.contains("timeout=25000ms")), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn a_document_in_its_own_batch_keeps_its_record_and_lines() {
    let mut batch = batch_of(&["a", "b"]);
    batch.raw = bytes::Bytes::from_static(b"-keyvaluehead");
    batch.items[1].origin.key = Some(1..4);
    batch.items[1].origin.value = 4..9;
    batch.items[1].origin.headers = 9..13;
    let alone = batch.only(1, "other".into());
    assert_eq!(&alone.body[..], b"{\"create\":{\"_id\":\"b\"}}\n{\"name\":\"b\"}\n");
    assert_eq!((&alone.raw[..], &*alone.targets[0].index), (&b"keyheadvalue"[..], "other"));
    let origin = &alone.items[0].origin;
    assert_eq!((origin.key.clone(), origin.headers.clone(), origin.value.clone()), (Some(0..3), 3..7, 7..12));
}

/// For example, a server crashes at a document, or a proxy drops it. A real server cannot be made to do so for one
/// document.
#[tokio::test]
async fn a_document_that_makes_whole_requests_fail_is_found() {
    for (fail, error_type) in [
        ((|| Reply::Break) as fn() -> Reply, "connection"),
        (|| Reply::Silence, "timed_out"),
        (|| Reply::Answer(503, "<html>bad backend</html>".to_owned()), "server_error"),
        (|| Reply::Answer(200, "<html>welcome</html>".to_owned()), "unreadable"),
    ] {
        let stub = Stub::start(move |received| match received.body.contains("\"77\"") {
            true => fail(),
            false => all_written(received),
        })
        .await;
        let mut config = config(&stub.url());
        config.elasticsearch.request_timeout = Duration::from_millis(100);
        let delivered = service(&config).bulk.deliver(&numbered(100)).await;
        assert_eq!((delivered.indexed, delivered.refused.len()), (99, 0));
        assert_eq!(set_aside(&delivered), [(77, 0, error_type)]);
        assert!(stub.bulk_requests().len() < 60, "{}", stub.bulk_requests().len());
    }
}

/// In an outage nothing is accepted, so nothing is halved, except for small probes.
#[tokio::test(start_paused = true)]
async fn in_an_outage_nothing_is_halved_or_set_aside() {
    const OUTAGE: usize = 300;
    let mut requests = 0;
    let stub = Stub::start(move |received| {
        requests += 1;
        match requests <= OUTAGE {
            true => Reply::Answer(503, "<html>bad gateway</html>".to_owned()),
            false => all_written(received),
        }
    })
    .await;
    let service = service(&config(&stub.url()));
    let delivered = service.bulk.deliver(&numbered(500)).await;
    assert_eq!((delivered.indexed, delivered.set_aside.len()), (500, 0));
    let sizes: Vec<usize> = stub.bulk_requests().iter().map(|request| request.documents().len()).collect();
    assert_eq!(sizes[OUTAGE..], [1, 499], "after a probe all others go in one request: {sizes:?}");
}

/// One of two nodes is faulty and refuses everything, while the other accepts documents.
#[tokio::test(start_paused = true)]
async fn a_document_refused_like_its_witness_stays_undecided() {
    let stub = Stub::start(|received| {
        if received.line.contains("/_mget") {
            return Reply::Answer(200, r#"{"docs":[{"found":true}]}"#.to_owned());
        }
        let has_witness = received.documents().len() == 2;
        some(received, 500, "odd_exception", |document| has_witness || document.contains("\"bad\""))
    })
    .await;
    let bulk = service(&config(&stub.url())).bulk;
    assert_eq!(bulk.deliver(&batch_of(&["witness"])).await.indexed, 1);
    let batch = batch_of(&["bad"]);
    let delivered = bulk.deliver(&batch).await;
    assert_eq!(set_aside(&delivered), [(0, 500, "odd_exception")]);
    let mut lone = bulk.single_out(&batch, &delivered.set_aside[0]).await;
    let others = async {
        for number in 0..100 {
            assert_eq!(bulk.deliver(&batch_of(&[format!("other-{number}")])).await.indexed, 1);
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    tokio::select! {
        delivered = bulk.decide(&mut lone) => panic!("{delivered:?}"),
        () = others => {}
    }
    let attempts = stub.bulk_requests().iter().filter(|request| request.documents().len() == 2).count();
    assert!(attempts > 5, "{attempts}");
}

/// Returns the verdict on the document "bad", after a witness and without other documents.
async fn decided(bulk: &Bulk) -> Delivered {
    assert_eq!(bulk.deliver(&batch_of(&["witness"])).await.indexed, 1);
    let batch = batch_of(&["bad"]);
    let delivered = bulk.deliver(&batch).await;
    let mut lone = bulk.single_out(&batch, &delivered.set_aside[0]).await;
    bulk.decide(&mut lone).await
}

#[tokio::test(start_paused = true)]
async fn a_document_too_large_only_with_its_witness_is_sent_without_it() {
    let mut failures = 0;
    let stub = Stub::start(move |received| {
        if received.line.contains("/_mget") {
            return Reply::Answer(200, r#"{"docs":[{"found":true}]}"#.to_owned());
        }
        if received.documents().len() == 2 {
            return Reply::Answer(413, String::new());
        }
        failures += usize::from(received.body.contains("\"bad\""));
        some(received, 500, "odd_exception", |document| failures < 4 && document.contains("\"bad\""))
    })
    .await;
    let delivered = decided(&service(&config(&stub.url())).bulk).await;
    assert_eq!((delivered.indexed, delivered.refused.len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn if_a_request_is_refused_as_a_whole_the_witness_is_sent_separately() {
    let stub = Stub::start(|received| match received.body.contains("\"name\":\"bad\"") {
        true => Reply::Answer(403, "<html>blocked by policy</html>".to_owned()),
        false if received.is_bulk() => all_written(received),
        false => Reply::Answer(200, r#"{"docs":[{"found":true}]}"#.to_owned()),
    })
    .await;
    let delivered = decided(&service(&config(&stub.url())).bulk).await;
    assert_eq!((delivered.indexed, delivered.refused[0].status), (0, 403));
}

/// Lucene takes no more documents in one shard than 2³¹ - 129, which no test can write. The other shards go on.
#[tokio::test(start_paused = true)]
async fn a_document_of_a_full_shard_is_not_at_fault() {
    const FULL: u64 = (1 << 31) - 129;
    let stub = Stub::start(|received| {
        if received.line.contains("/_stats/docs") {
            let full = format!(r#"[{{"docs":{{"count":{FULL}}}}}]"#);
            let shards = format!(r#"{{"0":[{{"docs":{{"count":7}}}}],"1":{full}}}"#);
            return Reply::Answer(200, format!(r#"{{"indices":{{"cxone-events":{{"shards":{shards}}}}}}}"#));
        }
        some(received, 400, "illegal_argument_exception", |document| document.contains("\"bad\""))
    })
    .await;
    let bulk = service(&config(&stub.url())).bulk;
    let batch = batch_of(&["bad"]);
    let delivered = bulk.deliver(&batch).await;
    assert_eq!(set_aside(&delivered), [(0, 400, "illegal_argument_exception")]);
    let mut lone = bulk.single_out(&batch, &delivered.set_aside[0]).await;
    let others = async {
        for number in 0..100 {
            assert_eq!(bulk.deliver(&batch_of(&[format!("other-{number}")])).await.indexed, 1);
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    tokio::select! {
        delivered = bulk.decide(&mut lone) => panic!("{delivered:?}"),
        () = others => {}
    }
    assert!(stub.requests().iter().any(|request| request.line.contains("/_stats/docs")), "the shards are looked at");
}

#[tokio::test(start_paused = true)]
async fn a_doubtful_document_is_tried_while_all_places_are_taken() {
    let stub = Stub::start(|received| match received.line.contains("/_mget") {
        true => Reply::Answer(200, r#"{"docs":[{"found":true}]}"#.to_owned()),
        false if received.body.contains("\"slow\"") => Reply::Silence,
        false => some(received, 500, "odd_exception", |document| document.contains("\"bad\"")),
    })
    .await;
    let mut config = config(&stub.url());
    config.indexer.max_in_flight_requests = 1;
    config.elasticsearch.request_timeout = Duration::from_secs(100_000);
    let bulk = service(&config).bulk;
    assert_eq!(bulk.deliver(&batch_of(&["witness"])).await.indexed, 1);
    let batch = batch_of(&["bad"]);
    let delivered = bulk.deliver(&batch).await;
    let mut lone = bulk.single_out(&batch, &delivered.set_aside[0]).await;
    let slow = batch_of(&["slow"]);
    let decided = async {
        while !stub.bulk_requests().iter().any(|request| request.body.contains("\"slow\"")) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::timeout(Duration::from_secs(10_000), bulk.decide(&mut lone)).await
    };
    tokio::select! {
        delivered = bulk.deliver(&slow) => panic!("{delivered:?}"),
        decided = decided => assert_eq!(decided.expect("it waits for a place").refused[0].status, 500),
    }
}
