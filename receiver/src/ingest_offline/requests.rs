//! Reads the head and the signature of a request. The fuzzer drives this in addition to bodies.

use std::net::{IpAddr, Ipv4Addr};
use std::time::SystemTime;

use axum::http::Request;
use axum::http::request::Parts;
use futures::FutureExt;

use crate::client::sender;
use crate::config::{Auth, CertificateFormat, ForwardedCertificate, Network, ProxyProtocol};
use crate::message::Buffer;
use crate::proxy_protocol;
use crate::receive::content::coding;
use crate::receive::{request_id, verify};
use crate::source::challenge::Challenge;
use crate::stages::authenticate::{Authenticator, Forwarded, Refused};
use crate::stages::unframe::{Reading, unframe};

/// Reads `bytes` as the head of a connection in the PROXY protocol, and as a request: a line with method and target, a
/// line for each header, an empty line, the body. Returns the result in a few words.
pub fn ingest_head(bytes: &[u8]) -> String {
    let mut rest = bytes;
    // All bytes are present, so the read never waits.
    let origin = proxy_protocol::head(&mut rest, ProxyProtocol::Any).now_or_never();
    let origin = match origin {
        Some(Ok(_)) => "proxied",
        Some(Err(refusal)) => refusal.code(),
        None => "waits",
    };
    let Some((head, body)) = request(bytes) else { return format!("{origin}-none") };
    let id = request_id::RequestId::of(&head.headers);
    debug_assert!((1..=128).contains(&id.as_bytes().len()));
    let traced = request_id::traceparent(&head.headers).is_some();
    for challenge in [Challenge::Parameter("c".to_owned()), Challenge::Okta, Challenge::X] {
        let answer = verify::answer(&challenge, &head, |_| Some([0; 32]));
        debug_assert!(answer.is_ok_and(|answer| answer.status().is_success()));
    }
    let proxy = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let trusted: Vec<Network> = "127.0.0.0/8".parse().into_iter().collect();
    let forwarded = sender(&head.headers, proxy, &trusted) != proxy;
    let formats = [CertificateFormat::Xfcc, CertificateFormat::Pem, CertificateFormat::Rfc9440];
    let certificate = formats
        .map(|format| ForwardedCertificate { format, header: None })
        .iter()
        .any(|config| Forwarded::new(config).is_some_and(|forwarded| forwarded.peer(&head.headers).is_some()));
    let coded = coding(&head.headers).is_ok();
    let form = unframe(&head.headers, body, &Reading::default()).map_or("refused", |_| "form");
    format!("{origin}-{form}-{coded}-{traced}-{forwarded}-{certificate}")
}

/// Authenticates requests in several ways.
pub struct OfflineSignatures {
    authenticators: Vec<Authenticator>,
    now: SystemTime,
}

/// The result for a signed request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signature {
    /// The bytes are not a request.
    None,
    /// The head is refused.
    Head,
    /// The signature does not match the body, or no secret made it.
    Body,
    /// The request is accepted, with this body.
    Accepted(Vec<u8>),
}

impl OfflineSignatures {
    /// Creates authenticators for `ways`, which contain their secrets, at the time `now`.
    ///
    /// # Errors
    /// Why one of `ways` cannot be used.
    pub fn new(ways: &[Auth], now: SystemTime) -> Result<Self, String> {
        let compile = |auth: &Auth| {
            let secrets = auth.secrets().map_err(|error| error.to_string())?;
            Authenticator::compile("fuzz", auth, &secrets).map_err(|error| error.to_string())
        };
        Ok(Self { authenticators: ways.iter().map(compile).collect::<Result<_, _>>()?, now })
    }

    /// Checks `bytes`, a request as in [`ingest_head`], with the authenticator of this number.
    pub fn check(&self, number: usize, bytes: &[u8]) -> Signature {
        let (Some(authenticator), Some((head, body))) = (self.authenticators.get(number), request(bytes)) else {
            return Signature::None;
        };
        let Ok(pending) = authenticator.check_head(&head, None, self.now) else { return Signature::Head };
        let mut buffer = Buffer::with_capacity(body.len());
        buffer.bytes_mut().extend_from_slice(body);
        match pending.check_body(buffer, self.now) {
            Ok((authentic, _claim)) => Signature::Accepted(authentic.body.body().to_vec()),
            Err(Refused::Unauthorized | Refused::InFlight) => Signature::Body,
        }
    }
}

/// Parses `bytes` as a request and its body.
fn request(bytes: &[u8]) -> Option<(Parts, &[u8])> {
    let end = memchr::memmem::find(bytes, b"\n\n");
    let (head, body) = end.map_or((bytes, &[][..]), |end| (&bytes[..end], &bytes[end + 2..]));
    let mut lines = head.split(|byte| *byte == b'\n');
    let mut words = lines.next()?.split(|byte| *byte == b' ');
    let target = std::str::from_utf8(words.nth(1)?).ok()?;
    let method = head.split(|byte| *byte == b' ').next()?;
    let mut request = Request::builder().method(method).uri(target);
    for line in lines {
        let (name, value) = line.split_at_checked(memchr::memchr(b':', line)?)?;
        request = request.header(name, value.get(1..)?.trim_ascii());
    }
    let (parts, ()) = request.body(()).ok()?.into_parts();
    Some((parts, body))
}
