use service::admin::Readiness;
use service::metrics::Registry;
use std::time::Duration;

use super::throttle::PROBE_ITEMS;
use super::*;
use crate::bulk::outcome::{BulkFailure, Trouble};
use crate::metrics::Metrics;

fn limiter(max_requests: usize, max_failures: u32) -> Limiter {
    let metrics = Metrics::new(&Registry::new()).unwrap().bulk;
    let condition = Readiness::new().condition("elasticsearch");
    Limiter::new(Aimd::new(max_requests, 1 << 20), Breaker::new(max_failures), condition, metrics)
}

fn failed() -> Health {
    Health::Failed(BulkFailure { trouble: Trouble::Connection, detail: "refused".to_owned() })
}

#[tokio::test(start_paused = true)]
async fn requests_are_permitted_in_the_order_of_arrival() {
    let limiter = limiter(1, 9);
    let order = Mutex::new(Vec::new());
    let visits = (0..10).map(|number| {
        let (limiter, order) = (&limiter, &order);
        async move {
            let permit = limiter.acquire().await;
            order.lock().unwrap().push(number);
            tokio::time::sleep(Duration::from_millis(1)).await;
            permit.report(1, Signal::Well, Health::Well);
        }
    });
    futures::future::join_all(visits).await;
    assert_eq!(*order.lock().unwrap(), (0..10).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_pause_permits_one_small_probe_whose_success_ends_it() {
    let limiter = limiter(8, 1);
    limiter.acquire().await.report(1, Signal::Nothing, failed());
    assert!(limiter.pause().borrow().is_some());
    let probe = limiter.acquire().await;
    assert_eq!(probe.budget().items, PROBE_ITEMS);
    let next = limiter.acquire();
    tokio::pin!(next);
    assert!(tokio::time::timeout(Duration::from_secs(600), &mut next).await.is_err(), "nobody goes beside the probe");
    probe.report(1, Signal::Well, Health::Well);
    assert_eq!(next.await.budget().items, usize::MAX);
    assert!(limiter.pause().borrow().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_dropped_probe_permits_another() {
    let limiter = limiter(8, 1);
    limiter.acquire().await.report(1, Signal::Nothing, failed());
    drop(limiter.acquire().await);
    assert_eq!(limiter.acquire().await.budget().items, PROBE_ITEMS);
}

#[tokio::test(start_paused = true)]
async fn a_probe_is_permitted_while_earlier_requests_still_hang() {
    let limiter = limiter(2, 1);
    let hanging = limiter.acquire().await;
    limiter.acquire().await.report(1, Signal::Nothing, failed());
    let _probe = limiter.acquire().await;
    drop(hanging);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_leaves_the_queue_does_not_delay_others() {
    let limiter = limiter(1, 9);
    let first = limiter.acquire().await;
    assert!(tokio::time::timeout(Duration::from_millis(1), limiter.acquire()).await.is_err());
    drop(first);
    limiter.acquire().await;
}
