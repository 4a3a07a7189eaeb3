//! The client of CXone. It fetches the latest schema of an event, so that the schema is registered before the first
//! event that needs it.
//!
//! [`token`] gets tokens, [`http`] sends requests, and [`answer`] finds the schema in an answer. [`pull`] registers it,
//! and [`refresh`] decides when. No public document says for certain where CXone keeps the schema, so all paths are in
//! the config.

use registry::escape;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Method, StatusCode};

use crate::config::SUBJECT_PLACE;

pub use error::CxoneError;

use http::{CxoneAnswer, Http};
use token::Tokens;

mod answer;
pub(crate) mod compatibility;
mod error;
mod http;
pub(crate) mod pull;
pub(crate) mod refresh;
pub(crate) mod subjects;
mod token;

/// The most bytes that an answer with a schema may have.
const MAX_SCHEMA: usize = 4 * 1024 * 1024;

/// A client of one tenant. It connects on the first request.
#[derive(Debug)]
pub(crate) struct Cxone {
    http: Http,
    tokens: Tokens,
    tenant_url: String,
    schema_path: String,
    schema_pointer: Option<String>,
}

impl Cxone {
    /// Creates a client from the section `cxone` of the config.
    ///
    /// # Errors
    /// [`CxoneError::Config`] when `tenant_url` or `schema_path` is missing, or no HTTP client can be made.
    pub(crate) fn new(config: &crate::config::Cxone) -> Result<Self, CxoneError> {
        let missing =
            |key: &str| CxoneError::Config(format!("cxone.{key}: is missing: schemas cannot be fetched without it"));
        let tenant_url = config.tenant_url.as_deref().ok_or_else(|| missing("tenant_url"))?;
        let tenant_url = tenant_url.trim_end_matches('/').to_owned();
        let schema_path = config.schema_path.clone().ok_or_else(|| missing("schema_path"))?;
        let http = Http::new(config.timeout, config.proxy.as_deref())?;
        let tokens = Tokens::new(config.clone(), tenant_url.clone(), http.clone());
        Ok(Self { http, tokens, tenant_url, schema_path, schema_pointer: config.schema_pointer.clone() })
    }

    /// Returns the text of the latest schema of `subject`, unchecked: it may not be an Avro schema.
    ///
    /// Replaces a refused token once, because it may have been revoked.
    ///
    /// # Errors
    /// [`CxoneError`], after a bounded number of attempts if a retry may help.
    pub(crate) async fn schema(&self, subject: &str) -> Result<String, CxoneError> {
        let path = self.schema_path.replace(SUBJECT_PLACE, &escape(subject));
        let url = format!("{}{path}", self.tenant_url);
        let token = self.tokens.get().await?;
        let mut answer = self.get(&url, &token).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            self.tokens.forget(&token).await;
            answer = self.get(&url, &self.tokens.get().await?).await?;
        }
        match answer.status {
            status if status.is_success() => answer::schema(&answer.body, self.schema_pointer.as_deref())
                .map_err(|reason| CxoneError::Garbage { url, reason }),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(CxoneError::Forbidden { url, status: answer.status.as_u16() })
            }
            StatusCode::NOT_FOUND => Err(CxoneError::NotFound { url }),
            status => Err(CxoneError::Status { url, status: status.as_u16() }),
        }
    }

    async fn get(&self, url: &str, token: &HeaderValue) -> Result<CxoneAnswer, CxoneError> {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, token.clone())]);
        self.http.send(Method::GET, url, headers, String::new(), MAX_SCHEMA).await
    }
}

#[cfg(test)]
mod tests;
