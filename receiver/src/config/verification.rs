//! `receiver.sources.<name>.verification`: how a vendor verifies that the webhook exists.

use std::path::PathBuf;

use ::config::{ConfigError, read_secret};
use serde::{Deserialize, Serialize};
use service::secret::Secret;

/// `receiver.sources.<name>.verification`: `GET`, `HEAD` and `OPTIONS` are answered 200, without authentication.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Verification {
    /// `challenge`: the vendor whose challenge is answered: `okta`, `zoom`, `slack`, `x`, `meta`, `microsoft_graph`,
    /// `event_grid`, `aws_sns`.
    pub challenge: Option<Vendor>,
    /// `challenge_parameter`: the query parameter whose value is returned, such as `hub.challenge`; also to a `POST`
    /// without a body. For vendors that have no `challenge` of their own.
    pub challenge_parameter: Option<String>,
    /// `verify_token`, for `meta`: the text that `hub.verify_token` must have.
    pub verify_token: Option<Secret>,
    /// `verify_token_file`, for `meta`: a file with this text instead. Read at start.
    pub verify_token_file: Option<PathBuf>,
}

/// `receiver.sources.<name>.verification.challenge`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Vendor {
    /// Okta's event hooks: a `GET` with the header `X-Okta-Verification-Challenge`.
    Okta,
    /// Zoom: a signed `POST` of `endpoint.url_validation`.
    Zoom,
    /// Slack's Events API: a signed `POST` of `url_verification`.
    Slack,
    /// X, formerly Twitter: a `GET` with `crc_token`.
    X,
    /// Meta (Facebook, `WhatsApp`, Instagram): a `GET` with `hub.challenge` and `hub.verify_token`.
    Meta,
    /// Microsoft Graph: a `POST` without a body, with `validationToken`.
    MicrosoftGraph,
    /// Azure Event Grid in its own schema: a `POST` of a `SubscriptionValidationEvent`.
    EventGrid,
    /// Amazon SNS: a `POST` of a `SubscriptionConfirmation`, which an operator confirms.
    AwsSns,
}

impl Vendor {
    /// Returns the vendor's name in the config.
    pub fn name(self) -> &'static str {
        match self {
            Self::Okta => "okta",
            Self::Zoom => "zoom",
            Self::Slack => "slack",
            Self::X => "x",
            Self::Meta => "meta",
            Self::MicrosoftGraph => "microsoft_graph",
            Self::EventGrid => "event_grid",
            Self::AwsSns => "aws_sns",
        }
    }

    /// Returns whether the answer is a hash with the secret that the vendor signs with.
    pub fn wants_hash(self) -> bool {
        match self {
            Self::Zoom | Self::X => true,
            Self::Okta | Self::Slack | Self::Meta | Self::MicrosoftGraph | Self::EventGrid | Self::AwsSns => false,
        }
    }
}

impl Verification {
    /// Returns the text that `hub.verify_token` must have. Reads its file.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn token(&self) -> Result<Option<Secret>, ConfigError> {
        read_secret(self.verify_token.as_ref(), self.verify_token_file.as_ref())
    }
}
