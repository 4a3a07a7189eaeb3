//! A client certificate. That one of our authorities has signed it, and that the client has its key, is the handshake's
//! business; here is only whose it is.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::Unauthorized;

/// Who is at the other end of a connection, by the certificate that was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Peer {
    names: Vec<String>,
    /// In seconds since the Unix epoch: no longer valid after it. None where only a proxy knows it.
    not_after: Option<u64>,
}

/// Whose certificates are accepted.
pub(super) struct Mtls {
    names: Vec<String>,
}

impl Peer {
    /// Whom the certificate (X.509 in DER) is of: its subject alternative names that are DNS names, URIs and e-mail
    /// addresses, and its common names.
    pub(crate) fn of(certificate: &[u8]) -> Self {
        // The handshake has read it, so there is one. One that cannot be read has no name and has expired.
        Self::read(certificate).unwrap_or_else(|| Self { names: Vec::new(), not_after: Some(0) })
    }

    /// As [`Peer::of`]; none where `certificate` is no certificate.
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

    /// Returns who has these `names`, by the word of a proxy that has seen the certificate.
    pub(super) fn named(names: Vec<String>) -> Self {
        Self { names, not_after: None }
    }

    /// Returns whether the certificate is still valid at `now`. The handshake has seen to it for a new connection; a
    /// connection may outlast its certificate, and a resumed one shows the certificate of the one before.
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
    /// Accepts certificates with one of `names`; every one when there are none.
    pub(super) fn new(names: &[String]) -> Self {
        Self { names: names.to_vec() }
    }

    /// Checks the connection's certificate at `now`, where it has one.
    pub(super) fn check(&self, peer: Option<&Peer>, now: SystemTime) -> Result<(), Unauthorized> {
        let peer = peer.filter(|peer| peer.is_valid(now)).ok_or(Unauthorized)?;
        let accepted = self.names.is_empty() || peer.names.iter().any(|name| self.names.contains(name));
        if accepted { Ok(()) } else { Err(Unauthorized) }
    }
}
