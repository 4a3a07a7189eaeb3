//! Decides whether there is room for a request: the source's rate, a permit, bytes for its body.
//!
//! If the head authenticates the sender, the request gets a permit among `receiver.max_in_flight_requests`, and then
//! its body is read. If only a signature of the body does, the request waits in the [`super::anteroom`] until the body
//! has arrived. So senders who cannot authenticate never take permits from those who can.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::request::Parts;
use service::token_bucket::{Empty, TokenBucket};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::anteroom::{Anteroom, Waiter};
use super::body;
use crate::body_budget::{BodyBudget, MemoryBudget};
use crate::message::Buffer;
use crate::reject::Rejection;

/// The most bytes that a request of an unknown sender holds in addition to its body: its head.
const STRANGER_OVERHEAD: usize = 64 * 1024;

/// The room that the requests of all sources share.
pub(crate) struct Admission {
    /// A permit for each request of an authenticated sender that may be in flight.
    pub(super) permits: Semaphore,
    /// The bytes that requests may hold in memory.
    pub(super) memory: MemoryBudget,
    /// The requests whose sender is unknown until the body has arrived.
    anteroom: Anteroom,
    /// `receiver.unauthenticated_timeout`.
    unauthenticated_timeout: Duration,
}

/// The room that a request was given.
pub(super) struct Room<'a> {
    /// The bytes that the request holds.
    pub(super) budget: BodyBudget,
    /// The permit; `None` while the sender is unknown.
    permit: Option<SemaphorePermit<'a>>,
    /// The request's place among those whose senders are unknown, and how long its body may take. It is given back
    /// after the bytes of the budget: others may wait for these.
    waiter: Option<(Waiter<'a>, Duration)>,
    /// The bytes of the head of such a request, until they are counted.
    head: usize,
}

impl Admission {
    /// Creates the room that the config allows. The largest body that a source accepts has `largest_body` bytes.
    pub(crate) fn new(receiver: &crate::config::Receiver, largest_body: usize) -> Self {
        let bytes = usize::try_from(receiver.max_in_flight_bytes.as_u64()).unwrap_or(usize::MAX);
        // A quarter of the budget, but always enough for one body with its head.
        let of_strangers = (bytes / 4).max(largest_body.saturating_add(STRANGER_OVERHEAD)).min(bytes);
        // An eighth is reserved for small requests, unless the largest body needs it.
        let reserve = (bytes / 8).min(bytes.saturating_sub(largest_body + STRANGER_OVERHEAD));
        Self {
            permits: Semaphore::new(receiver.max_in_flight_requests.min(Semaphore::MAX_PERMITS)),
            memory: MemoryBudget::with_reserve(bytes, reserve),
            anteroom: Anteroom::new(receiver.max_unauthenticated_requests, of_strangers),
            unauthenticated_timeout: receiver.unauthenticated_timeout,
        }
    }

    /// Gives a request of an authenticated sender a permit, and counts its head.
    ///
    /// # Errors
    /// `Overloaded`.
    pub(super) fn room(&self, head: &Parts) -> Result<Room<'_>, Rejection> {
        let (permit, mut budget) = (self.permit()?, self.memory.hold());
        budget.grow(head_bytes(head))?;
        Ok(Room { budget, permit: Some(permit), waiter: None, head: 0 })
    }

    /// Lets a request from `sender` to `source` wait for its body, because only the body authenticates it.
    pub(super) fn waiting_room(&self, head: &Parts, source: &Arc<str>, sender: IpAddr) -> Room<'_> {
        let waiter = self.anteroom.enter(source, sender);
        let budget = self.memory.hold_for_stranger(&self.anteroom.bytes);
        Room { budget, permit: None, waiter: Some((waiter, self.unauthenticated_timeout)), head: head_bytes(head) }
    }

    /// Counts a request in its source's `rate` after its body has authenticated the sender, and gives it a permit.
    ///
    /// # Errors
    /// `RateLimited` and `Overloaded`.
    pub(super) fn let_in<'a>(&'a self, room: &mut Room<'a>, rate: Option<&TokenBucket>) -> Result<(), Rejection> {
        room.budget.set_known();
        room.waiter = None;
        take_rate(rate)?;
        room.permit = Some(self.permit()?);
        Ok(())
    }

    fn permit(&self) -> Result<SemaphorePermit<'_>, Rejection> {
        self.permits.try_acquire().map_err(|_| Rejection::Overloaded)
    }
}

impl Room<'_> {
    /// Reads the body of a request that arrived at `received`, at most `limit` bytes, until `deadline`, or until an
    /// earlier one if its sender is unknown.
    ///
    /// # Errors
    /// The errors of [`body::read`]; `Overloaded` if the request waits and must give way to another.
    pub(super) async fn read_body(
        &mut self,
        body: Body,
        limit: usize,
        received: Instant,
        deadline: Instant,
    ) -> Result<Buffer, Rejection> {
        let Some((waiter, timeout)) = &self.waiter else {
            return body::read(body, limit, deadline, &mut self.budget, None).await;
        };
        let deadline = deadline.min(received + *timeout);
        let read = async {
            body::held(deadline, Some(waiter), || self.budget.grow(self.head)).await?;
            body::read(body, limit, deadline, &mut self.budget, Some(waiter)).await
        };
        tokio::select! {
            biased;
            read = read => read,
            () = waiter.gives_way() => Err(Rejection::Overloaded),
        }
    }
}

/// Counts a request of an authenticated sender in its source's `rate`. No other request uses up the rate.
///
/// # Errors
/// `RateLimited`.
pub(super) fn take_rate(rate: Option<&TokenBucket>) -> Result<(), Rejection> {
    let Some(rate) = rate else { return Ok(()) };
    rate.take(Instant::now()).map_err(|Empty(wait)| Rejection::RateLimited(wait))
}

/// Returns roughly how many bytes the head of a request takes.
fn head_bytes(head: &Parts) -> usize {
    let target = head.uri.path_and_query().map_or(0, |target| target.as_str().len());
    target + head.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>()
}

#[cfg(test)]
mod tests;
