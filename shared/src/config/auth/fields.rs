//! `auth` as it is written: all keys of all types, so that each is told apart from a misspelt one, with its line.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::{Auth, HmacAlgorithm, HmacEncoding};
use crate::secret::Secret;

/// How far a timestamp may be from now: what Standard Webhooks and others recommend.
const DEFAULT_TOLERANCE: Duration = Duration::from_secs(300);
/// Signatures remembered, of some 60 bytes each: 160 requests a second over twice the default tolerance.
const DEFAULT_REPLAY_CAPACITY: usize = 100_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fields {
    r#type: Type,
    tokens: Option<Vec<Secret>>,
    tokens_file: Option<PathBuf>,
    credentials: Option<Vec<Secret>>,
    credentials_file: Option<PathBuf>,
    header: Option<String>,
    algorithm: Option<HmacAlgorithm>,
    encoding: Option<HmacEncoding>,
    prefix: Option<String>,
    timestamp_header: Option<String>,
    signed: Option<String>,
    #[serde(default, with = "humantime_serde")]
    tolerance: Option<Duration>,
    replay_capacity: Option<usize>,
    secrets: Option<Vec<Secret>>,
    secrets_file: Option<PathBuf>,
    names: Option<Vec<String>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Type {
    None,
    Bearer,
    Basic,
    Hmac,
    StandardWebhooks,
    Mtls,
}

impl Type {
    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Bearer => "bearer",
            Self::Basic => "basic",
            Self::Hmac => "hmac",
            Self::StandardWebhooks => "standard_webhooks",
            Self::Mtls => "mtls",
        }
    }
}

impl TryFrom<Fields> for Auth {
    type Error = String;

    fn try_from(fields: Fields) -> Result<Self, String> {
        fields.refuse_those_of_other_types()?;
        Ok(match fields.r#type {
            Type::None => Self::None,
            Type::Bearer => Self::Bearer { tokens: fields.tokens.unwrap_or_default(), tokens_file: fields.tokens_file },
            Type::Basic => Self::Basic {
                credentials: fields.credentials.unwrap_or_default(),
                credentials_file: fields.credentials_file,
            },
            Type::Hmac => Self::Hmac {
                header: fields.header.ok_or("the key header is missing: it names the header with the signature")?,
                algorithm: fields.algorithm.unwrap_or_default(),
                encoding: fields.encoding.unwrap_or_default(),
                prefix: fields.prefix.unwrap_or_default(),
                timestamp_header: fields.timestamp_header,
                signed: fields.signed,
                tolerance: fields.tolerance.unwrap_or(DEFAULT_TOLERANCE),
                replay_capacity: fields.replay_capacity.unwrap_or(DEFAULT_REPLAY_CAPACITY),
                secrets: fields.secrets.unwrap_or_default(),
                secrets_file: fields.secrets_file,
            },
            Type::StandardWebhooks => Self::StandardWebhooks {
                tolerance: fields.tolerance.unwrap_or(DEFAULT_TOLERANCE),
                replay_capacity: fields.replay_capacity.unwrap_or(DEFAULT_REPLAY_CAPACITY),
                secrets: fields.secrets.unwrap_or_default(),
                secrets_file: fields.secrets_file,
            },
            Type::Mtls => Self::Mtls { names: fields.names.unwrap_or_default() },
        })
    }
}

impl Fields {
    /// Refuses keys that the type would ignore: whoever set them meant another type.
    fn refuse_those_of_other_types(&self) -> Result<(), String> {
        let signing = [Type::Hmac, Type::StandardWebhooks].as_slice();
        let keys: [(&str, bool, &[Type]); 15] = [
            ("tokens", self.tokens.is_some(), &[Type::Bearer]),
            ("tokens_file", self.tokens_file.is_some(), &[Type::Bearer]),
            ("credentials", self.credentials.is_some(), &[Type::Basic]),
            ("credentials_file", self.credentials_file.is_some(), &[Type::Basic]),
            ("header", self.header.is_some(), &[Type::Hmac]),
            ("algorithm", self.algorithm.is_some(), &[Type::Hmac]),
            ("encoding", self.encoding.is_some(), &[Type::Hmac]),
            ("prefix", self.prefix.is_some(), &[Type::Hmac]),
            ("timestamp_header", self.timestamp_header.is_some(), &[Type::Hmac]),
            ("signed", self.signed.is_some(), &[Type::Hmac]),
            ("tolerance", self.tolerance.is_some(), signing),
            ("replay_capacity", self.replay_capacity.is_some(), signing),
            ("secrets", self.secrets.is_some(), signing),
            ("secrets_file", self.secrets_file.is_some(), signing),
            ("names", self.names.is_some(), &[Type::Mtls]),
        ];
        match keys.iter().find(|(_, given, types)| *given && !types.contains(&self.r#type)) {
            Some((key, ..)) => Err(format!("the key {key} does not go with type: {}", self.r#type.name())),
            None => Ok(()),
        }
    }
}
