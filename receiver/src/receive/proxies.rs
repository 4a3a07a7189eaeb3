//! Reads what trusted proxies forward with a request: the address of its sender, and the client certificate.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

use axum::http::HeaderMap;

use crate::client::{Client, sender};
use crate::config::Network;
use crate::stages::authenticate::{Forwarded, Peer};

/// The trusted proxies.
pub(crate) struct Proxies {
    /// `receiver.trusted_proxies`.
    trusted: Vec<Network>,
    /// `receiver.forwarded_certificate`.
    certificate: Option<Forwarded>,
}

impl Proxies {
    /// Compiles the config's keys about proxies.
    pub(crate) fn new(receiver: &crate::config::Receiver) -> Self {
        Self {
            trusted: receiver.trusted_proxies.clone(),
            certificate: receiver.forwarded_certificate.as_ref().and_then(Forwarded::new),
        }
    }

    /// Returns the address of the sender of a request from `client`.
    pub(super) fn sender(&self, head: &HeaderMap, client: Option<&Client>) -> IpAddr {
        let address = client.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), Client::address);
        sender(head, address, &self.trusted)
    }

    /// Returns the client certificate of a request from `client`: that of its connection, or the one that a trusted
    /// proxy forwards. The certificate of a proxy's own connection does not count.
    pub(super) fn certificate<'a>(&self, head: &HeaderMap, client: Option<&'a Client>) -> Option<Cow<'a, Peer>> {
        match self.forwarded_certificate(head, client) {
            Some(forwarded) => forwarded.map(Cow::Owned),
            None => client.and_then(Client::certificate).map(Cow::Borrowed),
        }
    }

    /// Returns the certificate that a trusted proxy forwards with a request; the inner `None` says that it forwards no
    /// certificate. Returns `None` if the request is not from a proxy, in which case the certificate of the connection
    /// counts.
    fn forwarded_certificate(&self, head: &HeaderMap, client: Option<&Client>) -> Option<Option<Peer>> {
        let rule = self.certificate.as_ref()?;
        let address = client?.address();
        let is_proxy = self.trusted.iter().any(|network| network.contains(address));
        is_proxy.then(|| rule.peer(head))
    }
}
