//! The client's credentials, and the files that hold them, which may change at run time.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use elasticsearch::auth;
use service::secret::Secret;

use super::address::User;
use crate::config::ElasticsearchAuth;
use crate::elasticsearch::{LOOK_EVERY, SettingsError};

/// Holds the credentials as configured and as last read.
pub(super) struct Credentials {
    scheme: Scheme,
    source: Source,
    last: Mutex<Last>,
}

enum Scheme {
    None,
    Basic { username: String },
    ApiKey,
    Bearer,
}

/// Where the secret is.
enum Source {
    Nowhere,
    Value(Secret),
    File { path: PathBuf, key: &'static str },
}

#[derive(Default)]
struct Last {
    looked: Option<Instant>,
    modified: Option<SystemTime>,
    secret: Option<Secret>,
}

impl Credentials {
    /// Creates the credentials of `auth`, or else those of the address. Reads a file for the first time.
    pub(super) fn new(auth: &ElasticsearchAuth, user: Option<User>) -> Result<Self, SettingsError> {
        let (scheme, source) = match auth {
            ElasticsearchAuth::None => match user {
                None => (Scheme::None, Source::Nowhere),
                Some((username, password)) => (Scheme::Basic { username }, Source::Value(password)),
            },
            ElasticsearchAuth::Basic { username, password, password_file } => (
                Scheme::Basic { username: username.clone() },
                source(["password", "password_file"], password.as_ref(), password_file.as_ref())?,
            ),
            ElasticsearchAuth::ApiKey { api_key, api_key_file } => {
                (Scheme::ApiKey, source(["api_key", "api_key_file"], api_key.as_ref(), api_key_file.as_ref())?)
            }
            ElasticsearchAuth::Bearer { token, token_file } => {
                (Scheme::Bearer, source(["token", "token_file"], token.as_ref(), token_file.as_ref())?)
            }
        };
        let credentials = Self { scheme, source, last: Mutex::default() };
        credentials.read_checked()?;
        Ok(credentials)
    }

    /// Returns the credentials if they have changed. Checks files at the interval [`LOOK_EVERY`], or `at_once`: after a 401
    /// by Elasticsearch.
    pub(super) fn changed(&self, now: Instant, at_once: bool) -> Option<auth::Credentials> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if !at_once && last.looked.is_some_and(|looked| now.saturating_duration_since(looked) < LOOK_EVERY) {
            return None;
        }
        last.looked = Some(now);
        let modified = self.modified();
        if last.secret.is_some() && modified == last.modified && !at_once {
            return None;
        }
        let secret = match self.read_checked() {
            Ok(secret) => secret?,
            Err(error) => {
                tracing::warn!(%error, "Cannot read Elasticsearch's new credentials; the last ones stay in use.");
                return None;
            }
        };
        last.modified = modified;
        if last.secret.as_ref().is_some_and(|known| known.expose() == secret.expose()) {
            return None;
        }
        let credentials = self.scheme.credentials(&secret);
        last.secret = Some(secret);
        credentials
    }

    /// Passes the credentials as last read to `apply`. They do not change meanwhile.
    pub(super) fn with_last<T>(&self, apply: impl FnOnce(Option<auth::Credentials>) -> T) -> T {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        apply(last.secret.as_ref().and_then(|secret| self.scheme.credentials(secret)))
    }

    fn modified(&self) -> Option<SystemTime> {
        match &self.source {
            Source::Nowhere | Source::Value(_) => None,
            Source::File { path, .. } => std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok(),
        }
    }

    fn read_checked(&self) -> Result<Option<Secret>, SettingsError> {
        let secret = self.read()?;
        if let Some(secret) = &secret {
            self.check(secret)?;
        }
        Ok(secret)
    }

    fn read(&self) -> Result<Option<Secret>, SettingsError> {
        match &self.source {
            Source::Nowhere => Ok(None),
            Source::Value(secret) => Ok(Some(secret.clone())),
            Source::File { path, key } => config::read_secret(None, Some(path))
                .map_err(|error| SettingsError::Credentials { key, reason: error.to_string() }),
        }
    }

    /// Checks whether `secret` can be sent: a header must not contain control characters.
    fn check(&self, secret: &Secret) -> Result<(), SettingsError> {
        let text = secret.expose();
        let wrong = match self.scheme {
            Scheme::None => false,
            Scheme::Basic { .. } => text.is_empty(),
            Scheme::ApiKey | Scheme::Bearer => text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()),
        };
        if !wrong {
            return Ok(());
        }
        let reason = "it is empty or holds characters that cannot be sent";
        Err(SettingsError::Credentials { key: self.key(), reason: reason.to_owned() })
    }

    fn key(&self) -> &'static str {
        match (&self.source, &self.scheme) {
            (Source::File { key, .. }, _) => key,
            (Source::Nowhere | Source::Value(_), Scheme::None | Scheme::Basic { .. }) => "password",
            (Source::Nowhere | Source::Value(_), Scheme::ApiKey) => "api_key",
            (Source::Nowhere | Source::Value(_), Scheme::Bearer) => "token",
        }
    }
}

impl Scheme {
    fn credentials(&self, secret: &Secret) -> Option<auth::Credentials> {
        let text = secret.expose().to_owned();
        Some(match self {
            Self::None => return None,
            Self::Basic { username } => auth::Credentials::Basic(username.clone(), text),
            Self::ApiKey => match text.split_once(':') {
                Some((id, key)) => auth::Credentials::ApiKey(id.to_owned(), key.to_owned()),
                None => auth::Credentials::EncodedApiKey(text),
            },
            Self::Bearer => auth::Credentials::Bearer(text),
        })
    }
}

/// Returns the file if there is one, or else the value. `keys` are the config keys of the value and of the file.
fn source(keys: [&'static str; 2], value: Option<&Secret>, file: Option<&PathBuf>) -> Result<Source, SettingsError> {
    let [value_key, file_key] = keys;
    match (file, value) {
        (Some(path), _) => Ok(Source::File { path: path.clone(), key: file_key }),
        (None, Some(secret)) => Ok(Source::Value(secret.clone())),
        (None, None) => {
            let reason = format!("it is missing; set it or auth.{file_key}");
            Err(SettingsError::Credentials { key: value_key, reason })
        }
    }
}

#[cfg(test)]
mod tests;
