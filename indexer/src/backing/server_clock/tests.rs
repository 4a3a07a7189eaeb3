use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use service::admin::Readiness;

use super::*;
use crate::bulk::tests::config;
use crate::bulk::tests::stub::{Reply, Stub, failure};

const MINUTE: i64 = 60_000;

/// Returns a stub whose clock is ahead of this host's by the milliseconds in `ahead`.
async fn server(ahead: Arc<AtomicI64>) -> Stub {
    Stub::start(move |received| {
        assert!(received.line.starts_with("GET /_nodes/_local/stats/os?"), "{}", received.line);
        let timestamp = now_millis() + ahead.load(Ordering::Relaxed);
        Reply::Answer(200, format!(r#"{{"nodes":{{"a":{{"timestamp":{timestamp}}}}}}}"#))
    })
    .await
}

fn clock(stub: &Stub) -> (ServerClock, Arc<Readiness>) {
    let readiness = Readiness::new();
    (ServerClock::new(&config(&stub.url()), readiness.condition("clock")).unwrap(), readiness)
}

async fn settles(clock: &ServerClock, time: i64) -> bool {
    tokio::time::timeout(Duration::from_millis(300), clock.settle(time)).await.is_ok()
}

#[tokio::test]
async fn records_wait_while_this_hosts_clock_is_behind() {
    let ahead = Arc::new(AtomicI64::new(5 * MINUTE));
    let stub = server(Arc::clone(&ahead)).await;
    let (clock, readiness) = clock(&stub);
    let fresh = now_millis() + 5 * MINUTE;
    assert!(!clock.confirms(fresh), "nothing is compared yet");
    assert!(!settles(&clock, fresh).await && !clock.confirms(fresh));
    assert!(readiness.unmet()[0].1.contains("behind"), "{:?}", readiness.unmet());
    // A record that is from the future by both clocks is at fault meanwhile.
    let future = now_millis() + 60 * MINUTE;
    assert!(settles(&clock, future).await && clock.confirms(future) && !clock.confirms(fresh));
    assert!(!readiness.unmet().is_empty(), "the clock is still behind");

    // Once the clock is right, the record is not ahead any more.
    ahead.store(0, Ordering::Relaxed);
    assert!(settles(&clock, now_millis()).await);
    assert!(readiness.unmet().is_empty());
}

#[tokio::test]
async fn a_record_from_the_future_is_at_fault_if_the_clocks_agree_or_the_server_does_not_say() {
    let future = now_millis() + 60 * MINUTE;
    let agreeing = server(Arc::default()).await;
    let silent = Stub::start(|_| failure(403, "security_exception")).await;
    for stub in [agreeing, silent] {
        let (clock, readiness) = clock(&stub);
        assert!(settles(&clock, future).await && clock.confirms(future));
        assert!(readiness.unmet().is_empty());
    }
    let down = Stub::start(|_| Reply::Answer(503, "<html>bad gateway</html>".to_owned())).await;
    let (clock, _readiness) = clock(&down);
    assert!(!settles(&clock, future).await && !clock.confirms(future), "it is asked again");
}
