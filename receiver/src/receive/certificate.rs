//! The client certificate of a request: that of its connection, or the one that a trusted proxy forwards.

use std::borrow::Cow;

use axum::http::request::Parts;

use super::Endpoint;
use crate::client::Client;
use crate::stages::authenticate::Peer;

impl Endpoint {
    /// Returns the client certificate of a request from `client`. The certificate of a proxy's own connection does not
    /// count.
    pub(super) fn certificate<'a>(&self, head: &Parts, client: Option<&'a Client>) -> Option<Cow<'a, Peer>> {
        match self.forwarded_certificate(head, client) {
            Some(forwarded) => forwarded.map(Cow::Owned),
            None => client.and_then(Client::certificate).map(Cow::Borrowed),
        }
    }

    /// Returns the certificate that a trusted proxy forwards with a request; the inner `None` says that it forwards
    /// none. Returns `None` if the request is not from a proxy, in which case the certificate of the connection counts.
    fn forwarded_certificate(&self, head: &Parts, client: Option<&Client>) -> Option<Option<Peer>> {
        let rule = self.common.forwarded_certificate.as_ref()?;
        let address = client?.address();
        let is_proxy = self.common.trusted_proxies.iter().any(|network| network.contains(address));
        is_proxy.then(|| rule.peer(&head.headers))
    }
}
