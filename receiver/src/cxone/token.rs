//! The access token: got by client credentials (RFC 6749, section 4.4) or by an access key, kept, and renewed before it
//! runs out.

use std::fmt;
use std::time::Duration;

use config::ConfigError;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use service::http::{ExpiresIn, form};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::CxoneError;
use super::http::{CxoneAnswer, Http};
use crate::config::CxoneCredentials;

/// How long before its end a token is replaced.
const EARLY: Duration = Duration::from_secs(300);
/// How long a token is taken to live where the answer does not say.
const DEFAULT_LIFE: Duration = Duration::from_secs(600);
/// No life is longer than this, whatever the answer says.
const MAX_LIFE: Duration = Duration::from_secs(30 * 24 * 3_600);
/// Bytes of an answer with a token, at most.
const MAX_ANSWER: usize = 64 * 1024;
/// The error codes of RFC 6749, section 5.2; others are not repeated, since an answer might quote the request.
const CODES: [&str; 6] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
];

/// Where tokens come from.
pub(super) struct Tokens {
    config: crate::config::Cxone,
    tenant_url: String,
    http: Http,
    /// Held while a token is fetched, so that there is one request for all who wait.
    state: Mutex<TokenState>,
}

#[derive(Default)]
struct TokenState {
    token: Option<Token>,
    /// The last failure and when it was known: it holds for all who were waiting for it.
    failure: Option<(Instant, CxoneError)>,
}

struct Token {
    /// `Bearer …`, marked as sensitive.
    header: HeaderValue,
    renew_at: Instant,
}

/// A request for a token, and what is said when it is refused.
struct Request {
    url: String,
    content_type: &'static str,
    body: String,
    keys: &'static str,
    grant: String,
}

impl Tokens {
    pub(super) fn new(config: crate::config::Cxone, tenant_url: String, http: Http) -> Self {
        Self { config, tenant_url, http, state: Mutex::default() }
    }

    /// Returns the value of `Authorization`, from memory where it is still good for a while.
    ///
    /// # Errors
    /// [`CxoneError`]; nothing of it is remembered except for those who were waiting.
    pub(super) async fn get(&self) -> Result<HeaderValue, CxoneError> {
        let asked = Instant::now();
        let mut state = self.state.lock().await;
        if let Some(token) = state.token.as_ref().filter(|token| token.renew_at > Instant::now()) {
            return Ok(token.header.clone());
        }
        if let Some((_, error)) = state.failure.as_ref().filter(|(known, _)| *known >= asked) {
            return Err(error.clone());
        }
        match self.fetch().await {
            Ok(token) => {
                let header = token.header.clone();
                *state = TokenState { token: Some(token), failure: None };
                Ok(header)
            }
            Err(error) => {
                *state = TokenState { token: None, failure: Some((Instant::now(), error.clone())) };
                Err(error)
            }
        }
    }

    /// Gives up `header`, which was refused, unless it has been replaced already.
    pub(super) async fn forget(&self, header: &HeaderValue) {
        let mut state = self.state.lock().await;
        if state.token.as_ref().is_some_and(|token| token.header == *header) {
            state.token = None;
        }
    }

    async fn fetch(&self) -> Result<Token, CxoneError> {
        let request = self.request()?;
        let headers = HeaderMap::from_iter([
            (CONTENT_TYPE, HeaderValue::from_static(request.content_type)),
            (ACCEPT, HeaderValue::from_static("application/json")),
        ]);
        let asked = Instant::now();
        let answer = self.http.send(Method::POST, &request.url, headers, request.body, MAX_ANSWER).await?;
        let Request { url, keys, grant, .. } = request;
        match answer.status {
            status if status.is_success() => {
                let (header, life) = read(&answer).map_err(|reason| CxoneError::Garbage { url, reason })?;
                Ok(Token { header, renew_at: asked + usable(life) })
            }
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let (status, code) = (answer.status.as_u16(), code(&answer));
                Err(CxoneError::Refused { url, status, code, keys, grant })
            }
            status => Err(CxoneError::Status { url, status: status.as_u16() }),
        }
    }

    fn request(&self) -> Result<Request, CxoneError> {
        let config = &self.config;
        let credentials = config.credentials().map_err(|ConfigError(message)| CxoneError::Config(message))?;
        Ok(match credentials {
            CxoneCredentials::Client { id, secret } => Request {
                url: format!("{}{}", self.tenant_url, config.token_path),
                content_type: "application/x-www-form-urlencoded",
                body: form(&[
                    ("grant_type", "client_credentials"),
                    ("client_id", &id),
                    ("client_secret", secret.expose()),
                    ("scope", &config.scopes),
                ]),
                keys: "cxone.client_id or cxone.client_secret",
                grant: format!("client credentials or the scopes {}", config.scopes),
            },
            CxoneCredentials::AccessKey { id, secret } => Request {
                url: format!("{}{}", self.tenant_url, config.access_key_path),
                content_type: "application/json",
                body: json!({"accessKeyId": id, "accessKeySecret": secret.expose()}).to_string(),
                keys: "cxone.access_key_id or cxone.access_key_secret",
                grant: "access keys, or the key is not active".to_owned(),
            },
        })
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("tenant_url", &self.tenant_url).finish_non_exhaustive()
    }
}

/// How long a token that lives `life` is used: until five minutes before its end, or for half of a life that is shorter
/// than ten.
fn usable(life: Duration) -> Duration {
    life.saturating_sub(EARLY).max(life / 2)
}

/// `Authorization` and the life of the token in an answer (RFC 6749, section 5.1).
fn read(answer: &CxoneAnswer) -> Result<(HeaderValue, Duration), String> {
    let value: Value =
        serde_json::from_slice(&answer.body).map_err(|_| "what is no JSON, instead of a token".to_owned())?;
    let token = value.get("access_token").and_then(Value::as_str).filter(|token| !token.is_empty());
    let token = token.ok_or("JSON without an access_token")?;
    let mut header = HeaderValue::from_str(&format!("Bearer {token}"))
        .map_err(|_| "an access_token of characters that no header can hold".to_owned())?;
    header.set_sensitive(true);
    Ok((header, life(value.get("expires_in"))))
}

/// How long a token lives whose answer says so.
fn life(expires_in: Option<&Value>) -> Duration {
    let ExpiresIn(seconds) = expires_in.cloned().unwrap_or_default().into();
    seconds.map_or(DEFAULT_LIFE, Duration::from_secs).min(MAX_LIFE)
}

/// `, invalid_client` and the like, where the answer has one of RFC 6749.
fn code(answer: &CxoneAnswer) -> String {
    let value: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let given = value.as_ref().and_then(|value| value.get("error")).and_then(Value::as_str);
    let known = CODES.iter().find(|code| given == Some(**code));
    known.map_or_else(String::new, |code| format!(", {code}"))
}

#[cfg(test)]
mod tests;
