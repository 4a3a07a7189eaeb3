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
    let mut buffer = held(deadline, waiter, || Buffer::counted(announced.min(TRUSTED_LENGTH) as usize, budget)).await?;
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
        held(deadline, waiter, || budget.reserve(buffer.bytes_mut(), chunk.len(), FRAME_LEN + most)).await?;
        buffer.bytes_mut().extend_from_slice(&chunk);
    }
}

/// Runs `hold`, which counts bytes in a budget. If the requests of unknown senders hold too much, a `waiter` asks one
/// of them to give way, and `hold` runs again, until `deadline`.
///
/// # Errors
/// `Overloaded`; `TooLarge` if the bytes fit no budget.
pub(super) async fn held<T>(
    deadline: Instant,
    waiter: Option<&Waiter<'_>>,
    mut hold: impl FnMut() -> Result<T, BudgetExceeded>,
) -> Result<T, Rejection> {
    loop {
        let making_room = match (hold(), waiter) {
            (Ok(held), _) => return Ok(held),
            (Err(BudgetExceeded::ForStrangers), Some(waiter)) => timeout_at(deadline, waiter.make_room()).await,
            (Err(error), _) => return Err(error.into()),
        };
        making_room.map_err(|_| Rejection::Overloaded)?;
    }
}
