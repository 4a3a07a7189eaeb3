//! Decides whether there is room for a request: the source's rate, a permit, bytes for its body.
//!
//! If the head authenticates the sender, the request gets a permit among `receiver.max_in_flight_requests`, and then
//! its body is read. If only a signature of the body does, the request waits in the [`super::anteroom`] until the body
//! has arrived. So senders who cannot authenticate never take permits from those who can.

use std::net::{IpAddr, Ipv4Addr};

use axum::body::Body;
use axum::http::Version;
use axum::http::request::Parts;
use service::token_bucket::Empty;
use tokio::sync::SemaphorePermit;
use tokio::time::Instant;

use super::anteroom::Waiter;
use super::{Endpoint, Received, body};
use crate::body_budget::BodyBudget;
use crate::client::{Client, sender};
use crate::message::Buffer;
use crate::reject::Rejection;

/// The room that a request was given.
pub(super) struct Room<'a> {
    /// The bytes that the request holds.
    pub(super) budget: BodyBudget,
    /// The permit; `None` while the sender is unknown.
    permit: Option<SemaphorePermit<'a>>,
    /// The request's place among those whose senders are unknown.
    waiter: Option<Waiter<'a>>,
}

impl Endpoint {
    /// Counts a request of an authenticated sender. No other request uses up the source's rate.
    ///
    /// # Errors
    /// `RateLimited`.
    pub(super) fn take_rate(&self) -> Result<(), Rejection> {
        let Some(rate) = &self.source.rate else { return Ok(()) };
        rate.take(Instant::now()).map_err(|Empty(wait)| Rejection::RateLimited(wait))
    }

    /// Gives a request of an authenticated sender a permit, and counts its head.
    ///
    /// # Errors
    /// `Overloaded`.
    pub(super) fn room(&self, head: &Parts) -> Result<Room<'_>, Rejection> {
        let (permit, mut budget) = (self.permit()?, self.common.memory_budget.hold());
        budget.grow(head_bytes(head))?;
        Ok(Room { budget, permit: Some(permit), waiter: None })
    }

    /// Lets a request wait whose sender is unknown until its body has arrived.
    ///
    /// # Errors
    /// `Overloaded`.
    pub(super) fn waiting_room(&self, head: &Parts, client: Option<&Client>) -> Result<Room<'_>, Rejection> {
        let address = client.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), Client::address);
        let address = sender(&head.headers, address, &self.common.trusted_proxies);
        let waiter = self.common.anteroom.enter(&self.source.shared_name, address);
        let mut budget = self.common.memory_budget.hold_for_stranger(&self.common.anteroom.bytes);
        budget.grow(head_bytes(head))?;
        Ok(Room { budget, permit: None, waiter: Some(waiter) })
    }

    /// Counts a request whose body has authenticated its sender, and gives it a permit.
    ///
    /// # Errors
    /// `RateLimited` and `Overloaded`.
    pub(super) fn let_in<'a>(&'a self, room: &mut Room<'a>, client: Option<&Client>) -> Result<(), Rejection> {
        room.budget.is_known();
        client.inspect(|client| client.set_known());
        self.take_rate()?;
        room.permit = Some(self.permit()?);
        Ok(())
    }

    fn permit(&self) -> Result<SemaphorePermit<'_>, Rejection> {
        self.common.request_permits.try_acquire().map_err(|_| Rejection::Overloaded)
    }

    /// Reads the body of a request with `room` until `deadline`, or until an earlier one if its sender is unknown.
    ///
    /// # Errors
    /// The errors of [`body::read`]; `Overloaded` if the request waits and must give way to another.
    pub(super) async fn read_body(
        &self,
        body: Body,
        room: &mut Room<'_>,
        received: Received,
        deadline: Instant,
    ) -> Result<Buffer, Rejection> {
        let waiter = room.waiter.take();
        let deadline = match &waiter {
            None => deadline,
            Some(_) => deadline.min(received.instant + self.common.unauthenticated_timeout),
        };
        let read = body::read(body, self.source.max_body, deadline, &mut room.budget, waiter.as_ref());
        let body = match &waiter {
            None => read.await?,
            Some(waiter) => tokio::select! {
                biased;
                read = read => read?,
                () = waiter.gives_way() => return Err(Rejection::Overloaded),
            },
        };
        self.source.metrics.body_bytes.inc_by(body.body().len() as u64);
        Ok(body)
    }

    /// Discards an unwanted body, and returns the `rejection`. A limited number of bodies are read to their end; the
    /// others are cut off.
    pub(super) async fn discard(&self, version: Version, body: Body, rejection: Rejection) -> Rejection {
        if let Ok(_permit) = self.common.discards.try_acquire() {
            body::discard(version, body).await;
        }
        rejection
    }
}

/// Returns roughly how many bytes the head of a request takes.
fn head_bytes(head: &Parts) -> usize {
    let target = head.uri.path_and_query().map_or(0, |target| target.as_str().len());
    target + head.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>()
}
