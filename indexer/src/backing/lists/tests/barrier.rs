//! What comes before a list.

use super::*;
use crate::backing::barrier::Barrier;

async fn refusing(status: u16, body: &'static str) -> (Stub, Client) {
    let stub = Stub::start(move |_| Reply::Answer(status, body.to_owned())).await;
    let client = Client::new(&config(&stub.url()).elasticsearch).unwrap();
    (stub, client)
}

#[tokio::test(start_paused = true)]
async fn a_refusal_counts_for_a_minute_and_no_longer() {
    let (stub, client) = refusing(403, r#"{"error":{"type":"security_exception"},"status":403}"#).await;
    let barrier = Barrier::default();
    for _ in 0..3 {
        barrier.pass(&client).await.unwrap();
    }
    assert_eq!(stub.requests().len(), 1, "it is not asked again and again");
    tokio::time::advance(Duration::from_secs(61)).await;
    barrier.pass(&client).await.unwrap();
    assert_eq!(stub.requests().len(), 2, "a role may have been changed since");
}

#[tokio::test]
async fn an_answer_of_a_proxy_does_not_count_as_a_refusal() {
    for status in [400, 403, 404] {
        let (stub, client) = refusing(status, "<html>no such backend</html>").await;
        let barrier = Barrier::default();
        for _ in 0..2 {
            assert!(barrier.pass(&client).await.is_err(), "{status}");
        }
        assert_eq!(stub.requests().len(), 2, "{status}: it is asked again");
    }
}

#[tokio::test]
async fn a_master_that_does_not_finish_in_time_is_not_passed() {
    for status in [408, 200] {
        let (_stub, client) = refusing(status, r#"{"timed_out":true}"#).await;
        assert!(Barrier::default().pass(&client).await.is_err(), "{status}");
    }
    let (_stub, client) = refusing(200, r#"{"timed_out":false}"#).await;
    Barrier::default().pass(&client).await.unwrap();
}
