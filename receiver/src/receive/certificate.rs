//! Whose certificate a request shows: that of its connection, or the one that a trusted proxy passes on.

use std::borrow::Cow;

use axum::http::request::Parts;

use super::Endpoint;
use crate::client::Client;
use crate::stages::authenticate::Peer;

impl Endpoint {
    /// Returns whose certificate a request from `client` shows. The certificate of a proxy's connection is the proxy's
    /// own, and counts for nothing.
    pub(super) fn certificate<'a>(&self, head: &Parts, client: Option<&'a Client>) -> Option<Cow<'a, Peer>> {
        match self.forwarded_certificate(head, client) {
            Some(forwarded) => forwarded.map(Cow::Owned),
            None => client.and_then(Client::certificate).map(Cow::Borrowed),
        }
    }

    /// Returns whose certificate a trusted proxy passes on with a request, or that it passes on none; none for the
    /// requests of all others, where the certificate of the connection counts.
    fn forwarded_certificate(&self, head: &Parts, client: Option<&Client>) -> Option<Option<Peer>> {
        let rule = self.common.forwarded_certificate.as_ref()?;
        let address = client?.address();
        let is_proxy = self.common.trusted_proxies.iter().any(|network| network.contains(address));
        is_proxy.then(|| rule.peer(&head.headers))
    }
}
