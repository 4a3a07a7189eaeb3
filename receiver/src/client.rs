//! The client at the other end of a connection, and the state that all requests of a connection share.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;

use crate::config::Network;
use crate::quoted::{pair, split};
use crate::stages::authenticate::Peer;

const FORWARDED: HeaderName = HeaderName::from_static("forwarded");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// A connection as its requests see it.
#[derive(Debug)]
pub(crate) struct Client {
    address: IpAddr,
    certificate: Option<Peer>,
    opened: Instant,
    /// The number of requests being answered.
    answering: AtomicUsize,
    /// When the last request ended, in milliseconds since `opened`.
    idle_since: AtomicU64,
    /// Whether a request has arrived.
    begun: AtomicBool,
    /// Whether a request came from an authenticated sender.
    known: AtomicBool,
}

/// One request of a [`Client`], from its head to its answer: an extension of the request.
#[derive(Debug)]
pub(crate) struct Visit(Arc<Client>);

impl Client {
    /// Creates the client of a new connection from `address`, with the certificate of its TLS handshake.
    pub(crate) fn new(address: IpAddr, certificate: Option<Peer>) -> Arc<Self> {
        Arc::new(Self {
            address,
            certificate,
            opened: Instant::now(),
            answering: AtomicUsize::new(0),
            idle_since: AtomicU64::new(0),
            begun: AtomicBool::new(false),
            known: AtomicBool::new(false),
        })
    }

    /// Returns the client's address.
    pub(crate) fn address(&self) -> IpAddr {
        self.address
    }

    /// Returns the certificate that the client showed, if any.
    pub(crate) fn certificate(&self) -> Option<&Peer> {
        self.certificate.as_ref()
    }

    /// Returns whether a request has arrived on the connection.
    pub(crate) fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed)
    }

    /// Returns whether a request is being answered.
    pub(crate) fn is_answering(&self) -> bool {
        self.answering.load(Ordering::Relaxed) > 0
    }

    /// Returns whether an authenticated sender has used the connection.
    pub(crate) fn is_known(&self) -> bool {
        self.known.load(Ordering::Relaxed)
    }

    /// Notes that a request came from an authenticated sender.
    pub(crate) fn set_known(&self) {
        // Reading first avoids writes to a cache line that all streams of the connection share.
        if !self.is_known() {
            self.known.store(true, Ordering::Relaxed);
        }
    }

    /// Waits until no request has been answered for `timeout`. May take up to a quarter longer.
    pub(crate) async fn idle(&self, timeout: Duration) {
        loop {
            let since = Duration::from_millis(self.idle_since.load(Ordering::Relaxed));
            let over = self.opened + since + timeout;
            let now = Instant::now();
            match (self.is_answering(), now < over) {
                (false, false) => return,
                (false, true) => tokio::time::sleep_until(over).await,
                (true, _) => tokio::time::sleep(timeout / 4).await,
            }
        }
    }
}

impl Visit {
    /// Begins a request of `client`.
    pub(crate) fn begin(client: &Arc<Client>) -> Self {
        client.begun.store(true, Ordering::Relaxed);
        client.answering.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(client))
    }

    /// Returns the connection of the request.
    pub(crate) fn client(&self) -> &Client {
        &self.0
    }
}

impl Clone for Visit {
    fn clone(&self) -> Self {
        Self::begin(&self.0)
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let client = &self.0;
        let since = u64::try_from(client.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        client.idle_since.store(since, Ordering::Relaxed);
        client.answering.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Returns the sender of a request that came from `address`. If `address` is one of the `trusted` proxies, the sender
/// is the last address in `Forwarded` (RFC 7239) or `X-Forwarded-For` that is not a trusted proxy. Anyone may have
/// written the entries before it.
///
/// Returns `address` if both headers are present and name different senders: a proxy that writes one of them may pass
/// on the other as the client wrote it, and nothing shows which one the proxy writes.
pub(crate) fn sender(head: &HeaderMap, address: IpAddr, trusted: &[Network]) -> IpAddr {
    if !is_trusted(address, trusted) {
        return address;
    }
    let standard = head.contains_key(FORWARDED).then(|| {
        let nodes = head.get_all(FORWARDED).iter().rev().flat_map(|value| nodes_of(text(value)));
        nearest_stranger(nodes, address, trusted)
    });
    let usual = head.contains_key(FORWARDED_FOR).then(|| {
        let values = head.get_all(FORWARDED_FOR).iter().rev();
        nearest_stranger(values.flat_map(|value| text(value).rsplit(',').map(node)), address, trusted)
    });
    match (standard, usual) {
        (Some(one), Some(other)) if one != other => address,
        (one, other) => one.or(other).unwrap_or(address),
    }
}

/// Returns whether `address` is one of the `trusted` proxies.
fn is_trusted(address: IpAddr, trusted: &[Network]) -> bool {
    trusted.iter().any(|network| network.contains(address))
}

/// Returns the first of `nodes` that is not a trusted proxy. `nodes` begins with the nearest to the receiver. If the
/// list ends or has an unreadable node before that, returns the last proxy before it, or else `address`.
fn nearest_stranger(nodes: impl Iterator<Item = Option<IpAddr>>, address: IpAddr, trusted: &[Network]) -> IpAddr {
    let mut sender = address;
    for node in nodes {
        let Some(before) = node else { return sender };
        sender = before;
        if !is_trusted(sender, trusted) {
            return sender;
        }
    }
    sender
}

/// Returns the text of a value, or nothing if it has bytes other than visible ASCII.
fn text(value: &HeaderValue) -> &str {
    value.to_str().unwrap_or_default()
}

/// Returns the nodes of a value of `Forwarded`, the last one first. A value with misplaced quotes counts as unreadable.
fn nodes_of(value: &str) -> Vec<Option<IpAddr>> {
    match split(value.as_bytes(), b',') {
        Some(elements) => elements.into_iter().rev().map(for_of).collect(),
        None => vec![None],
    }
}

/// Returns the node of `for=` in one element of `Forwarded`.
fn for_of(element: &[u8]) -> Option<IpAddr> {
    let mut pairs = split(element, b';')?.into_iter().filter_map(pair);
    let (_, value) = pairs.find(|(name, _)| name.eq_ignore_ascii_case(b"for"))?;
    node(std::str::from_utf8(value).ok()?)
}

/// Returns the address in `text`, which may have a port, quotes and brackets.
fn node(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None => text.rsplit_once(':')?.0,
    };
    bare.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// Returns the address under which limits count `address`: for IPv6 its network of 64 bits, since one sender usually
/// has all addresses of the network.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests;
