//! Authenticates senders: the second stage, `receive → authenticate → …`. It is pure except for [`reloading`], which
//! reads secrets again: time is a parameter, and nothing is logged.
//!
//! Authentication has two steps, because a keyed hash covers the body, while everything else is in the head of the
//! request. [`Authenticator::check_head`] refuses what it can without reading the body, and returns a [`Pending`].
//! [`Pending::check_body`] turns it and the body into [`pending::Authentic`], the only input of the next stage.
//!
//! Every refusal is the same [`Unauthorized`]: no answer reveals which part failed. A new way to authenticate is a file
//! in `authenticate/` and a variant of [`Method`].

use std::sync::Arc;
use std::time::SystemTime;

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use service::secret::Secret;

use crate::config::Auth;

use basic::Basic;
use bearer::Bearer;
use hmac::Hmac;
use mtls::Mtls;
use replay::Replays;
use standard_webhooks::StandardWebhooks;

pub(crate) use digests::Digests;
pub use error::AuthError;
pub(crate) use forwarded::Forwarded;
pub(crate) use mtls::Peer;
pub(crate) use pending::{Authentic, Pending, Refused};
pub(crate) use reloading::ReloadingAuthenticator;

mod basic;
mod bearer;
mod digests;
mod error;
mod forwarded;
mod hmac;
mod mtls;
mod pending;
mod reloading;
mod replay;
mod signature;
mod standard_webhooks;

/// The compiled `auth` of a source.
pub(crate) struct Authenticator {
    method: Method,
    /// The accepted signatures, if the signed text has a timestamp.
    replays: Option<Arc<Replays>>,
}

enum Method {
    /// Everybody may post.
    Open,
    /// The sender needs a token.
    Bearer(Bearer),
    /// The sender needs a user's password.
    Basic(Basic),
    /// The sender signs the body.
    Hmac(Hmac),
    /// The sender signs the body as in Standard Webhooks.
    StandardWebhooks(StandardWebhooks),
    /// The sender needs a client certificate.
    Mtls(Mtls),
}

/// Says that the request is not from an authenticated sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unauthorized;

impl Authenticator {
    /// Compiles the `auth` of the source `name` with its current `secrets`.
    ///
    /// # Errors
    /// [`AuthError`], naming the key.
    pub(crate) fn compile(name: &str, auth: &Auth, secrets: &[Secret]) -> Result<Self, AuthError> {
        let key = |field: &str| format!("receiver.sources.{name}.auth.{field}");
        let method = match auth {
            Auth::None => Method::Open,
            Auth::Bearer { .. } => Method::Bearer(Bearer::new(secrets)),
            Auth::Basic { .. } => Method::Basic(Basic::new(secrets)),
            Auth::Hmac { .. } => Method::Hmac(Hmac::compile(auth, secrets, key)?),
            Auth::StandardWebhooks { tolerance, .. } => {
                let not_base64 = || AuthError::NotBase64 { key: key("secrets") };
                Method::StandardWebhooks(StandardWebhooks::new(*tolerance, secrets).ok_or_else(not_base64)?)
            }
            Auth::Mtls { names } => Method::Mtls(Mtls::new(names)),
        };
        let replays = match auth {
            Auth::Hmac { tolerance, replay_capacity, .. }
            | Auth::StandardWebhooks { tolerance, replay_capacity, .. }
                if auth.has_timestamp() =>
            {
                Replays::new(*tolerance, *replay_capacity)
            }
            _ => None,
        };
        Ok(Self { method, replays })
    }

    /// Compiles `auth` again after its secrets have changed, and keeps the memory of accepted signatures.
    ///
    /// # Errors
    /// See [`Authenticator::compile`].
    fn again(&self, name: &str, auth: &Auth, secrets: &[Secret]) -> Result<Self, AuthError> {
        Ok(Self { replays: self.replays.clone(), ..Self::compile(name, auth, secrets)? })
    }

    /// Checks the head of a request from `peer` that arrived at `now`.
    ///
    /// # Errors
    /// [`Unauthorized`]: the credentials are missing or wrong, or the timestamp is too far from `now`.
    pub(crate) fn check_head<'a>(
        &'a self,
        request: &'a Parts,
        peer: Option<&Peer>,
        now: SystemTime,
    ) -> Result<Pending<'a>, Unauthorized> {
        let head = &request.headers;
        let signed = match &self.method {
            Method::Open => None,
            Method::Bearer(bearer) => bearer.check(head).map(|()| None)?,
            Method::Basic(basic) => basic.check(head).map(|()| None)?,
            Method::Hmac(hmac) => Some(Box::new(hmac.check_head(request, now)?)),
            Method::StandardWebhooks(webhooks) => Some(Box::new(webhooks.check_head(head, now)?)),
            Method::Mtls(mtls) => mtls.check(peer, now).map(|()| None)?,
        };
        Ok(Pending { signed, replays: self.replays.as_ref() })
    }

    /// Returns the hash of `text`, keyed with the secret of number `signer`, or else with the first secret. It shows a
    /// vendor that this receiver has the secret. Returns `None` if the source does not use HMAC with SHA-256.
    pub(crate) fn hash(&self, signer: Option<usize>, text: &[u8]) -> Option<[u8; 32]> {
        match &self.method {
            Method::Hmac(hmac) => hmac.sha256(signer.unwrap_or_default(), text),
            Method::Open | Method::Bearer(_) | Method::Basic(_) | Method::StandardWebhooks(_) | Method::Mtls(_) => None,
        }
    }

    /// Returns whether senders authenticate with a client certificate.
    pub(crate) fn wants_certificate(&self) -> bool {
        matches!(self.method, Method::Mtls(_))
    }

    /// Returns whether everybody may post.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.method, Method::Open)
    }

    /// Returns the challenge of a 401 (RFC 9110, section 11.6.1): only the scheme, the same for every reason.
    pub(crate) fn challenge(&self) -> HeaderValue {
        HeaderValue::from_static(match self.method {
            Method::Open | Method::Bearer(_) => "Bearer",
            Method::Basic(_) => "Basic realm=\"webhook\"",
            Method::Hmac(_) => "HMAC",
            Method::StandardWebhooks(_) => "StandardWebhooks",
            Method::Mtls(_) => "ClientCertificate",
        })
    }
}

/// Returns the value of the header `name`. Two values are refused, because either could be meant.
fn single<'a>(head: &'a HeaderMap, name: &HeaderName) -> Result<&'a [u8], Unauthorized> {
    let mut values = head.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Ok(value.as_bytes()),
        _ => Err(Unauthorized),
    }
}

/// Returns what follows `scheme`, which is case-insensitive (RFC 9110, section 11.1), and one or more spaces.
fn credentials<'a>(head: &'a HeaderMap, scheme: &str) -> Result<&'a [u8], Unauthorized> {
    let written = single(head, &axum::http::header::AUTHORIZATION)?;
    let (found, rest) = written.split_at_checked(scheme.len()).ok_or(Unauthorized)?;
    if !found.eq_ignore_ascii_case(scheme.as_bytes()) || rest.first() != Some(&b' ') {
        return Err(Unauthorized);
    }
    Ok(rest.trim_ascii())
}

#[cfg(test)]
mod tests;
