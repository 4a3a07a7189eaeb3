use service::admin::Readiness;
use service::metrics::Registry;
use std::time::Duration;

use super::*;
use crate::bulk::outcome::Trouble;
use crate::metrics::Metrics;

fn gate(max_requests: usize, max_failures: u32) -> Gate {
    let metrics = Metrics::new(&Registry::new()).unwrap().bulk;
    let condition = Readiness::new().condition("elasticsearch");
    Gate::new(Flow::new(max_requests, 1 << 20), Breaker::new(max_failures), condition, metrics)
}

fn failed() -> Health {
    Health::Failed(Failure { trouble: Trouble::Connection, detail: "refused".to_owned() })
}

#[tokio::test(start_paused = true)]
async fn who_waits_goes_in_the_order_of_arrival() {
    let gate = gate(1, 9);
    let order = Mutex::new(Vec::new());
    let visits = (0..10).map(|number| {
        let (gate, order) = (&gate, &order);
        async move {
            let pass = gate.enter().await;
            order.lock().unwrap().push(number);
            tokio::time::sleep(Duration::from_millis(1)).await;
            pass.report(1, Sign::Well, Health::Well);
        }
    });
    futures::future::join_all(visits).await;
    assert_eq!(*order.lock().unwrap(), (0..10).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn while_it_is_held_back_one_small_probe_goes_and_the_others_follow_it() {
    let gate = gate(8, 1);
    gate.enter().await.report(1, Sign::Nothing, failed());
    assert!(gate.pause().borrow().is_some());
    let probe = gate.enter().await;
    assert_eq!(probe.room().items, PROBE_ITEMS);
    let next = gate.enter();
    tokio::pin!(next);
    assert!(tokio::time::timeout(Duration::from_secs(600), &mut next).await.is_err(), "nobody goes beside the probe");
    probe.report(1, Sign::Well, Health::Well);
    assert_eq!(next.await.room().items, usize::MAX);
    assert!(gate.pause().borrow().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_dropped_lets_another_go() {
    let gate = gate(8, 1);
    gate.enter().await.report(1, Sign::Nothing, failed());
    drop(gate.enter().await);
    assert_eq!(gate.enter().await.room().items, PROBE_ITEMS);
}

#[tokio::test(start_paused = true)]
async fn a_probe_goes_though_requests_from_before_still_hang() {
    let gate = gate(2, 1);
    let hanging = gate.enter().await;
    gate.enter().await.report(1, Sign::Nothing, failed());
    let _probe = gate.enter().await;
    drop(hanging);
}

#[tokio::test(start_paused = true)]
async fn who_leaves_the_queue_holds_nobody_up() {
    let gate = gate(1, 9);
    let first = gate.enter().await;
    assert!(tokio::time::timeout(Duration::from_millis(1), gate.enter()).await.is_err());
    drop(first);
    gate.enter().await;
}
