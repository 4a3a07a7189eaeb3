//! The authenticator in use, and the next one as soon as the file of its secrets has changed.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use config::{Auth, SecretsError};
use prometheus::IntGauge;
use service::secret::Secret;
use sha2::{Digest, Sha256};

use super::{AuthError, Authenticator};

/// A source's authenticator, which [`ReloadingAuthenticator::reload`] keeps up to date.
pub(crate) struct ReloadingAuthenticator {
    source: String,
    auth: Auth,
    current: ArcSwap<Authenticator>,
    last: Mutex<Last>,
    /// 1 while the secrets that there are now cannot be used.
    unusable: IntGauge,
}

/// What was seen at the last look.
#[derive(Default)]
struct Last {
    secrets: [u8; 32],
    failure: String,
}

impl ReloadingAuthenticator {
    /// Compiles the `auth` of `source`; reads its secrets' files.
    ///
    /// # Errors
    /// [`AuthError`], naming the key.
    pub(crate) fn new(source: &str, auth: &Auth, unusable: IntGauge) -> Result<Self, AuthError> {
        // The config's check has judged those that were there then. These are read once more.
        let secrets = auth.secrets().map_err(|error| unusable_secrets(source, error))?;
        auth.check_secrets(&secrets).map_err(|error| unusable_secrets(source, error))?;
        let current = Authenticator::compile(source, auth, &secrets)?;
        Ok(Self {
            source: source.to_owned(),
            auth: auth.clone(),
            current: ArcSwap::from_pointee(current),
            last: Mutex::new(Last { secrets: digest(&secrets), failure: String::new() }),
            unusable,
        })
    }

    /// Returns the authenticator in use.
    pub(crate) fn current(&self) -> Arc<Authenticator> {
        self.current.load_full()
    }

    /// Reads the secrets again, and takes those there are now. When that fails the last ones stay in use; each failure
    /// is logged once. Reads a file: blocks the thread.
    pub(crate) fn reload(&self) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match self.renew(&last.secrets) {
            Ok(None) => {
                last.failure.clear();
                self.unusable.set(0);
            }
            Ok(Some(secrets)) => {
                self.unusable.set(0);
                *last = Last { secrets, failure: String::new() };
                tracing::info!(
                    source = self.source,
                    "The secrets of the source have changed; the new ones are in use."
                );
            }
            Err(error) => {
                self.unusable.set(1);
                let failure = error.to_string();
                if failure != last.failure {
                    let source = self.source.as_str();
                    tracing::warn!(source, %error, "Cannot read the new secrets; the last ones stay in use.");
                    last.failure = failure;
                }
            }
        }
    }

    /// Puts the next authenticator in use; returns the digest of its secrets, or none when they are still those of
    /// `known`.
    fn renew(&self, known: &[u8; 32]) -> Result<Option<[u8; 32]>, AuthError> {
        let secrets = self.auth.secrets().map_err(|error| unusable_secrets(&self.source, error))?;
        let found = digest(&secrets);
        if found == *known {
            return Ok(None);
        }
        self.auth.check_secrets(&secrets).map_err(|error| unusable_secrets(&self.source, error))?;
        self.current.store(Arc::new(self.current.load().again(&self.source, &self.auth, &secrets)?));
        Ok(Some(found))
    }
}

fn unusable_secrets(source: &str, error: SecretsError) -> AuthError {
    AuthError::Secrets { key: format!("receiver.sources.{source}.auth.{}", error.key), source: error }
}

fn digest(secrets: &[Secret]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for secret in secrets {
        digest.update(secret.expose());
        digest.update(b"\n");
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests;
