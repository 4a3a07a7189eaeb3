//! Addresses and networks, and the settings for what proxies pass on.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A network of addresses with the same first bits (`10.0.0.0/8`, `2001:db8::/32`), or a single address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// `receiver.proxy_protocol`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProxyProtocol {
    /// Connections begin with TLS or HTTP.
    None,
    /// Each connection begins with a head of version 1 of the PROXY protocol, a line of text.
    V1,
    /// Each connection begins with a head of version 2, which is binary.
    V2,
    /// Each connection begins with a head of either version.
    Any,
}

/// `receiver.forwarded_certificate`: the header in which trusted proxies pass on the certificate of a client, which
/// they have verified.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ForwardedCertificate {
    /// `receiver.forwarded_certificate.format`: how the certificate is written: `xfcc`, `pem` or `rfc9440`.
    pub format: CertificateFormat,
    /// `receiver.forwarded_certificate.header`: the name of the header. Absent: by the format,
    /// `X-Forwarded-Client-Cert`, `X-SSL-Client-Cert` or `Client-Cert`.
    #[serde(default)]
    pub header: Option<String>,
}

/// `receiver.forwarded_certificate.format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificateFormat {
    /// Envoy's `X-Forwarded-Client-Cert`: elements of pairs. The last element counts.
    Xfcc,
    /// PEM, percent-encoded or in one line, or only its base64.
    Pem,
    /// The `Client-Cert` of RFC 9440: base64 between colons.
    Rfc9440,
}

impl ForwardedCertificate {
    /// Returns the name of the header.
    pub fn header(&self) -> &str {
        self.header.as_deref().unwrap_or(match self.format {
            CertificateFormat::Xfcc => "x-forwarded-client-cert",
            CertificateFormat::Pem => "x-ssl-client-cert",
            CertificateFormat::Rfc9440 => "client-cert",
        })
    }
}

impl Network {
    /// Returns whether `address` belongs to the network.
    pub fn contains(&self, address: IpAddr) -> bool {
        let differing = match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => (own.to_bits() ^ other.to_bits()).leading_zeros(),
            (IpAddr::V6(own), IpAddr::V6(other)) => (own.to_bits() ^ other.to_bits()).leading_zeros(),
            _ => return false,
        };
        differing >= u32::from(self.bits)
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not an address or a network, such as 10.0.0.0/8");
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().map_err(|_| wrong())?;
        let all = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(all);
        if bits > all { Err(wrong()) } else { Ok(Self { address, bits }) }
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

#[cfg(test)]
mod tests;
