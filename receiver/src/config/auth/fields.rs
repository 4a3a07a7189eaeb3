//! Parses `auth` with all keys of all types, so that an error can tell a key of another type from a misspelt one.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::{Auth, HmacAlgorithm, HmacEncoding};
use service::secret::Secret;

/// The default tolerance of a timestamp, which Standard Webhooks and others recommend.
const DEFAULT_TOLERANCE: Duration = Duration::from_secs(300);
/// The default number of remembered signatures, of some 90 bytes each: 160 requests a second over twice the default
/// tolerance.
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
    preset: Option<Preset>,
    prefix: Option<String>,
    timestamp_header: Option<String>,
    timestamp_prefix: Option<String>,
    trusted_headers: Option<Vec<String>>,
    signed: Option<String>,
    #[serde(default, with = "humantime_serde")]
    tolerance: Option<Duration>,
    replay_capacity: Option<usize>,
    secrets: Option<Vec<Secret>>,
    secrets_file: Option<PathBuf>,
    names: Option<Vec<String>>,
}

/// The `preset` of an HMAC: how a vendor signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// `Stripe-Signature: t=…,v1=…`.
    Stripe,
    /// `X-Hub-Signature-256: sha256=…`.
    Github,
    /// `X-Shopify-Hmac-Sha256: …`, in base64.
    Shopify,
    /// `X-Slack-Signature: v0=…` with `X-Slack-Request-Timestamp`.
    Slack,
    /// The same as `type: standard_webhooks`, which Svix created.
    Svix,
    /// `X-Zm-Signature: v0=…` with `X-Zm-Request-Timestamp`.
    Zoom,
    /// `X-Twitter-Webhooks-Signature: sha256=…`, in base64.
    X,
    /// As GitHub: Meta's `X-Hub-Signature-256`.
    Meta,
}

impl Preset {
    /// Sets the vendor's values for keys that the config leaves out.
    fn apply(self, fields: &mut Fields) {
        let (header, prefix, timestamp_header, timestamp_prefix, signed) = match self {
            Self::Stripe => ("Stripe-Signature", "v1=", None, Some("t="), None),
            Self::Github | Self::Meta => ("X-Hub-Signature-256", "sha256=", None, None, None),
            Self::X => ("X-Twitter-Webhooks-Signature", "sha256=", None, None, None),
            Self::Shopify => ("X-Shopify-Hmac-Sha256", "", None, None, None),
            Self::Slack => {
                let signed = Some("v0:{timestamp}:{body}");
                ("X-Slack-Signature", "v0=", Some("X-Slack-Request-Timestamp"), None, signed)
            }
            Self::Zoom => {
                let signed = Some("v0:{timestamp}:{body}");
                ("X-Zm-Signature", "v0=", Some("X-Zm-Request-Timestamp"), None, signed)
            }
            Self::Svix => {
                fields.r#type = Type::StandardWebhooks;
                return;
            }
        };
        let owned = |text: Option<&str>| text.map(str::to_owned);
        if matches!(self, Self::Shopify | Self::X) {
            fields.encoding.get_or_insert(HmacEncoding::Base64);
        }
        fields.header.get_or_insert_with(|| header.to_owned());
        fields.prefix.get_or_insert_with(|| prefix.to_owned());
        if fields.timestamp_header.is_none() && fields.timestamp_prefix.is_none() {
            (fields.timestamp_header, fields.timestamp_prefix) = (owned(timestamp_header), owned(timestamp_prefix));
        }
        fields.signed = fields.signed.take().or(owned(signed));
    }
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

    fn try_from(mut fields: Fields) -> Result<Self, String> {
        fields.refuse_those_of_other_types()?;
        if let Some(preset) = fields.preset.take() {
            preset.apply(&mut fields);
            fields.refuse_those_of_other_types()?;
        }
        if fields.timestamp_header.is_some() && fields.timestamp_prefix.is_some() {
            return Err("only one of the keys timestamp_header and timestamp_prefix is allowed".to_owned());
        }
        Ok(match fields.r#type {
            Type::None => Self::None,
            Type::Bearer => Self::Bearer { tokens: fields.tokens.unwrap_or_default(), tokens_file: fields.tokens_file },
            Type::Basic => Self::Basic {
                credentials: fields.credentials.unwrap_or_default(),
                credentials_file: fields.credentials_file,
            },
            Type::Hmac => Self::Hmac {
                header: fields
                    .header
                    .ok_or("the key header is missing: it names the header with the signature; or set preset")?,
                algorithm: fields.algorithm.unwrap_or_default(),
                encoding: fields.encoding.unwrap_or_default(),
                prefix: fields.prefix.unwrap_or_default(),
                timestamp_header: fields.timestamp_header,
                timestamp_prefix: fields.timestamp_prefix,
                trusted_headers: fields.trusted_headers.unwrap_or_default(),
                signed: fields.signed,
                tolerance: fields.tolerance.unwrap_or(DEFAULT_TOLERANCE),
                replay_capacity: fields.replay_capacity.unwrap_or(DEFAULT_REPLAY_CAPACITY),
                secrets: fields.secrets.unwrap_or_default(),
                secrets_file: fields.secrets_file,
            },
            Type::StandardWebhooks => Self::StandardWebhooks {
                trusted_headers: fields.trusted_headers.unwrap_or_default(),
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
    /// Refuses keys that the type would ignore, because their author meant another type.
    fn refuse_those_of_other_types(&self) -> Result<(), String> {
        let signing = [Type::Hmac, Type::StandardWebhooks].as_slice();
        let keys: [(&str, bool, &[Type]); 18] = [
            ("tokens", self.tokens.is_some(), &[Type::Bearer]),
            ("tokens_file", self.tokens_file.is_some(), &[Type::Bearer]),
            ("credentials", self.credentials.is_some(), &[Type::Basic]),
            ("credentials_file", self.credentials_file.is_some(), &[Type::Basic]),
            ("header", self.header.is_some(), &[Type::Hmac]),
            ("algorithm", self.algorithm.is_some(), &[Type::Hmac]),
            ("encoding", self.encoding.is_some(), &[Type::Hmac]),
            ("prefix", self.prefix.is_some(), &[Type::Hmac]),
            ("preset", self.preset.is_some(), &[Type::Hmac]),
            ("timestamp_header", self.timestamp_header.is_some(), &[Type::Hmac]),
            ("timestamp_prefix", self.timestamp_prefix.is_some(), &[Type::Hmac]),
            ("trusted_headers", self.trusted_headers.is_some(), signing),
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
