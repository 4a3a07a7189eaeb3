//! Version 1 of the head (section 2.1): a line of text, such as `PROXY TCP4 192.0.2.7 10.0.0.1 49152 8080`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tokio::io::{AsyncRead, AsyncReadExt};

use super::{Origin, Refusal, START, cut_off};

/// The beginning of each head.
pub(super) const SIGNATURE: &[u8] = b"PROXY ";
/// The most bytes of a head, with its line end.
const MAX: usize = 107;

/// Reads the rest of a head that begins with `start`, up to its line end and no further.
///
/// # Errors
/// `Malformed`.
pub(super) async fn rest(start: [u8; START], stream: &mut (impl AsyncRead + Unpin)) -> Result<Origin, Refusal> {
    let mut line = [0; MAX];
    line[..START].copy_from_slice(&start);
    let mut len = START;
    // The shortest head is longer than its start.
    while !line[..len].ends_with(b"\r\n") {
        // A line end has two bytes, so at least this many are missing.
        let missing = if line[len - 1] == b'\r' { 1 } else { 2 };
        let room = line.get_mut(len..len + missing).ok_or(Refusal::Malformed)?;
        stream.read_exact(room).await.map_err(cut_off)?;
        len += missing;
        // A bare line feed does not end a head, and the bytes after it may be anything.
        if line[..len - 1].contains(&b'\n') {
            return Err(Refusal::Malformed);
        }
    }
    let text = std::str::from_utf8(&line[..len - 2]).map_err(|_| Refusal::Malformed)?;
    origin(text).ok_or(Refusal::Malformed)
}

/// Parses a line without its end.
fn origin(line: &str) -> Option<Origin> {
    let mut words = line.split(' ').skip(1);
    let family = words.next()?;
    if family == "UNKNOWN" {
        // The rest must be ignored.
        return Some(Origin::Proxy);
    }
    let [client, proxy, client_port, proxy_port] = [words.next()?, words.next()?, words.next()?, words.next()?];
    let client = address(family, client)?;
    address(family, proxy)?;
    let is_whole = words.next().is_none() && is_port(client_port) && is_port(proxy_port);
    is_whole.then(|| Origin::Address(client.to_canonical()))
}

fn address(family: &str, text: &str) -> Option<IpAddr> {
    match family {
        "TCP4" => text.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        "TCP6" => text.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        _ => None,
    }
}

/// Returns whether `text` is a number of at most 65535, without zeros before it.
fn is_port(text: &str) -> bool {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    is_plain && text.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests;
