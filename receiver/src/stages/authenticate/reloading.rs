//! The current authenticator of a source, replaced as soon as its file of secrets changes.

use std::sync::Arc;

use prometheus::IntGauge;
use service::reloaded::{Fingerprint, Look, Reloaded};
use service::secret::Secret;

use super::{AuthError, Authenticator};
use crate::config::{Auth, SecretsError};

/// A source's authenticator. [`ReloadingAuthenticator::reload`] keeps it up to date.
pub(crate) struct ReloadingAuthenticator {
    source: String,
    auth: Auth,
    authenticator: Reloaded<Authenticator>,
    /// 1 while the current secrets cannot be used.
    unusable: IntGauge,
}

impl ReloadingAuthenticator {
    /// Compiles the `auth` of `source`, and reads its file of secrets.
    ///
    /// # Errors
    /// [`AuthError`], naming the key.
    pub(crate) fn new(source: &str, auth: &Auth, unusable: IntGauge) -> Result<Self, AuthError> {
        // The file may have changed since the config was checked, so the secrets are read and checked again.
        let secrets = auth.secrets().map_err(|error| unusable_secrets(source, error))?;
        auth.check_secrets(&secrets).map_err(|error| unusable_secrets(source, error))?;
        let first = Authenticator::compile(source, auth, &secrets)?;
        let authenticator = Reloaded::new(first, fingerprint(&secrets));
        Ok(Self { source: source.to_owned(), auth: auth.clone(), authenticator, unusable })
    }

    /// Returns the authenticator in use.
    pub(crate) fn current(&self) -> Arc<Authenticator> {
        self.authenticator.current()
    }

    /// Reads the secrets again and uses them. On failure, the last ones stay in use, and each new failure is logged
    /// once. Reads a file, so it blocks the thread.
    pub(crate) fn reload(&self) {
        let (source, auth) = (self.source.as_str(), &self.auth);
        let read = || {
            let secrets = auth.secrets().map_err(|error| unusable_secrets(source, error))?;
            Ok((fingerprint(&secrets), secrets))
        };
        let renew = |current: &Authenticator, secrets: Vec<Secret>| {
            auth.check_secrets(&secrets).map_err(|error| unusable_secrets(source, error))?;
            current.again(source, auth, &secrets)
        };
        let looked = self.authenticator.look(read, renew);
        self.unusable.set(matches!(looked, Look::Failed { .. }).into());
        match looked {
            Look::Renewed => {
                tracing::info!(source, "The secrets of the source have changed; the new ones are in use.");
            }
            Look::Failed { error, is_new: true } => {
                tracing::warn!(source, %error, "Cannot read the new secrets; the last ones stay in use.");
            }
            Look::Same | Look::Failed { is_new: false, .. } => {}
        }
    }
}

fn unusable_secrets(source: &str, error: SecretsError) -> AuthError {
    AuthError::Secrets { key: format!("receiver.sources.{source}.auth.{}", error.key), source: error }
}

fn fingerprint(secrets: &[Secret]) -> Fingerprint {
    Fingerprint::of(secrets.iter().map(|secret| secret.expose().as_bytes()))
}

#[cfg(test)]
mod tests;
