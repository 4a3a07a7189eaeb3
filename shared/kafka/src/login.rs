//! Tokens for SASL's OAUTHBEARER, fetched by client credentials (RFC 6749, section 4.4) whenever librdkafka asks: when
//! a client is created, and after four fifths of a token's lifetime.
//!
//! librdkafka could fetch tokens itself only if built with libcurl.

use std::error::Error;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rdkafka::ClientContext;
use rdkafka::client::OAuthToken;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::RDKafkaConfRes;
use reqwest::Client;
use serde::Deserialize;
use tokio::runtime::Handle;

use config::redact::without_user;
use config::{Kafka, OAuth, SaslMechanism, read_secret};
use service::http::{ExpiresIn, form};
use service::tls;

/// The assumed lifetime of a token if the endpoint does not name one, in seconds.
const DEFAULT_LIFETIME: u64 = 300;
/// The longest accepted lifetime, whatever the endpoint says: 30 days, in seconds.
const MAX_LIFETIME: u64 = 30 * 24 * 3_600;

/// Gets tokens for a librdkafka client; does nothing if the config needs none. A client with its own context forwards
/// [`ClientContext::generate_oauth_token`] to it; any other client uses it as its context.
pub struct Login(Option<Tokens>);

struct Tokens {
    runtime: Handle,
    http: Client,
    oauth: OAuth,
}

/// The answer of a token endpoint (RFC 6749, section 5.1).
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    #[serde(default)]
    expires_in: ExpiresIn,
}

/// Says why there is no token. Holds no secret.
#[derive(Debug, thiserror::Error)]
enum TokenError {
    #[error("kafka.security.oauth.client_secret_file: {0}")]
    Secret(#[from] config::ConfigError),
    #[error("kafka.security.oauth.token_url: {url} does not answer: {source}")]
    Call { url: String, source: reqwest::Error },
    #[error(
        "kafka.security.oauth.token_url: {url} answered {status}: check client_id, client_secret and scope, and \
         whether the client may use client credentials"
    )]
    Refused { url: String, status: u16 },
    #[error("kafka.security.oauth.token_url: {url} answered without a token: check the address")]
    NoToken { url: String },
}

impl Login {
    /// Creates the login for the clients of `kafka`. Call this within a Tokio runtime, which then fetches the tokens.
    ///
    /// # Errors
    /// If the certificates of `oauth.ca_file` cannot be used, or there is no runtime.
    pub fn new(kafka: &Kafka) -> KafkaResult<Self> {
        let security = kafka.security.as_ref().filter(|it| it.mechanism == Some(SaslMechanism::OAuthBearer));
        let Some(oauth) = security.and_then(|security| security.oauth.clone()) else {
            return Ok(Self(None));
        };
        let runtime = Handle::try_current().map_err(|error| invalid("oauth", error))?;
        Ok(Self(Some(Tokens { runtime, http: http(&oauth, kafka.timeout)?, oauth })))
    }

    /// Returns a token, for [`ClientContext::generate_oauth_token`]. Blocks the thread for up to `kafka.timeout`, so
    /// the thread must not be one of the runtime's own. librdkafka's threads are fine.
    ///
    /// # Errors
    /// A message without secrets, if no token is available. librdkafka asks again ten seconds later.
    pub fn token(&self) -> Result<OAuthToken, Box<dyn Error>> {
        let tokens = self.0.as_ref().ok_or("no kafka.security.oauth in the config")?;
        let fetched = tokens.runtime.block_on(tokens.fetch());
        Ok(fetched
            .inspect_err(|error| tracing::error!(%error, "Cannot get a token for Kafka; asking again in 10 s."))?)
    }
}

fn http(oauth: &OAuth, timeout: Duration) -> KafkaResult<Client> {
    tls::install_provider();
    let mut builder = Client::builder().timeout(timeout).redirect(reqwest::redirect::Policy::none());
    if let Some(file) = &oauth.ca_file {
        builder = builder.tls_certs_merge(tls::authorities(file).map_err(|reason| invalid("oauth.ca_file", reason))?);
    }
    builder.build().map_err(|error| invalid("oauth", error))
}

fn invalid(key: &str, reason: impl ToString) -> KafkaError {
    let key = format!("kafka.security.{key}");
    KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_INVALID, reason.to_string(), key, String::new())
}

impl Tokens {
    async fn fetch(&self) -> Result<OAuthToken, TokenError> {
        let OAuth { token_url, client_id, client_secret, client_secret_file, scope, .. } = &self.oauth;
        let secret = read_secret(client_secret.as_ref(), client_secret_file.as_ref())?;
        let url = || without_user(token_url);
        let failed = |source: reqwest::Error| TokenError::Call { url: url(), source: source.without_url() };
        let mut pairs = vec![("grant_type", "client_credentials")];
        pairs.extend(scope.as_deref().map(|scope| ("scope", scope)));
        let asked = SystemTime::now();
        let answer = self
            .http
            .post(token_url)
            .basic_auth(client_id, secret.as_ref().map(service::secret::Secret::expose))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form(&pairs))
            .send()
            .await
            .map_err(failed)?;
        if !answer.status().is_success() {
            return Err(TokenError::Refused { url: url(), status: answer.status().as_u16() });
        }
        let no_token = |error: reqwest::Error| match error.is_decode() {
            true => TokenError::NoToken { url: url() },
            false => failed(error),
        };
        let TokenAnswer { access_token, expires_in } = answer.json().await.map_err(no_token)?;
        let expires = asked + lifetime(expires_in.0);
        let since_epoch = expires.duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(OAuthToken {
            token: access_token,
            principal_name: client_id.clone(),
            lifetime_ms: i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX),
        })
    }
}

/// Returns the lifetime of a token from the seconds that the endpoint named. 0 counts as not named, since librdkafka
/// refuses an expired token.
fn lifetime(expires_in: Option<u64>) -> Duration {
    Duration::from_secs(expires_in.filter(|seconds| *seconds > 0).unwrap_or(DEFAULT_LIFETIME).min(MAX_LIFETIME))
}

impl ConsumerContext for Login {}

impl ClientContext for Login {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        self.token()
    }
}

#[cfg(test)]
mod tests;
