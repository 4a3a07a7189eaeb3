//! Reads a request's body into one buffer, within a limit and a deadline.

use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::Version;
use futures::StreamExt;
use registry::wire::FRAME_LEN;
use tokio::time::{Instant, timeout, timeout_at};

use super::anteroom::Waiter;
use crate::body_budget::{BodyBudget, BudgetExceeded};
use crate::message::Buffer;
use crate::reject::Rejection;

/// What is reserved for a body on its word alone. Longer bodies get their room as they arrive, so that a
/// `Content-Length` costs the receiver nothing.
const TRUSTED_LENGTH: u64 = 8 * 1024;

/// A body that nobody wants is let arrive up to this length.
const DISCARDED_LENGTH: u64 = 64 * 1024;

/// How long a body that nobody wants may take to arrive.
const DISCARD: Duration = Duration::from_secs(1);

/// Lets a small body of HTTP/2 arrive, although nobody wants it: a stream that is answered before its end has to be
/// reset, which some clients (curl before 8) take for a failure instead of reading the answer. HTTP/1 has no need of
/// it.
pub(crate) async fn discard(version: Version, body: Body) {
    let small = body.size_hint().exact().is_some_and(|bytes| bytes <= DISCARDED_LENGTH);
    if version < Version::HTTP_2 || !small {
        return;
    }
    let mut chunks = body.into_data_stream();
    let reading = async { while let Some(Ok(_)) = chunks.next().await {} };
    // Whoever is slower than this has to read the answer as it comes.
    timeout(DISCARD, reading).await.ok();
}

/// Reads the whole of `body`, which must be at most `limit` bytes and there by `deadline`. What it takes is counted in
/// `budget`; a `waiter` asks others to give way where those who wait hold too much.
///
/// # Errors
/// `TooLarge`, before reading anything where the length was announced, else as soon as the limit is passed;
/// `Overloaded`; `BodyTimeout`; `BodyBroken`. In each case what remains is not read.
pub(crate) async fn read(
    body: Body,
    limit: usize,
    deadline: Instant,
    budget: &mut BodyBudget,
    waiter: Option<&Waiter<'_>>,
) -> Result<Buffer, Rejection> {
    let announced = body.size_hint().lower();
    if announced > limit as u64 {
        return Err(Rejection::TooLarge(limit));
    }
    let most = body.size_hint().upper().and_then(|upper| usize::try_from(upper).ok()).unwrap_or(limit).min(limit);
    // At most 8 KiB, so that it fits any `usize`.
    let mut buffer = Buffer::counted(announced.min(TRUSTED_LENGTH) as usize, budget)?;
    let mut chunks = body.into_data_stream();
    loop {
        let chunk = match timeout_at(deadline, chunks.next()).await {
            Ok(Some(Ok(chunk))) => chunk,
            Ok(None) => return Ok(buffer),
            Ok(Some(Err(_))) => return Err(Rejection::BodyBroken),
            Err(_) => return Err(Rejection::BodyTimeout),
        };
        if chunk.len() > limit - buffer.body().len() {
            return Err(Rejection::TooLarge(limit));
        }
        while let Err(error) = budget.reserve(buffer.bytes_mut(), chunk.len(), FRAME_LEN + most) {
            let making_room = match (error, waiter) {
                (BudgetExceeded::ForStrangers, Some(waiter)) => timeout_at(deadline, waiter.make_room()).await,
                _ => return Err(Rejection::Overloaded),
            };
            making_room.map_err(|_| Rejection::Overloaded)?;
        }
        buffer.bytes_mut().extend_from_slice(&chunk);
    }
}
