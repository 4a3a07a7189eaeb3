use std::time::Duration;

use tokio::time::Instant;

use super::*;
use crate::bulk::outcome::{BulkFailure, Trouble};

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test(start_paused = true)]
async fn retries_do_not_wait_while_requests_are_held_back() {
    let (sender, pause) = watch::channel(None);
    let retries = Retries::new(Backoff { initial: DAY, max: DAY }, pause);
    let begin = Instant::now();
    retries.wait(1).await;
    assert!(begin.elapsed() <= DAY);
    let begin = Instant::now();
    let failure = BulkFailure { trouble: Trouble::Server, detail: String::new() };
    sender.send(Some(Pause::Failing(failure))).unwrap();
    retries.wait(1).await;
    assert_eq!(begin.elapsed(), Duration::ZERO);
}
