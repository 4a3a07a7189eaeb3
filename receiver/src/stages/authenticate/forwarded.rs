//! Reads a client certificate that a proxy has verified and forwards in a header: Envoy's `X-Forwarded-Client-Cert`,
//! `Client-Cert` (RFC 9440), or PEM, as nginx, Traefik, `HAProxy` and the load balancers of AWS send it.
//!
//! The caller must check that the proxy is trusted, because anyone can write such a header.

use axum::http::{HeaderMap, HeaderName};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode;

use super::{Peer, single};
use crate::config::{CertificateFormat, ForwardedCertificate};
use crate::quoted::{pair, split};

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
const END: &[u8] = b"-----END CERTIFICATE-----";

/// The header in which trusted proxies forward client certificates.
#[derive(Debug)]
pub(crate) struct Forwarded {
    header: HeaderName,
    format: CertificateFormat,
}

impl Forwarded {
    /// Compiles `receiver.forwarded_certificate`. Returns `None` for an invalid header name, which the check of the
    /// config refuses.
    pub(crate) fn new(config: &ForwardedCertificate) -> Option<Self> {
        let header = HeaderName::from_bytes(config.header().as_bytes()).ok()?;
        Some(Self { header, format: config.format })
    }

    /// Returns the owner of the certificate in a request, or `None` if there is no readable certificate.
    pub(crate) fn peer(&self, head: &HeaderMap) -> Option<Peer> {
        match self.format {
            CertificateFormat::Xfcc => {
                // Each proxy appends its own element, so the last one comes from the trusted proxy.
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

/// Returns the DER of the first certificate in `value`: PEM that is percent-encoded or has its line breaks replaced, or
/// only its base64.
fn pem(value: &[u8]) -> Option<Vec<u8>> {
    // The proxies do not write a space as a plus, so a plus stays a plus.
    let text: Vec<u8> = percent_decode(value).collect();
    let inside = match memchr::memmem::find(&text, BEGIN) {
        Some(begin) => {
            let rest = text.get(begin + BEGIN.len()..)?;
            rest.get(..memchr::memmem::find(rest, END)?)?
        }
        // Traefik separates the certificates of a chain with commas.
        None => text.split(|byte| *byte == b',').next()?,
    };
    let base64: Vec<u8> = inside.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(base64).ok()
}

/// Returns the owner of the certificate in an element of `X-Forwarded-Client-Cert`: from the certificate if the proxy
/// forwards it, else from the names that the proxy found in it.
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

/// Returns the common name of a subject in the notation of RFC 2253: `CN=sender,O=Example`. Backslashes escape commas.
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
