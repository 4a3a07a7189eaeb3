//! The head that a proxy sends before a connection, by the PROXY protocol (`proxy-protocol.txt` of `HAProxy`): which
//! address the connection comes from. Version 2 (section 2.2) is binary; version 1 is [`text`].
//!
//! The reader stops after the last byte of the head: the TLS handshake or HTTP follows.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::config::ProxyProtocol;

mod text;

/// What each head of version 2 begins with.
const SIGNATURE: [u8; START] = *b"\r\n\r\n\0\r\nQUIT\n";
/// The bytes that show the version. The shortest head is longer.
const START: usize = 12;
/// Signature, version and command, family and transport, and the length of the rest.
const FIXED: usize = 16;
/// The bytes of the longest supported addresses: two of IPv6, and two ports.
const ADDRESSES: usize = 36;

/// Says why a connection that should begin with a head is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// The connection comes from an address that is not a trusted proxy.
    #[error("receiver.proxy_protocol: the connection is not from one of receiver.trusted_proxies")]
    Untrusted,
    /// The connection begins with something else.
    #[error(
        "receiver.proxy_protocol: the connection does not begin with a header of that version of the PROXY protocol"
    )]
    Missing,
    /// The head violates the specification or is cut off.
    #[error("receiver.proxy_protocol: the header of the PROXY protocol is malformed")]
    Malformed,
    /// The head did not arrive in time.
    #[error("receiver.proxy_protocol: the header of the PROXY protocol took longer than receiver.head_timeout")]
    Late,
}

impl Refusal {
    /// All variants.
    pub(crate) const ALL: [Self; 4] = [Self::Untrusted, Self::Missing, Self::Malformed, Self::Late];

    /// Returns a fixed word for metrics.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Untrusted => "untrusted",
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::Late => "late",
        }
    }
}

/// The beginning of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A head that names the address of the client.
    Address(IpAddr),
    /// A head without an address: the proxy speaks for itself (`LOCAL`, as in a health check), or does not know the
    /// address (`UNSPEC`, a Unix socket).
    Proxy,
    /// The connection closed before its first byte, like the health checks of some load balancers.
    Closed,
}

/// Reads the head of `stream`, of a version in `versions`, which must be there within `timeout`.
///
/// # Errors
/// [`Refusal`]: the caller must close the connection.
pub(super) async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    versions: ProxyProtocol,
    timeout: Duration,
) -> Result<Origin, Refusal> {
    tokio::time::timeout(timeout, head(stream, versions)).await.unwrap_or(Err(Refusal::Late))
}

/// Reads the head of `stream`, without a time-out.
///
/// # Errors
/// As [`read`].
pub(crate) async fn head(stream: &mut (impl AsyncRead + Unpin), versions: ProxyProtocol) -> Result<Origin, Refusal> {
    let mut start = [0; START];
    let mut there = 0;
    while there < START {
        match stream.read(&mut start[there..]).await {
            Ok(0) | Err(_) if there == 0 => return Ok(Origin::Closed),
            Ok(0) | Err(_) => return Err(Refusal::Malformed),
            Ok(more) => there += more,
        }
        // Another protocol is detected at its first bytes. It may be shorter than a head.
        if !begins(&start[..there], versions) {
            return Err(Refusal::Missing);
        }
    }
    if start == SIGNATURE { binary(stream).await } else { text::rest(start, stream).await }
}

/// Returns whether a head of one of `versions` may begin with these bytes.
fn begins(seen: &[u8], versions: ProxyProtocol) -> bool {
    let is_begun = |signature: &[u8]| seen.iter().zip(signature).all(|(seen, wanted)| seen == wanted);
    match versions {
        ProxyProtocol::None => false,
        ProxyProtocol::V1 => is_begun(text::SIGNATURE),
        ProxyProtocol::V2 => is_begun(&SIGNATURE),
        ProxyProtocol::Any => is_begun(text::SIGNATURE) || is_begun(&SIGNATURE),
    }
}

/// Reads what follows the signature of version 2.
async fn binary(stream: &mut (impl AsyncRead + Unpin)) -> Result<Origin, Refusal> {
    let mut fixed = [0; FIXED - START];
    stream.read_exact(&mut fixed).await.map_err(cut_off)?;
    let [command, family, high, low] = fixed;
    let len = usize::from(u16::from_be_bytes([high, low]));
    let (mut addresses, read) = ([0; ADDRESSES], len.min(ADDRESSES));
    stream.read_exact(&mut addresses[..read]).await.map_err(cut_off)?;
    skip(stream, len - read).await?;
    match command {
        0x20 => Ok(Origin::Proxy),
        0x21 => address(family, &addresses[..read]),
        _ => Err(Refusal::Malformed),
    }
}

/// Returns the client's address from `addresses`, which have this family and transport.
fn address(family: u8, addresses: &[u8]) -> Result<Origin, Refusal> {
    if family & 0x0f > 2 {
        return Err(Refusal::Malformed);
    }
    let address = match family >> 4 {
        0 | 3 => return Ok(Origin::Proxy),
        1 if addresses.len() >= 12 => addresses.first_chunk().map(|bytes: &[u8; 4]| Ipv4Addr::from(*bytes).into()),
        2 if addresses.len() >= 36 => addresses.first_chunk().map(|bytes: &[u8; 16]| Ipv6Addr::from(*bytes).into()),
        _ => None,
    };
    let address: IpAddr = address.ok_or(Refusal::Malformed)?;
    Ok(Origin::Address(address.to_canonical()))
}

/// Reads and discards `left` bytes: the optional fields (`TLV`) after the addresses.
async fn skip(stream: &mut (impl AsyncRead + Unpin), mut left: usize) -> Result<(), Refusal> {
    let mut scratch = [0; 256];
    while left > 0 {
        let piece = left.min(scratch.len());
        stream.read_exact(&mut scratch[..piece]).await.map_err(cut_off)?;
        left -= piece;
    }
    Ok(())
}

fn cut_off(error: std::io::Error) -> Refusal {
    debug_assert_ne!(error.kind(), ErrorKind::WouldBlock);
    Refusal::Malformed
}

#[cfg(test)]
mod tests;
