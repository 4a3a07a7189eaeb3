//! `receiver.sources.<name>.auth`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ConfigError;
use crate::secret::Secret;

/// `receiver.sources.<name>.auth`: who may post. There is no default: leaving it out is an error, so that no webhook is open by
/// accident (P7).
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "snake_case", try_from = "Fields")]
pub enum Auth {
    /// Everybody. Has to be said in so many words.
    None,
    /// `Authorization: Bearer <token>`.
    Bearer {
        /// `tokens`: each of them is accepted, for rotation.
        tokens: Vec<Secret>,
        /// `tokens_file`: a file with more of them, one a line.
        tokens_file: Option<PathBuf>,
    },
    /// A keyed hash of the body (RFC 2104) in a header.
    Hmac {
        /// `header`: the header that holds the signature.
        header: String,
        /// `algorithm`: `sha256` or `sha512`.
        algorithm: HmacAlgorithm,
        /// `encoding`: `hex` or `base64`.
        encoding: HmacEncoding,
        /// `prefix`: what stands before the signature in the header, such as `sha256=`.
        prefix: String,
        /// `timestamp_header`: a header with the Unix time in seconds. When set, `<timestamp>.<body>` is signed, and a time that is
        /// further than `tolerance` from now is refused.
        timestamp_header: Option<String>,
        /// `tolerance`: see `timestamp_header`.
        #[serde(with = "humantime_serde")]
        tolerance: Duration,
        /// `secrets`: each of them is accepted, for rotation.
        secrets: Vec<Secret>,
        /// `secrets_file`: a file with more of them, one a line.
        secrets_file: Option<PathBuf>,
    },
}

impl Auth {
    /// The secrets that are accepted: those of the config, and those in the file that it names. The file is read at each call, so
    /// that a secret can be changed while the process runs. One secret a line; empty lines and lines that begin with `#` do not
    /// count.
    ///
    /// # Errors
    /// When the file cannot be read; names the file, never what is in it.
    pub fn secrets(&self) -> Result<Vec<Secret>, ConfigError> {
        let (listed, file) = match self {
            Self::None => return Ok(Vec::new()),
            Self::Bearer { tokens, tokens_file } => (tokens, tokens_file),
            Self::Hmac { secrets, secrets_file, .. } => (secrets, secrets_file),
        };
        let mut secrets = listed.clone();
        if let Some(file) = file {
            secrets.extend(read_secrets(file)?);
        }
        Ok(secrets)
    }

    /// The names of the keys that [`Auth::secrets`] reads, for messages: the list and the file. `None` where there are no secrets.
    pub fn secret_keys(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::None => None,
            Self::Bearer { .. } => Some(("tokens", "tokens_file")),
            Self::Hmac { .. } => Some(("secrets", "secrets_file")),
        }
    }
}

fn read_secrets(file: &Path) -> Result<Vec<Secret>, ConfigError> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| ConfigError(format!("cannot read the secrets in {}: {error}", file.display())))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(lines.map(Secret::new).collect())
}

/// `auth` as it is written: all keys of all types, so that each is told apart from a misspelt one, with its line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    r#type: Type,
    tokens: Option<Vec<Secret>>,
    tokens_file: Option<PathBuf>,
    header: Option<String>,
    algorithm: Option<HmacAlgorithm>,
    encoding: Option<HmacEncoding>,
    prefix: Option<String>,
    timestamp_header: Option<String>,
    #[serde(default, with = "humantime_serde")]
    tolerance: Option<Duration>,
    secrets: Option<Vec<Secret>>,
    secrets_file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Type {
    None,
    Bearer,
    Hmac,
}

/// How far a timestamp may be from now: what Standard Webhooks and others recommend.
const DEFAULT_TOLERANCE: Duration = Duration::from_secs(300);

impl TryFrom<Fields> for Auth {
    type Error = String;

    fn try_from(fields: Fields) -> Result<Self, String> {
        match fields.r#type {
            Type::None => {
                fields.refuse_bearer("none")?;
                fields.refuse_hmac("none")?;
                Ok(Self::None)
            }
            Type::Bearer => {
                fields.refuse_hmac("bearer")?;
                Ok(Self::Bearer { tokens: fields.tokens.unwrap_or_default(), tokens_file: fields.tokens_file })
            }
            Type::Hmac => {
                fields.refuse_bearer("hmac")?;
                Ok(Self::Hmac {
                    header: fields.header.ok_or("the key header is missing: it names the header with the signature")?,
                    algorithm: fields.algorithm.unwrap_or_default(),
                    encoding: fields.encoding.unwrap_or_default(),
                    prefix: fields.prefix.unwrap_or_default(),
                    timestamp_header: fields.timestamp_header,
                    tolerance: fields.tolerance.unwrap_or(DEFAULT_TOLERANCE),
                    secrets: fields.secrets.unwrap_or_default(),
                    secrets_file: fields.secrets_file,
                })
            }
        }
    }
}

impl Fields {
    fn refuse_bearer(&self, r#type: &str) -> Result<(), String> {
        refuse(r#type, &[("tokens", self.tokens.is_some()), ("tokens_file", self.tokens_file.is_some())])
    }

    fn refuse_hmac(&self, r#type: &str) -> Result<(), String> {
        let given = [
            ("header", self.header.is_some()),
            ("algorithm", self.algorithm.is_some()),
            ("encoding", self.encoding.is_some()),
            ("prefix", self.prefix.is_some()),
            ("timestamp_header", self.timestamp_header.is_some()),
            ("tolerance", self.tolerance.is_some()),
            ("secrets", self.secrets.is_some()),
            ("secrets_file", self.secrets_file.is_some()),
        ];
        refuse(r#type, &given)
    }
}

/// Refuses keys that the type would ignore: whoever set them meant another type.
fn refuse(r#type: &str, keys: &[(&str, bool)]) -> Result<(), String> {
    match keys.iter().find(|(_, given)| *given) {
        Some((key, _)) => Err(format!("the key {key} does not go with type: {type}", type = r#type)),
        None => Ok(()),
    }
}

/// `algorithm` of an HMAC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HmacAlgorithm {
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-512.
    Sha512,
}

/// `encoding` of an HMAC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HmacEncoding {
    /// Hexadecimal digits, either case.
    #[default]
    Hex,
    /// Base64 (RFC 4648, section 4).
    Base64,
}
