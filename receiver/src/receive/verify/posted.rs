//! Answers challenges in the body of an authenticated request. Such a body is JSON instead of an event.

use std::sync::Arc;
use std::time::SystemTime;

use axum::http::HeaderMap;
use axum::http::header::CONTENT_ENCODING;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use service::budget::LogBudget;

use super::{MAX_CHALLENGE, is_crc_token, object, text};
use crate::reject::Rejection;
use crate::source::Source;
use crate::source::challenge::{Challenge, PostedChallenge};
use crate::stages::authenticate::Authenticator;

/// The most bytes of a body that is read as a challenge.
const MAX_BODY: usize = 16 * 1024;

/// The answer that a vendor expects.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// This text.
    Text(String),
    /// This text, and its hash.
    Hashed(String),
    /// An object with this code.
    Code(String),
    /// An empty answer. An operator must visit this address.
    Visit(String),
}

/// The members of all challenges. Others are ignored.
#[derive(Deserialize)]
struct Members {
    event: Option<String>,
    payload: Option<Payload>,
    r#type: Option<String>,
    challenge: Option<String>,
    #[serde(rename = "eventType")]
    event_type: Option<String>,
    data: Option<ValidationData>,
    #[serde(rename = "Type")]
    sns_type: Option<String>,
    #[serde(rename = "SubscribeURL")]
    subscribe_url: Option<String>,
}

#[derive(Deserialize)]
struct Payload {
    #[serde(rename = "plainToken")]
    plain_token: Option<String>,
}

#[derive(Deserialize)]
struct ValidationData {
    #[serde(rename = "validationCode")]
    validation_code: Option<String>,
}

/// Returns the answer that the vendor of `challenge` expects if `body` is its challenge.
pub(super) fn wanted(challenge: PostedChallenge, body: &[u8]) -> Option<Wanted> {
    if body.len() > MAX_BODY || !matches!(body.trim_ascii_start().first(), Some(b'{' | b'[')) {
        return None;
    }
    let is = |text: Option<String>, wanted: &str| text.is_some_and(|text| text == wanted);
    let short = |text: Option<String>| text.filter(|text| text.len() <= MAX_CHALLENGE);
    if challenge == PostedChallenge::EventGrid {
        let [event]: [Members; 1] = serde_json::from_slice(body).ok()?;
        let asks = is(event.event_type, "Microsoft.EventGrid.SubscriptionValidationEvent");
        return short(event.data?.validation_code).filter(|_| asks).map(Wanted::Code);
    }
    let members: Members = serde_json::from_slice(body).ok()?;
    match challenge {
        PostedChallenge::Zoom if is(members.event, "endpoint.url_validation") => {
            short(members.payload?.plain_token).map(Wanted::Hashed)
        }
        PostedChallenge::Slack if is(members.r#type, "url_verification") => short(members.challenge).map(Wanted::Text),
        PostedChallenge::AwsSns if is(members.sns_type, "SubscriptionConfirmation") => {
            members.subscribe_url.filter(|url| is_of_sns(url)).map(Wanted::Visit)
        }
        _ => None,
    }
}

/// Returns whether `url` belongs to Amazon SNS. No other sender may make an operator visit an address.
fn is_of_sns(url: &str) -> bool {
    let is_host = |host: &str| {
        let rest = host.strip_prefix("sns.");
        let region = rest
            .and_then(|rest| rest.strip_suffix(".amazonaws.com").or_else(|| rest.strip_suffix(".amazonaws.com.cn")));
        region.is_some_and(|region| !region.contains('.'))
    };
    let is_plain = url.len() <= MAX_CHALLENGE && url.bytes().all(|byte| byte.is_ascii_graphic());
    is_plain
        && reqwest::Url::parse(url).is_ok_and(|url| {
            let is_bare = url.username().is_empty() && url.password().is_none() && url.port().is_none();
            url.scheme() == "https" && is_bare && url.host_str().is_some_and(is_host)
        })
}

/// Answers the challenges in bodies of requests to one source.
pub(in super::super) struct PostedChallenges {
    source: Arc<Source>,
    log_budget: Arc<LogBudget>,
}

impl PostedChallenges {
    /// Creates the part that answers the challenges in bodies of requests to `source`.
    pub(in super::super) fn new(source: &Arc<Source>, log_budget: &Arc<LogBudget>) -> Self {
        Self { source: Arc::clone(source), log_budget: Arc::clone(log_budget) }
    }

    /// Returns the answer to an authentic `body`, signed by `signer`, if it is the challenge of a vendor; `None` if it
    /// is an event.
    ///
    /// # Errors
    /// `Unauthorized` for a body that anyone could have had signed by X's challenge.
    pub(in super::super) fn answer(
        &self,
        head: &HeaderMap,
        body: &[u8],
        authenticator: &Authenticator,
        signer: Option<usize>,
    ) -> Result<Option<Response>, Rejection> {
        let challenge = match &self.source.challenge {
            Some(Challenge::X) if is_crc_token(body) => {
                return Err(Rejection::Unauthorized(authenticator.challenge()));
            }
            Some(Challenge::Posted(challenge)) if !head.contains_key(CONTENT_ENCODING) => *challenge,
            _ => return Ok(None),
        };
        let answer = wanted(challenge, body).and_then(|wanted| match wanted {
            Wanted::Text(challenge) => Some(text(challenge)),
            Wanted::Code(code) => Some(object(&json!({"validationResponse": code}))),
            Wanted::Hashed(token) => {
                let hash = hex::encode(authenticator.hash(signer, token.as_bytes())?);
                Some(object(&json!({"plainToken": token, "encryptedToken": hash})))
            }
            Wanted::Visit(address) => {
                self.report(&address);
                Some(text(String::new()))
            }
        });
        Ok(answer)
    }

    /// Logs a subscription of Amazon SNS for the operator. The receiver visits no address that a sender names.
    fn report(&self, address: &str) {
        if let Some(suppressed) = self.log_budget.take(SystemTime::now()) {
            let source = self.source.name.as_str();
            tracing::warn!(
                source,
                address,
                suppressed,
                "Amazon SNS asks to confirm a subscription: visit the address if it is yours."
            );
        }
    }
}

#[cfg(test)]
mod tests;
