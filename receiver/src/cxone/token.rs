//! The access token. It is requested with client credentials (RFC 6749, section 4.4) or an access key, cached, and
//! renewed before it expires.

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

/// How long before its expiry a token is replaced.
const EARLY: Duration = Duration::from_secs(300);
/// The assumed lifetime of a token if the answer gives none.
const DEFAULT_LIFE: Duration = Duration::from_secs(600);
/// The longest lifetime to believe.
const MAX_LIFE: Duration = Duration::from_secs(30 * 24 * 3_600);
/// The most bytes of an answer with a token.
const MAX_ANSWER: usize = 64 * 1024;
/// The error codes of RFC 6749, section 5.2. Other codes are not repeated, because an answer might quote the request.
const CODES: [&str; 6] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
];

/// Requests and caches tokens.
pub(super) struct Tokens {
    config: crate::config::Cxone,
    tenant_url: String,
    http: Http,
    /// Locked while a token is fetched, so that all waiting callers share one request.
    state: Mutex<TokenState>,
}

#[derive(Default)]
struct TokenState {
    token: Option<Token>,
    /// The last failure and its time. It holds for all callers that were waiting for it.
    failure: Option<(Instant, CxoneError)>,
}

struct Token {
    /// `Bearer …`, marked as sensitive.
    header: HeaderValue,
    renew_at: Instant,
}

/// A request for a token, with the words for a refusal.
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

    /// Returns the value of `Authorization`, from memory if the token is still valid for a while.
    ///
    /// # Errors
    /// [`CxoneError`]. It is remembered only for callers that were already waiting.
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

    /// Forgets the refused token `header`, unless it was replaced in the meantime.
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

/// Returns how long to use a token of lifetime `life`: until five minutes before its end, or half of a lifetime under
/// ten minutes.
fn usable(life: Duration) -> Duration {
    life.saturating_sub(EARLY).max(life / 2)
}

/// Returns the value of `Authorization` and the lifetime of the token in an answer (RFC 6749, section 5.1).
fn read(answer: &CxoneAnswer) -> Result<(HeaderValue, Duration), String> {
    let value: Value =
        serde_json::from_slice(&answer.body).map_err(|_| "text that is not JSON, instead of a token".to_owned())?;
    let token = value.get("access_token").and_then(Value::as_str).filter(|token| !token.is_empty());
    let token = token.ok_or("JSON without an access_token")?;
    let mut header = HeaderValue::from_str(&format!("Bearer {token}"))
        .map_err(|_| "an access_token with characters that no header can hold".to_owned())?;
    header.set_sensitive(true);
    Ok((header, life(value.get("expires_in"))))
}

/// Returns the lifetime of a token with this `expires_in`.
fn life(expires_in: Option<&Value>) -> Duration {
    let ExpiresIn(seconds) = expires_in.cloned().unwrap_or_default().into();
    seconds.map_or(DEFAULT_LIFE, Duration::from_secs).min(MAX_LIFE)
}

/// Returns `, invalid_client` or the like if the answer has an error code of RFC 6749.
fn code(answer: &CxoneAnswer) -> String {
    let value: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let given = value.as_ref().and_then(|value| value.get("error")).and_then(Value::as_str);
    let known = CODES.iter().find(|code| given == Some(**code));
    known.map_or_else(String::new, |code| format!(", {code}"))
}

#[cfg(test)]
mod tests;
