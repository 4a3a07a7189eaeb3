//! Client certificates. The handshake checks that a trusted authority has signed the certificate, and that the client
//! has its key. This module only checks whose it is.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::Unauthorized;

/// The owner of a verified certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Peer {
    names: Vec<String>,
    /// The end of its validity in seconds since the Unix epoch; `None` if only a proxy knows it.
    not_after: Option<u64>,
}

/// The accepted certificates.
pub(super) struct Mtls {
    names: Vec<String>,
}

impl Peer {
    /// Returns the owner of a certificate (X.509 in DER): its subject alternative names that are DNS names, URIs and
    /// e-mail addresses, and its common names.
    pub(crate) fn of(certificate: &[u8]) -> Self {
        // The handshake has parsed the certificate. An unreadable one counts as expired and has no names.
        Self::read(certificate).unwrap_or_else(|| Self { names: Vec::new(), not_after: Some(0) })
    }

    /// Does the same as [`Peer::of`], but returns `None` if `certificate` is not a certificate.
    pub(super) fn read(certificate: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
        let common = certificate.subject().iter_common_name().filter_map(|name| name.as_str().ok());
        let mut names: Vec<String> = common.map(str::to_owned).collect();
        if let Ok(Some(alternative)) = certificate.subject_alternative_name() {
            names.extend(alternative.value.general_names.iter().filter_map(name));
        }
        let not_after = u64::try_from(certificate.validity().not_after.timestamp()).unwrap_or(0);
        Some(Self { names, not_after: Some(not_after) })
    }

    /// Returns the owner of these `names`, as reported by a proxy that has seen the certificate.
    pub(super) fn named(names: Vec<String>) -> Self {
        Self { names, not_after: None }
    }

    /// Returns whether the certificate is still valid at `now`. The handshake checks it for a new connection. But a
    /// connection may outlast its certificate, and a resumed connection shows the certificate of the previous one.
    fn is_valid(&self, now: SystemTime) -> bool {
        let Some(not_after) = self.not_after else { return true };
        UNIX_EPOCH.checked_add(Duration::from_secs(not_after)).is_some_and(|end| now <= end)
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) | GeneralName::URI(name) | GeneralName::RFC822Name(name) => Some((*name).to_owned()),
        _ => None,
    }
}

impl Mtls {
    /// Accepts certificates with one of `names`, or every certificate if `names` is empty.
    pub(super) fn new(names: &[String]) -> Self {
        Self { names: names.to_vec() }
    }

    /// Checks the connection's certificate at `now`, if there is one.
    pub(super) fn check(&self, peer: Option<&Peer>, now: SystemTime) -> Result<(), Unauthorized> {
        let peer = peer.filter(|peer| peer.is_valid(now)).ok_or(Unauthorized)?;
        let accepted = self.names.is_empty() || peer.names.iter().any(|name| self.names.contains(name));
        if accepted { Ok(()) } else { Err(Unauthorized) }
    }
}
