//! The second step of authentication: checks a signature of the body after the head has passed.

use std::sync::Arc;
use std::time::SystemTime;

use super::Unauthorized;
use super::replay::{Claim, Known, Mark, Replays};
use super::signature::Signed;
use crate::message::Buffer;

/// Says why a body is refused after its head has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The signature does not match, no secret made it, or it was accepted before.
    Unauthorized,
    /// A request with the same signature is in flight, and may still fail.
    InFlight,
}

impl From<Unauthorized> for Refused {
    fn from(Unauthorized: Unauthorized) -> Self {
        Self::Unauthorized
    }
}

/// A head that has passed. The body is still missing.
pub(crate) struct Pending<'a> {
    /// The signature that the body must match; `None` if the head was enough. Boxed, since it is large, and the future
    /// of each request has room for what is here.
    pub(super) signed: Option<Box<Signed<'a>>>,
    /// The accepted signatures.
    pub(super) replays: Option<&'a Arc<Replays>>,
}

/// The body of a request from an authenticated sender.
pub(crate) struct Authentic {
    /// The body.
    pub(crate) body: Buffer,
    /// The number of the secret that signed it; `None` if nothing is signed.
    pub(crate) signer: Option<usize>,
}

impl Pending<'_> {
    /// Returns whether the head was enough.
    pub(crate) fn is_authentic(&self) -> bool {
        self.signed.is_none()
    }

    /// Checks the body. The caller keeps the claim once the request is accepted, and drops it otherwise. While the
    /// claim is held, the same signature is refused. After it was kept, the signature is refused as long as its
    /// timestamp counts.
    ///
    /// # Errors
    /// [`Refused`].
    pub(crate) fn check_body(self, body: Buffer, now: SystemTime) -> Result<(Authentic, Claim), Refused> {
        let checked = self.signed.as_ref().map(|signed| signed.check_body(body.body())).transpose()?;
        self.accept(body, checked, now)
    }

    /// Works like [`Pending::check_body`], but lets other requests have their turn while a large body is hashed.
    ///
    /// # Errors
    /// The same as those of [`Pending::check_body`].
    pub(crate) async fn check_body_in_turns(
        self,
        body: Buffer,
        now: SystemTime,
    ) -> Result<(Authentic, Claim), Refused> {
        let checked = match &self.signed {
            Some(signed) => Some(signed.check_body_in_turns(body.body()).await?),
            None => None,
        };
        self.accept(body, checked, now)
    }

    /// Accepts `body`, with the number of the secret that signed it and the marks of the signature, which is claimed.
    fn accept(
        &self,
        body: Buffer,
        checked: Option<(usize, Vec<Mark>)>,
        now: SystemTime,
    ) -> Result<(Authentic, Claim), Refused> {
        let Some((signer, marks)) = checked else { return Ok((Authentic { body, signer: None }, Claim::default())) };
        Ok((Authentic { body, signer: Some(signer) }, self.claim(marks, now)?))
    }

    /// Claims the signature with these `marks`.
    fn claim(&self, marks: Vec<Mark>, now: SystemTime) -> Result<Claim, Refused> {
        let Some(replays) = self.replays else { return Ok(Claim::default()) };
        replays.claim(marks, now).map_err(|known| match known {
            Known::InFlight => Refused::InFlight,
            Known::Accepted => Refused::Unauthorized,
        })
    }
}
