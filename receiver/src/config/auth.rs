//! `receiver.sources.<name>.auth`.
//!
//! [`fields`] reads the keys. This file provides the secrets, for the check of the config and for authentication.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};

use fields::Fields;
use service::secret::Secret;

pub use fields::Preset;
pub(super) use secrets::problem as secret_problem;
pub use template::SignedPart;

mod fields;
mod secrets;
mod template;

/// `receiver.sources.<name>.auth`: who may post. There is no default: leaving it out is an error, so that no webhook is
/// open by accident (P7).
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "snake_case", try_from = "Fields")]
pub enum Auth {
    /// Accepts everybody. The config must name this type explicitly.
    None,
    /// `Authorization: Bearer <token>`.
    Bearer {
        /// `tokens`: `bearer`: a list; each token is accepted in `Authorization: Bearer …`.
        tokens: Vec<Secret>,
        /// `tokens_file`: `bearer`: a file with more tokens, one per line.
        tokens_file: Option<PathBuf>,
    },
    /// `Authorization: Basic <user:password in base64>` (RFC 7617).
    Basic {
        /// `credentials`: `basic`: a list of `user:password`; each is accepted in `Authorization: Basic …`.
        credentials: Vec<Secret>,
        /// `credentials_file`: `basic`: a file with more of them, one per line.
        credentials_file: Option<PathBuf>,
    },
    /// A keyed hash of the body (RFC 2104) in a header.
    Hmac {
        /// `header`: `hmac`: the header with the signature, a keyed hash (RFC 2104) of the body; several signatures are
        /// separated by commas, semicolons or spaces, or are in several headers. Required without a `preset`.
        header: String,
        /// `algorithm`: `hmac`: `sha256` or `sha512`.
        algorithm: HmacAlgorithm,
        /// `encoding`: `hmac`: `hex` or `base64`, in either alphabet, padded or not.
        encoding: HmacEncoding,
        /// `prefix`: `hmac`: the text before each signature, such as `sha256=`; signatures with another prefix are
        /// skipped.
        prefix: String,
        /// `timestamp_prefix`: `hmac`: the text before the timestamp in the signature header, such as `t=`, instead of
        /// `timestamp_header`.
        timestamp_prefix: Option<String>,
        /// `timestamp_header`: `hmac`: a header with the time: Unix time in seconds, milliseconds, microseconds or
        /// nanoseconds, or RFC 3339.
        timestamp_header: Option<String>,
        /// `signed`: `hmac`: the signed text, such as `v0:{timestamp}:{body}`. The placeholders are `{body}`,
        /// `{timestamp}`, `{method}`, `{path}` (with the query), `{content_type}`, `{content_encoding}` and
        /// `{header:NAME}`. By default `{timestamp}.{body}` if there is a timestamp, else `{body}`.
        signed: Option<String>,
        /// `tolerance`: `hmac`, `standard_webhooks`: the largest difference between the timestamp and the receiver's
        /// clock.
        #[serde(with = "humantime_serde")]
        tolerance: Duration,
        /// `replay_capacity`: `hmac` with a timestamp, `standard_webhooks`: how many signatures of accepted requests
        /// are remembered, for twice the tolerance, to refuse replays; 0 turns it off.
        replay_capacity: usize,
        /// `trusted_headers`: `hmac`, `standard_webhooks`: headers that may decide how a body is read although they are
        /// not signed: `Content-Type`, `Content-Encoding`, `X-Schema-Id`, `X-Schema-Version`. See what a signature
        /// covers (`docs/authentication.md`).
        trusted_headers: Vec<String>,
        /// `secrets`: `hmac`, `standard_webhooks`: a list; each secret is accepted. Those of Standard Webhooks are
        /// base64, with or without `whsec_`.
        secrets: Vec<Secret>,
        /// `secrets_file`: `hmac`, `standard_webhooks`: a file with more secrets, one per line.
        secrets_file: Option<PathBuf>,
    },
    /// Standard Webhooks: the headers `webhook-id`, `webhook-timestamp` and `webhook-signature`, or those with `svix-`.
    StandardWebhooks {
        /// `tolerance`: `hmac`, `standard_webhooks`: the largest difference between the timestamp and the receiver's
        /// clock.
        #[serde(with = "humantime_serde")]
        tolerance: Duration,
        /// `replay_capacity`: `hmac` with a timestamp, `standard_webhooks`: how many signatures of accepted requests
        /// are remembered, for twice the tolerance, to refuse replays; 0 turns it off.
        replay_capacity: usize,
        /// `trusted_headers`: `hmac`, `standard_webhooks`: headers that may decide how a body is read although they are
        /// not signed: `Content-Type`, `Content-Encoding`, `X-Schema-Id`, `X-Schema-Version`. See what a signature
        /// covers (`docs/authentication.md`).
        trusted_headers: Vec<String>,
        /// `secrets`: `hmac`, `standard_webhooks`: a list; each secret is accepted. Those of Standard Webhooks are
        /// base64, with or without `whsec_`.
        secrets: Vec<Secret>,
        /// `secrets_file`: `hmac`, `standard_webhooks`: a file with more secrets, one per line.
        secrets_file: Option<PathBuf>,
    },
    /// A client certificate that one of `receiver.tls.client_ca_file` has signed.
    Mtls {
        /// `names`: `mtls`: the accepted names: a DNS name, URI or e-mail address in the subject alternative names, or
        /// the common name. By default every certificate signed by `receiver.tls.client_ca_file` is accepted.
        names: Vec<String>,
    },
}

/// Says why the secrets of an [`Auth`] cannot be used. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SecretsError {
    /// The key below `auth` to fix.
    pub key: &'static str,
    message: String,
}

impl Auth {
    /// Returns the accepted secrets: those of the config, and those in the file that it names. Reads the file at each
    /// call, so that a secret can be changed while the process runs. The file has one secret per line; empty lines and
    /// lines that begin with `#` are skipped. White space around a secret is ignored. Returns none only for types
    /// without secrets.
    ///
    /// # Errors
    /// When the file cannot be read, there is no secret, or a secret in the config is blank.
    pub fn secrets(&self) -> Result<Vec<Secret>, SecretsError> {
        let (listed, file) = match self {
            Self::None | Self::Mtls { .. } => return Ok(Vec::new()),
            Self::Bearer { tokens, tokens_file } => (tokens, tokens_file),
            Self::Basic { credentials, credentials_file } => (credentials, credentials_file),
            Self::Hmac { secrets, secrets_file, .. } | Self::StandardWebhooks { secrets, secrets_file, .. } => {
                (secrets, secrets_file)
            }
        };
        let (list_key, file_key) = self.secret_keys().unwrap_or_default();
        if listed.iter().any(|secret| secret.expose().bytes().all(|byte| byte.is_ascii_whitespace())) {
            let message = "one of them is blank: remove it or give it a value".to_owned();
            return Err(SecretsError { key: list_key, message });
        }
        // As in a file. A sender's token is read without white space too, so a token with it would never match.
        let mut secrets: Vec<Secret> = listed.iter().map(|secret| Secret::new(secret.expose().trim_ascii())).collect();
        if let Some(file) = file {
            secrets.extend(read_secrets(file).map_err(|message| SecretsError { key: file_key, message })?);
        }
        if secrets.is_empty() {
            let message = format!(
                "must not be empty, since no sender could post: set {list_key} or {file_key}, or use type: none to \
                 accept everyone"
            );
            return Err(SecretsError { key: list_key, message });
        }
        Ok(secrets)
    }

    /// Checks that each of `secrets` is safe to use. Runs both when the config is checked and when secrets are
    /// reloaded.
    ///
    /// # Errors
    /// When a secret is not safe; the error does not contain it.
    pub fn check_secrets(&self, secrets: &[Secret]) -> Result<(), SecretsError> {
        let key = self.secret_keys().unwrap_or_default().0;
        match (1..).zip(secrets).find_map(|(number, secret)| secrets::problem(self, number, secret)) {
            Some(message) => Err(SecretsError { key, message }),
            None => Ok(()),
        }
    }

    /// Returns whether the signed text has a timestamp.
    pub fn has_timestamp(&self) -> bool {
        match self {
            Self::Hmac { timestamp_header, timestamp_prefix, .. } => {
                timestamp_header.is_some() || timestamp_prefix.is_some()
            }
            Self::StandardWebhooks { .. } => true,
            Self::None | Self::Bearer { .. } | Self::Basic { .. } | Self::Mtls { .. } => false,
        }
    }

    /// Returns the parts of the signed text, from `signed` or its default. For types other than `hmac`, it is the body
    /// alone.
    ///
    /// # Errors
    /// In words, when `signed` cannot be used.
    pub fn signed_parts(&self) -> Result<Vec<SignedPart>, String> {
        let Self::Hmac { signed, .. } = self else {
            return Ok(vec![SignedPart::Body]);
        };
        let default = if self.has_timestamp() { "{timestamp}.{body}" } else { "{body}" };
        let parts = template::signed_parts(signed.as_deref().unwrap_or(default))?;
        match (parts.contains(&SignedPart::Timestamp), self.has_timestamp()) {
            (true, false) => {
                Err("must not hold {timestamp} without a timestamp_header or a timestamp_prefix".to_owned())
            }
            (false, true) => Err("must hold {timestamp} once, or anyone could change the timestamp".to_owned()),
            _ => Ok(parts),
        }
    }

    /// Returns whether only the sender can have set `header`, a name in lowercase: it is signed or trusted, or the
    /// whole connection is the sender's.
    pub fn covers(&self, header: &str) -> bool {
        let trusted = match self {
            Self::Hmac { trusted_headers, .. } | Self::StandardWebhooks { trusted_headers, .. } => trusted_headers,
            Self::None | Self::Bearer { .. } | Self::Basic { .. } | Self::Mtls { .. } => return true,
        };
        let is_signed = |part: &SignedPart| matches!(part, SignedPart::Header(name) if name == header);
        trusted.iter().any(|name| name.eq_ignore_ascii_case(header))
            || self.signed_parts().is_ok_and(|parts| parts.iter().any(is_signed))
    }

    /// Returns the keys that [`Auth::secrets`] reads, for messages: the list and the file. `None` for types without
    /// secrets.
    pub fn secret_keys(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::None | Self::Mtls { .. } => None,
            Self::Bearer { .. } => Some(("tokens", "tokens_file")),
            Self::Basic { .. } => Some(("credentials", "credentials_file")),
            Self::Hmac { .. } | Self::StandardWebhooks { .. } => Some(("secrets", "secrets_file")),
        }
    }
}

fn read_secrets(file: &Path) -> Result<Vec<Secret>, String> {
    let text =
        config::read_text(file).map_err(|error| format!("cannot read the secrets in {}: {error}", file.display()))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(lines.map(Secret::new).collect())
}

/// Returns the key that a secret of Standard Webhooks encodes: the base64, padded or not, with or without `whsec_`.
/// Supabase writes `v1,whsec_`. `None` if it is not base64, or a key of version 1a, which comes in a pair.
pub fn standard_webhooks_key(secret: &Secret) -> Option<Vec<u8>> {
    let text = secret.expose().trim();
    let text = text.strip_prefix("v1,").unwrap_or(text);
    if ["whsk_", "whpk_"].iter().any(|prefix| text.starts_with(prefix)) {
        return None;
    }
    let text = text.strip_prefix("whsec_").unwrap_or(text).trim_end_matches('=');
    STANDARD_NO_PAD.decode(text.replace('-', "+").replace('_', "/")).ok()
}

/// The `algorithm` of an HMAC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HmacAlgorithm {
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-512.
    Sha512,
}

/// The `encoding` of an HMAC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HmacEncoding {
    /// Hexadecimal digits, either case.
    #[default]
    Hex,
    /// Base64 (RFC 4648, section 4).
    Base64,
}
