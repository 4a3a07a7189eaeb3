//! `kafka.security`.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::ConfigError;
use super::redact;
use service::secret::Secret;

/// `kafka.security`: the protocol and the credentials for the cluster.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct KafkaSecurity {
    /// `kafka.security.protocol`: `ssl`, `sasl_ssl` or `sasl_plaintext`.
    pub protocol: SecurityProtocol,
    /// `kafka.security.ca_file`: a PEM file with the authorities that may sign the brokers' certificates; by default
    /// those of the system.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// `kafka.security.certificate_file`: a PEM file with Penstock's client certificate, for brokers that require one.
    #[serde(default)]
    pub certificate_file: Option<PathBuf>,
    /// `kafka.security.key_file`: a PEM file with its private key.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
    /// `kafka.security.key_password`: the password of the private key, if it has one.
    #[serde(default)]
    pub key_password: Option<Secret>,
    /// `kafka.security.key_password_file`: a file with that password.
    #[serde(default)]
    pub key_password_file: Option<PathBuf>,
    /// `kafka.security.mechanism`: the SASL mechanism, required with SASL: `PLAIN`, `SCRAM-SHA-256`, `SCRAM-SHA-512` or
    /// `OAUTHBEARER`.
    #[serde(default)]
    pub mechanism: Option<SaslMechanism>,
    /// `kafka.security.username`: `PLAIN` and `SCRAM-…`: the user.
    #[serde(default)]
    pub username: Option<String>,
    /// `kafka.security.password`: the user's password.
    #[serde(default)]
    pub password: Option<Secret>,
    /// `kafka.security.password_file`: a file with that password. It is read when a client is created: a new password
    /// takes effect after a restart.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// `kafka.security.oauth`: `OAUTHBEARER`: where tokens come from.
    #[serde(default)]
    pub oauth: Option<OAuth>,
}

/// `kafka.security.oauth`: tokens by client credentials (RFC 6749, section 4.4).
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OAuth {
    /// `kafka.security.oauth.token_url`: the token endpoint; Penstock uses the client-credentials grant (RFC 6749,
    /// section 4.4).
    #[serde(serialize_with = "redact::addresses")]
    pub token_url: String,
    /// `kafka.security.oauth.client_id`: Penstock's client id.
    pub client_id: String,
    /// `kafka.security.oauth.client_secret`: the client's secret.
    #[serde(default)]
    pub client_secret: Option<Secret>,
    /// `kafka.security.oauth.client_secret_file`: a file with that secret, read for each token.
    #[serde(default)]
    pub client_secret_file: Option<PathBuf>,
    /// `kafka.security.oauth.scope`: the requested scopes, separated by spaces.
    #[serde(default)]
    pub scope: Option<String>,
    /// `kafka.security.oauth.ca_file`: a PEM file with authorities accepted for the endpoint, in addition to those of
    /// the system.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

/// `kafka.security.protocol`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SecurityProtocol {
    /// TLS.
    Ssl,
    /// TLS and SASL.
    SaslSsl,
    /// SASL without TLS: for networks that are safe in themselves.
    SaslPlaintext,
}

/// `kafka.security.mechanism`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum SaslMechanism {
    /// The password itself.
    #[serde(rename = "PLAIN")]
    Plain,
    /// A proof of the password (RFC 5802).
    #[serde(rename = "SCRAM-SHA-256")]
    ScramSha256,
    /// The same with SHA-512.
    #[serde(rename = "SCRAM-SHA-512")]
    ScramSha512,
    /// A token (RFC 7628).
    #[serde(rename = "OAUTHBEARER")]
    OAuthBearer,
}

impl fmt::Debug for OAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        redact::debug(self, f)
    }
}

impl SecurityProtocol {
    /// Returns whether the protocol includes SASL.
    pub fn has_sasl(self) -> bool {
        self != Self::Ssl
    }

    /// Returns the protocol's name in librdkafka.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ssl => "ssl",
            Self::SaslSsl => "sasl_ssl",
            Self::SaslPlaintext => "sasl_plaintext",
        }
    }
}

impl SaslMechanism {
    /// Returns the mechanism's name in Kafka.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
            Self::OAuthBearer => "OAUTHBEARER",
        }
    }
}

/// Returns the secret from `file` if one is named, else `value`. Drops white space around the file's text, and the byte
/// order mark that some editors write at the beginning of a file.
pub fn secret(value: Option<&Secret>, file: Option<&PathBuf>) -> Result<Option<Secret>, ConfigError> {
    let Some(file) = file else {
        return Ok(value.cloned());
    };
    let text = read_text(file).map_err(|error| ConfigError(format!("cannot read {}: {error}", file.display())))?;
    Ok(Some(Secret::new(text.trim())))
}

/// Returns the text of a file without the byte order mark that some editors and shells of Windows put before it. With
/// the mark, a secret would be a different one.
///
/// # Errors
/// If the file cannot be read, or is not UTF-8.
pub fn read_text(file: &Path) -> std::io::Result<String> {
    let text = std::fs::read_to_string(file)?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}
