//! The challenge by which a vendor verifies that a webhook exists, compiled from the config.

use ::config::ConfigError;
use service::secret::Secret;

use crate::config::{Vendor, Verification};
use crate::stages::authenticate::Digests;

/// The query parameter of Microsoft Graph.
const VALIDATION_TOKEN: &str = "validationToken";

/// A vendor's challenge.
pub(crate) enum Challenge {
    /// Any request: the vendor checks only the status.
    None,
    /// A query parameter whose value the vendor expects back.
    Parameter(String),
    /// A header, by `GET`.
    Okta,
    /// `crc_token`, by `GET`: the vendor expects its hash.
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
    /// If the file cannot be read.
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
