//! The first part of a request's way: whose it is, and whether there is room for it.
//!
//! Whoever shows by the head that it may post has a permit among `receiver.max_in_flight_requests`, and then its body
//! is read. A signature covers the body; those requests wait in the [`super::anteroom`] until it is there. So nobody
//! who cannot authenticate takes a permit from those who can.

use std::net::{IpAddr, Ipv4Addr};

use axum::body::Body;
use axum::http::Version;
use axum::http::request::Parts;
use tokio::sync::SemaphorePermit;
use tokio::time::Instant;

use super::anteroom::Waiter;
use super::{Endpoint, Received, body};
use crate::body_budget::BodyBudget;
use crate::client::{Client, Visit, sender};
use crate::message::Buffer;
use crate::reject::Rejection;
use crate::source::rate::RateLimited;
use crate::stages::authenticate::{Authentic, Claim, Peer, Refused};

/// A request of an authenticated sender.
pub(super) struct Admitted<'a> {
    pub(super) body: Authentic,
    pub(super) claim: Claim,
    /// What it holds.
    pub(super) budget: BodyBudget,
    _permit: SemaphorePermit<'a>,
}

impl Endpoint {
    /// Reads the body and sees to it that it is from an authenticated sender that may post now. Only who is authentic
    /// uses up the source's rate.
    ///
    /// # Errors
    /// Each way in which it is not, or there is no room for it.
    pub(super) async fn admit(
        &self,
        head: &Parts,
        body: Body,
        received: Received,
        deadline: Instant,
    ) -> Result<Admitted<'_>, Rejection> {
        let authenticator = self.source.authenticator.current();
        let client = head.extensions.get::<Visit>().map(Visit::client);
        let forwarded = authenticator.wants_certificate().then(|| self.forwarded_certificate(head, client)).flatten();
        let certificate = match &forwarded {
            Some(forwarded) => forwarded.as_ref(),
            None => client.and_then(Client::certificate),
        };
        let checked = authenticator.check_head(head, certificate, received.wall);
        let pending = match checked.map_err(|_| Rejection::Unauthorized(authenticator.challenge())) {
            Ok(pending) => pending,
            Err(rejection) => return Err(self.discard(head.version, body, rejection).await),
        };
        let by_head = pending.is_authentic();
        let (body, mut budget, permit) = if by_head {
            if let Err(rejection) = self.take_rate() {
                return Err(self.discard(head.version, body, rejection).await);
            }
            client.filter(|_| !authenticator.is_open()).inspect(|client| client.set_known());
            let (permit, mut budget) = (self.permit()?, self.common.memory_budget.hold());
            budget.grow(head_bytes(head))?;
            (self.read(body, deadline, &mut budget, None).await?, budget, Some(permit))
        } else {
            let address = client.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), Client::address);
            let address = sender(&head.headers, address, &self.common.trusted_proxies);
            let (body, budget) = self.wait(head, address, body, deadline, received).await?;
            (body, budget, None)
        };
        let (body, claim) = pending.check_body(body, received.wall).map_err(|refused| match refused {
            Refused::Unauthorized => Rejection::Unauthorized(authenticator.challenge()),
            Refused::InFlight => Rejection::InFlight,
        })?;
        budget.is_known();
        client.filter(|_| !by_head).inspect(|client| client.set_known());
        let permit = match permit {
            Some(permit) => permit,
            None => {
                self.take_rate()?;
                self.permit()?
            }
        };
        Ok(Admitted { body, claim, budget, _permit: permit })
    }

    /// Reads a body whose sender is known only once it is there.
    async fn wait(
        &self,
        head: &Parts,
        address: IpAddr,
        body: Body,
        deadline: Instant,
        received: Received,
    ) -> Result<(Buffer, BodyBudget), Rejection> {
        let deadline = deadline.min(received.instant + self.common.unauthenticated_timeout);
        let waiter = self.common.anteroom.enter(&self.source.shared_name, address);
        let mut budget = self.common.memory_budget.hold_for_stranger(&self.common.anteroom.bytes);
        budget.grow(head_bytes(head))?;
        let body = tokio::select! {
            biased;
            read = self.read(body, deadline, &mut budget, Some(&waiter)) => read?,
            () = waiter.gives_way() => return Err(Rejection::Overloaded),
        };
        Ok((body, budget))
    }

    /// Returns whose certificate a trusted proxy passes on with a request, or that it passes on none; none for the
    /// requests of all others, where the certificate of the connection counts. That of a proxy's connection is the
    /// proxy's own.
    fn forwarded_certificate(&self, head: &Parts, client: Option<&Client>) -> Option<Option<Peer>> {
        let rule = self.common.forwarded_certificate.as_ref()?;
        let address = client?.address();
        let is_proxy = self.common.trusted_proxies.iter().any(|network| network.contains(address));
        is_proxy.then(|| rule.peer(&head.headers))
    }

    fn permit(&self) -> Result<SemaphorePermit<'_>, Rejection> {
        self.common.request_permits.try_acquire().map_err(|_| Rejection::Overloaded)
    }

    fn take_rate(&self) -> Result<(), Rejection> {
        let Some(rate) = &self.source.rate else { return Ok(()) };
        rate.take(Instant::now()).map_err(|RateLimited(wait)| Rejection::RateLimited(wait))
    }

    async fn read(
        &self,
        body: Body,
        deadline: Instant,
        budget: &mut BodyBudget,
        waiter: Option<&Waiter<'_>>,
    ) -> Result<Buffer, Rejection> {
        let body = body::read(body, self.source.max_body, deadline, budget, waiter).await?;
        self.source.metrics.body_bytes.inc_by(body.body().len() as u64);
        Ok(body)
    }

    /// Lets a body go that nobody wants, for a `rejection` that is given back. So many at a time are let arrive; the
    /// others are cut off.
    async fn discard(&self, version: Version, body: Body, rejection: Rejection) -> Rejection {
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
