//! Reads a request's body into one buffer, within a limit and a deadline.

use axum::body::{Body, HttpBody};
use futures::StreamExt;
use registry::wire::FRAME_LEN;
use tokio::time::{Instant, timeout_at};

use super::anteroom::Waiter;
use crate::body_budget::{BodyBudget, BudgetExceeded};
use crate::message::Buffer;
use crate::reject::Rejection;

/// The bytes reserved for a body because of its announced length. A longer body gets its room as it arrives, so that a
/// `Content-Length` alone costs the receiver nothing.
const TRUSTED_LENGTH: u64 = 8 * 1024;

/// Reads the whole of `body`, which may have at most `limit` bytes and must arrive by `deadline`. Counts its memory in
/// `budget`. If the requests of unknown senders hold too much, a `waiter` asks another one to give way.
///
/// # Errors
/// `TooLarge`, before reading anything if the announced length is too large, else as soon as the limit is exceeded;
/// `Overloaded`; `BodyTimeout`; `BodyBroken`. In each case the rest is not read.
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
