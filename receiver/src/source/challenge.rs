//! What a vendor sends to see that a webhook is there, as the config has it.

use ::config::ConfigError;
use service::secret::Secret;

use crate::config::{Vendor, Verification};
use crate::stages::authenticate::Digests;

/// The query parameter of Microsoft Graph.
const VALIDATION_TOKEN: &str = "validationToken";

/// What a vendor asks with.
pub(crate) enum Challenge {
    /// Any request: it looks at the status alone.
    None,
    /// A query parameter, whose value it wants to read.
    Parameter(String),
    /// A header, by `GET`.
    Okta,
    /// `crc_token`, by `GET`: it wants to read its hash.
    X,
    /// `hub.challenge`, by `GET`, with one of these texts as `hub.verify_token`.
    Meta(Digests),
    /// JSON in a body, by an authenticated `POST`.
    Posted(PostedChallenge),
}

/// A challenge in the body of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PostedChallenge {
    /// `endpoint.url_validation`.
    Zoom,
    /// `url_verification`.
    Slack,
    /// `Microsoft.EventGrid.SubscriptionValidationEvent`.
    EventGrid,
    /// `SubscriptionConfirmation`.
    AwsSns,
}

impl Challenge {
    /// Compiles `verification`. Reads the file of its token.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn compile(verification: &Verification) -> Result<Self, ConfigError> {
        let token = verification.token()?;
        Ok(match (verification.challenge, &verification.challenge_parameter) {
            (None, None) => Self::None,
            (None, Some(name)) => Self::Parameter(name.clone()),
            (Some(Vendor::MicrosoftGraph), _) => Self::Parameter(VALIDATION_TOKEN.to_owned()),
            (Some(Vendor::Okta), _) => Self::Okta,
            (Some(Vendor::X), _) => Self::X,
            (Some(Vendor::Meta), _) => Self::Meta(Digests::new(&token.map(trimmed).into_iter().collect::<Vec<_>>())),
            (Some(Vendor::Zoom), _) => Self::Posted(PostedChallenge::Zoom),
            (Some(Vendor::Slack), _) => Self::Posted(PostedChallenge::Slack),
            (Some(Vendor::EventGrid), _) => Self::Posted(PostedChallenge::EventGrid),
            (Some(Vendor::AwsSns), _) => Self::Posted(PostedChallenge::AwsSns),
        })
    }
}

fn trimmed(token: Secret) -> Secret {
    Secret::new(token.expose().trim())
}
