//! Who may post: the second stage, `receive → authenticate → …`. Pure: time is a parameter, nothing is read or logged.
//!
//! Authentication has two steps, because a keyed hash covers the body while everything else stands in the head of the request:
//! [`Authenticator::check_head`] refuses what can be refused without reading the body and gives a [`Pending`];
//! [`Pending::check_body`] turns it and the body into [`Authentic`], which is all that the next stage takes.
//!
//! Every refusal is the same [`Unauthorized`]: which part failed is told to nobody. A new way to authenticate is a file in
//! `authenticate/` and a variant here.

use std::time::SystemTime;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use shared::config::{Auth, ConfigError};
use shared::secret::Secret;

use crate::receive::Buffer;
use bearer::Bearer;
use hmac::{Hmac, Signed};

mod bearer;
mod hmac;

/// The compiled `auth` of a source.
pub(crate) enum Authenticator {
    /// Everybody may post.
    Open,
    /// Whoever has a token.
    Bearer(Bearer),
    /// Whoever can sign the body.
    Hmac(Hmac),
}

/// The request is not from somebody who may post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unauthorized;

/// A head that passed; the body is still to come.
pub(crate) enum Pending<'a> {
    /// The head said it all.
    Authentic,
    /// The body must match this signature.
    Signed(Signed<'a>),
}

/// A request's body that comes from somebody who may post.
pub(crate) struct Authentic(pub(crate) Buffer);

/// Why a source's `auth` cannot be used. Holds no secret.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// There is nothing to compare with, so nobody could ever post.
    #[error("{list}: there is none, nor in {file}: give at least one")]
    Empty {
        /// The key of the list, such as `receiver.sources.x.auth.tokens`.
        list: String,
        /// The key of the file.
        file: String,
    },
    /// A token or secret that is blank, which is nearly always a variable that was not set.
    #[error("{key}: one of them is blank: remove it or give it a value")]
    Blank {
        /// The config key.
        key: String,
    },
    /// The file cannot be read.
    #[error("{key}: {source}")]
    File {
        /// The config key.
        key: String,
        /// What is wrong, with the file's name.
        source: ConfigError,
    },
    /// Not the name of a header.
    #[error("{key}: {name:?} is not the name of an HTTP header")]
    Header {
        /// The config key.
        key: String,
        /// What stands there.
        name: String,
    },
}

impl Authenticator {
    /// Compiles the `auth` of the source `name`; reads its secrets' files.
    ///
    /// # Errors
    /// [`AuthError`], naming the key.
    pub(crate) fn compile(name: &str, auth: &Auth) -> Result<Self, AuthError> {
        let key = |field: &str| format!("receiver.sources.{name}.auth.{field}");
        let secrets = secrets(auth, key)?;
        match auth {
            Auth::None => Ok(Self::Open),
            Auth::Bearer { .. } => Ok(Self::Bearer(Bearer::new(&secrets))),
            Auth::Hmac { header, algorithm, encoding, prefix, timestamp_header, tolerance, .. } => {
                let timestamp = timestamp_header.as_deref().map(|name| header_name(key("timestamp_header"), name));
                Ok(Self::Hmac(Hmac {
                    keys: hmac::keys(*algorithm, &secrets),
                    algorithm: *algorithm,
                    encoding: *encoding,
                    header: header_name(key("header"), header)?,
                    prefix: prefix.clone(),
                    timestamp: timestamp.transpose()?,
                    tolerance: *tolerance,
                }))
            }
        }
    }

    /// Checks what stands in the head of a request that arrived at `now`.
    ///
    /// # Errors
    /// [`Unauthorized`]: no credentials, wrong ones, or a timestamp too far from `now`.
    pub(crate) fn check_head<'a>(&'a self, head: &'a HeaderMap, now: SystemTime) -> Result<Pending<'a>, Unauthorized> {
        match self {
            Self::Open => Ok(Pending::Authentic),
            Self::Bearer(bearer) => bearer.check(head).map(|()| Pending::Authentic),
            Self::Hmac(hmac) => hmac.check_head(head, now).map(Pending::Signed),
        }
    }

    /// The challenge of a 401 (RFC 9110, section 11.6.1): the scheme alone, the same for every reason.
    pub(crate) fn challenge(&self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Open | Self::Bearer(_) => "Bearer",
            Self::Hmac(_) => "HMAC",
        })
    }
}

impl Pending<'_> {
    /// Checks the body.
    ///
    /// # Errors
    /// [`Unauthorized`]: the body is not the one that was signed, or not by one of the secrets.
    pub(crate) fn check_body(self, body: Buffer) -> Result<Authentic, Unauthorized> {
        match self {
            Self::Authentic => Ok(Authentic(body)),
            Self::Signed(signed) => signed.check_body(body.body()).map(|()| Authentic(body)),
        }
    }
}

/// The one value of the header `name`. Of two, nobody could say which one counts.
fn single<'a>(head: &'a HeaderMap, name: &HeaderName) -> Result<&'a [u8], Unauthorized> {
    let mut values = head.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Ok(value.as_bytes()),
        _ => Err(Unauthorized),
    }
}

fn header_name(key: String, name: &str) -> Result<HeaderName, AuthError> {
    HeaderName::try_from(name).map_err(|_| AuthError::Header { key, name: name.to_owned() })
}

/// The secrets of `auth`, of which there must be at least one, and none blank.
fn secrets(auth: &Auth, key: impl Fn(&str) -> String) -> Result<Vec<Secret>, AuthError> {
    let Some((list, file)) = auth.secret_keys() else {
        return Ok(Vec::new());
    };
    let secrets = auth.secrets().map_err(|source| AuthError::File { key: key(file), source })?;
    if secrets.is_empty() {
        return Err(AuthError::Empty { list: key(list), file: key(file) });
    }
    if secrets.iter().any(|secret| secret.expose().bytes().all(|byte| byte.is_ascii_whitespace())) {
        return Err(AuthError::Blank { key: key(list) });
    }
    Ok(secrets)
}

#[cfg(test)]
mod tests;
