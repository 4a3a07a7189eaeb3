//! From a head that passed to an authentic body: what of the check needs the body, a signature.

use std::sync::Arc;
use std::time::SystemTime;

use super::Unauthorized;
use super::replay::{Claim, Known, Replays};
use super::signature::Signed;
use crate::message::Buffer;

/// Why a body is not taken from somebody whose head passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It is not the one that was signed, or not by one of the secrets; or it was accepted before.
    Unauthorized,
    /// A request with the same signature is in flight: whether it is accepted is not known yet.
    InFlight,
}

impl From<Unauthorized> for Refused {
    fn from(Unauthorized: Unauthorized) -> Self {
        Self::Unauthorized
    }
}

/// A head that passed; the body is still to come.
pub(crate) struct Pending<'a> {
    /// The body must match this signature; none where the head said it all.
    pub(super) signed: Option<Signed<'a>>,
    /// What was accepted before.
    pub(super) replays: Option<&'a Arc<Replays>>,
}

/// A request's body that comes from an authenticated sender.
pub(crate) struct Authentic {
    /// The body.
    pub(crate) body: Buffer,
    /// Which of the secrets has signed it; none where nothing is signed.
    pub(crate) signer: Option<usize>,
}

impl Pending<'_> {
    /// Returns whether the head said it all.
    pub(crate) fn is_authentic(&self) -> bool {
        self.signed.is_none()
    }

    /// Checks the body. The claim is to be kept once the request is accepted; until it is kept or dropped, and for as
    /// long as the timestamp is near enough after it was kept, the same signature is refused.
    ///
    /// # Errors
    /// [`Refused`].
    pub(crate) fn check_body(self, body: Buffer, now: SystemTime) -> Result<(Authentic, Claim), Refused> {
        let Some(signed) = self.signed else {
            return Ok((Authentic { body, signer: None }, Claim::default()));
        };
        let (signer, marks) = signed.check_body(body.body())?;
        let claim = match self.replays {
            Some(replays) => replays.claim(marks, now).map_err(|known| match known {
                Known::InFlight => Refused::InFlight,
                Known::Accepted => Refused::Unauthorized,
            })?,
            None => Claim::default(),
        };
        Ok((Authentic { body, signer: Some(signer) }, claim))
    }
}
