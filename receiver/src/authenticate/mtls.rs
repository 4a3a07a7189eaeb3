//! A client certificate. That one of our authorities has signed it, and that the client has its key, is the handshake's business;
//! here is only whose it is.

use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::Unauthorized;

/// Who is at the other end of a connection, by the certificate that was verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Peer {
    names: Vec<String>,
}

/// Whose certificates are accepted.
pub(super) struct Mtls {
    names: Vec<String>,
}

impl Peer {
    /// Whom the certificate (X.509 in DER) is of: its subject alternative names that are DNS names, URIs and e-mail addresses, and its
    /// common names.
    pub(crate) fn of(certificate: &[u8]) -> Self {
        let Ok((_, certificate)) = X509Certificate::from_der(certificate) else {
            // The handshake has read it, so that this does not happen; nobody has no name.
            return Self::default();
        };
        let common = certificate.subject().iter_common_name().filter_map(|name| name.as_str().ok());
        let mut names: Vec<String> = common.map(str::to_owned).collect();
        if let Ok(Some(alternative)) = certificate.subject_alternative_name() {
            names.extend(alternative.value.general_names.iter().filter_map(name));
        }
        Self { names }
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

    /// Checks the connection's certificate, where it has one.
    pub(super) fn check(&self, peer: Option<&Peer>) -> Result<(), Unauthorized> {
        let peer = peer.ok_or(Unauthorized)?;
        let accepted = self.names.is_empty() || peer.names.iter().any(|name| self.names.contains(name));
        if accepted { Ok(()) } else { Err(Unauthorized) }
    }
}
