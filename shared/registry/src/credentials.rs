//! The client's credentials for the registry, and their files, which may change while it runs.

use std::path::PathBuf;

use reqwest::RequestBuilder;
use schema_registry_converter::async_impl::schema_registry::SrSettingsBuilder;

use super::RegistrySetupError;
use config::SchemaRegistryAuth;
use service::reloaded::{Fingerprint, Look, Reloaded};
use service::secret::Secret;

/// A user of the registry, with the password.
pub(super) type User = (String, Secret);

/// Holds the credentials for one address, as configured and as last read.
pub(super) struct Credentials {
    configured: Configured,
    secret: Reloaded<Option<Secret>>,
}

/// The credentials as configured.
struct Configured {
    scheme: Scheme,
    value: Option<Secret>,
    file: Option<PathBuf>,
}

enum Scheme {
    None,
    Basic { username: String },
    Bearer,
}

impl Credentials {
    /// Creates the credentials from `auth`, or from the `user` of the address if `auth` has none. Reads a file for the
    /// first time.
    pub(super) fn new(auth: &SchemaRegistryAuth, user: Option<User>) -> Result<Self, RegistrySetupError> {
        let (scheme, value, file) = match auth {
            SchemaRegistryAuth::None => match user {
                None => (Scheme::None, None, None),
                Some((username, password)) => (Scheme::Basic { username }, Some(password), None),
            },
            _ if user.is_some() => {
                let reason = "schema_registry.url has a user too: remove one of the two";
                return Err(RegistrySetupError::new("auth", reason));
            }
            SchemaRegistryAuth::Basic { username, password, password_file } => {
                (Scheme::Basic { username: username.clone() }, password.clone(), password_file.clone())
            }
            SchemaRegistryAuth::Bearer { token, token_file } => (Scheme::Bearer, token.clone(), token_file.clone()),
        };
        let configured = Configured { scheme, value, file };
        let secret = configured.read().map_err(|reason| RegistrySetupError::new("auth", reason))?;
        let seen = fingerprint(secret.as_ref());
        Ok(Self { configured, secret: Reloaded::new(secret, seen) })
    }

    /// Returns the current secret, or the last one if its file cannot be read.
    pub(super) fn secret(&self) -> Option<Secret> {
        if self.configured.file.is_some() {
            let read = || self.configured.read().map(|secret| (fingerprint(secret.as_ref()), secret));
            if let Look::Failed { error: reason, is_new: true } = self.secret.look(read, |_, secret| Ok(secret)) {
                tracing::warn!(%reason, "Cannot read the registry's new credentials; the last ones stay in use.");
            }
        }
        Option::clone(&self.secret.current())
    }

    /// Adds `secret` to `settings` under construction.
    pub(super) fn apply(&self, secret: Option<&Secret>, settings: &mut SrSettingsBuilder) {
        match (&self.configured.scheme, secret) {
            (Scheme::None, _) | (_, None) => {}
            (Scheme::Basic { username }, Some(password)) => {
                settings.set_basic_authorization(username, Some(password.expose()));
            }
            (Scheme::Bearer, Some(token)) => {
                settings.set_token_authorization(token.expose());
            }
        }
    }

    /// Adds the current secret to `request`.
    pub(super) fn authorize(&self, request: RequestBuilder) -> RequestBuilder {
        match (&self.configured.scheme, self.secret()) {
            (Scheme::None, _) | (_, None) => request,
            (Scheme::Basic { username }, Some(password)) => request.basic_auth(username, Some(password.expose())),
            (Scheme::Bearer, Some(token)) => request.bearer_auth(token.expose()),
        }
    }
}

impl Configured {
    /// Reads the current secret.
    fn read(&self) -> Result<Option<Secret>, String> {
        let secret = config::read_secret(self.value.as_ref(), self.file.as_ref()).map_err(|error| error.to_string())?;
        match (&self.scheme, &secret) {
            // The password of an address may be empty: some registries take an API key as the user name alone.
            (Scheme::None | Scheme::Basic { .. }, _) => Ok(secret),
            (Scheme::Bearer, Some(token)) if is_sendable(token.expose()) => Ok(secret),
            (Scheme::Bearer, _) => Err("the token is empty or holds characters that cannot be sent".to_owned()),
        }
    }
}

/// Returns a fingerprint of the secret, to detect changes.
pub(super) fn fingerprint(secret: Option<&Secret>) -> Fingerprint {
    Fingerprint::of(secret.map(|secret| secret.expose().as_bytes()))
}

/// Returns whether a header can hold `token` (RFC 6750, section 2.1, allows even fewer characters).
fn is_sendable(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())
}
