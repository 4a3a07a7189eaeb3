//! Whether there is room for a request: the source's rate, a permit, bytes for its body.
//!
//! Whoever shows by the head that it may post has a permit among `receiver.max_in_flight_requests`, and then its body
//! is read. A signature covers the body; those requests wait in the [`super::anteroom`] until it is there. So nobody
//! who cannot authenticate takes a permit from those who can.

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

/// What a request was given.
pub(super) struct Room<'a> {
    /// The bytes that it holds.
    pub(super) budget: BodyBudget,
    /// None as long as its sender is not known.
    permit: Option<SemaphorePermit<'a>>,
    /// Its place among those who wait until they are known.
    waiter: Option<Waiter<'a>>,
}

impl Endpoint {
    /// Counts a request of an authenticated sender. Nobody else uses up the source's rate.
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

    /// Lets a request wait whose sender is known only once its body is there.
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

    /// Counts a request whose sender is known now that the body is there, and gives it a permit.
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

    /// Reads the body of a request that has `room`, until `deadline` at most; sooner where its sender is not known.
    ///
    /// # Errors
    /// Those of [`body::read`]; `Overloaded` where it waits and has to give way to another one.
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

    /// Lets a body go that nobody wants, for a `rejection` that is given back. So many at a time are let arrive; the
    /// others are cut off.
    pub(super) async fn discard(&self, version: Version, body: Body, rejection: Rejection) -> Rejection {
        if let Ok(_permit) = self.common.discards.try_acquire() {
            body::discard(version, body).await;
        }
        rejection
    }
}

/// Returns about how many bytes the head of a request takes.
fn head_bytes(head: &Parts) -> usize {
    let target = head.uri.path_and_query().map_or(0, |target| target.as_str().len());
    target + head.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>()
}
