//! A client certificate that a proxy has verified and passes on in a header: Envoy's `X-Forwarded-Client-Cert`,
//! `Client-Cert` (RFC 9440), or one in PEM, as nginx, Traefik, `HAProxy` and the load balancers of AWS send it.
//!
//! Whether the proxy may be trusted is the caller's matter: anybody can write such a header.

use axum::http::{HeaderMap, HeaderName};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode;

use super::{Peer, single};
use crate::config::{CertificateFormat, ForwardedCertificate};
use crate::quoted::{pair, split};

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
const END: &[u8] = b"-----END CERTIFICATE-----";

/// The header in which trusted proxies pass on the certificate of a client.
#[derive(Debug)]
pub(crate) struct Forwarded {
    header: HeaderName,
    format: CertificateFormat,
}

impl Forwarded {
    /// Compiles `receiver.forwarded_certificate`. Returns none where the name is not that of a header, which the
    /// config's check refuses.
    pub(crate) fn new(config: &ForwardedCertificate) -> Option<Self> {
        let header = HeaderName::from_bytes(config.header().as_bytes()).ok()?;
        Some(Self { header, format: config.format })
    }

    /// Returns whose certificate a request shows; none where it shows none that can be read.
    pub(crate) fn peer(&self, head: &HeaderMap) -> Option<Peer> {
        match self.format {
            CertificateFormat::Xfcc => {
                // Each proxy appends its own element, so the last one is of the proxy that is trusted.
                let last = head.get_all(&self.header).iter().next_back()?;
                of_element(split(last.as_bytes(), b',')?.pop()?)
            }
            CertificateFormat::Pem => Peer::read(&pem(single(head, &self.header).ok()?)?),
            CertificateFormat::Rfc9440 => {
                let value = single(head, &self.header).ok()?.trim_ascii();
                let inside = value.strip_prefix(b":")?.strip_suffix(b":")?;
                Peer::read(&STANDARD.decode(inside).ok()?)
            }
        }
    }
}

/// Returns the DER of the first certificate in `value`: PEM, percent-encoded or with its line breaks replaced, or the
/// base64 of it alone.
fn pem(value: &[u8]) -> Option<Vec<u8>> {
    // A plus is a plus here, as the proxies write it.
    let text: Vec<u8> = percent_decode(value).collect();
    let inside = match memchr::memmem::find(&text, BEGIN) {
        Some(begin) => {
            let rest = text.get(begin + BEGIN.len()..)?;
            rest.get(..memchr::memmem::find(rest, END)?)?
        }
        // Traefik separates the certificates of a chain by commas.
        None => text.split(|byte| *byte == b',').next()?,
    };
    let base64: Vec<u8> = inside.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(base64).ok()
}

/// Returns whose certificate an element of `X-Forwarded-Client-Cert` is of: by the certificate where the proxy passes
/// it on, else by the names that it found in it.
fn of_element(element: &[u8]) -> Option<Peer> {
    let pairs: Vec<(&[u8], &[u8])> = split(element, b';')?.into_iter().filter_map(pair).collect();
    let all = |wanted: &'static [u8]| {
        pairs.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(wanted)).map(|(_, value)| *value)
    };
    if let Some(certificate) = all(b"cert").chain(all(b"chain")).next() {
        return Peer::read(&pem(certificate)?);
    }
    let text = |value: &[u8]| String::from_utf8(value.to_vec()).ok();
    let mut names: Vec<String> = all(b"uri").chain(all(b"dns")).filter_map(text).collect();
    names.extend(all(b"subject").filter_map(text).filter_map(|subject| common_name(&subject)));
    (!names.is_empty()).then(|| Peer::named(names))
}

/// Returns the common name of a subject as RFC 2253 writes it: `CN=sender,O=Example`. Backslashes hide commas.
fn common_name(subject: &str) -> Option<String> {
    let (mut parts, mut part, mut chars) = (Vec::new(), String::new(), subject.chars());
    while let Some(char) = chars.next() {
        match char {
            '\\' => part.extend(chars.next()),
            ',' | '+' => parts.push(std::mem::take(&mut part)),
            other => part.push(other),
        }
    }
    parts.push(part);
    let is_name = |part: &String| Some(part.trim_start().split_once('=')?.1.to_owned());
    parts
        .iter()
        .filter(|part| part.trim_start().get(..3).is_some_and(|key| key.eq_ignore_ascii_case("CN=")))
        .find_map(is_name)
}

#[cfg(test)]
mod tests;
