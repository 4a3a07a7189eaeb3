//! Reads small unwanted bodies to their end, so that their senders read the answer.

use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::Version;
use futures::StreamExt;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// How many unwanted bodies are read at a time. The others are cut off.
const AT_A_TIME: usize = 64;

/// The longest unwanted body that is read to its end.
const DISCARDED_LENGTH: u64 = 64 * 1024;

/// How long an unwanted body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(1);

/// Limits how many unwanted bodies are read at a time.
pub(crate) struct Discards {
    permits: Semaphore,
}

impl Default for Discards {
    fn default() -> Self {
        Self { permits: Semaphore::new(AT_A_TIME) }
    }
}

impl Discards {
    /// Reads a small unwanted body of HTTP/2 to its end, if a permit is free. A stream that is answered before its end
    /// must be reset, and some clients (curl before 8) report a failure for that instead of reading the answer. HTTP/1
    /// does not need this.
    pub(super) async fn discard(&self, version: Version, body: Body) {
        let Ok(_permit) = self.permits.try_acquire() else { return };
        let small = body.size_hint().exact().is_some_and(|bytes| bytes <= DISCARDED_LENGTH);
        if version < Version::HTTP_2 || !small {
            return;
        }
        let mut chunks = body.into_data_stream();
        let reading = async { while let Some(Ok(_)) = chunks.next().await {} };
        // A slower sender must cope with the early answer.
        timeout(PATIENCE, reading).await.ok();
    }
}
