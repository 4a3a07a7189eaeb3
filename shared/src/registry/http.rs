//! The HTTP client's settings: time-outs, redirects, TLS.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Certificate, ClientBuilder, Identity, RequestBuilder};

use super::RegistrySetupError;
use crate::config::{self, SchemaRegistryAuth};
use crate::secret::Secret;
use crate::tls;

/// What every client of the registry is made of. The files are read once, when it is made.
pub(super) struct Http {
    timeout: Duration,
    authorities: Vec<Certificate>,
    identity: Option<Identity>,
}

impl Http {
    pub(super) fn new(config: &config::SchemaRegistry) -> Result<Self, RegistrySetupError> {
        tls::install_provider();
        let authorities = match &config.ca_file {
            None => Vec::new(),
            Some(file) => authorities(file)?,
        };
        let identity = match (&config.client_certificate_file, &config.client_key_file) {
            (Some(certificate), Some(key)) => Some(identity(certificate, key)?),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                let reason = "it and client_key_file go together: set both or none";
                return Err(RegistrySetupError::new("client_certificate_file", reason));
            }
        };
        Ok(Self { timeout: config.timeout, authorities, identity })
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    pub(super) fn builder(&self) -> ClientBuilder {
        // A redirect that a POST followed would become a GET, and what is behind it need not be a registry.
        let mut builder = reqwest::Client::builder().connect_timeout(self.timeout).redirect(Policy::none());
        if !self.authorities.is_empty() {
            builder = builder.tls_certs_merge(self.authorities.clone());
        }
        if let Some(identity) = &self.identity {
            builder = builder.identity(identity.clone());
        }
        builder
    }
}

/// A client for questions to the registry that [`super::SchemaRegistry`] has no call for: with the time-outs and the TLS of the config.
///
/// # Errors
/// When a file of the config cannot be used.
pub fn http_client(config: &config::SchemaRegistry) -> Result<reqwest::Client, RegistrySetupError> {
    let builder = Http::new(config)?.builder().timeout(config.timeout.max(Duration::from_millis(1)));
    builder.build().map_err(|error| RegistrySetupError::new("url", error.to_string()))
}

/// `request` with the credentials of `schema_registry.auth`, as they are now.
///
/// # Errors
/// When their file cannot be read.
pub fn authorize(auth: &SchemaRegistryAuth, request: RequestBuilder) -> Result<RequestBuilder, RegistrySetupError> {
    let read = |value: &Option<Secret>, file: &Option<PathBuf>| {
        config::read_secret(value.as_ref(), file.as_ref())
            .map_err(|error| RegistrySetupError::new("auth", error.to_string()))
    };
    Ok(match auth {
        SchemaRegistryAuth::None => request,
        SchemaRegistryAuth::Basic { username, password, password_file } => {
            request.basic_auth(username, read(password, password_file)?.as_ref().map(Secret::expose))
        }
        SchemaRegistryAuth::Bearer { token, token_file } => match read(token, token_file)? {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        },
    })
}

fn authorities(file: &Path) -> Result<Vec<Certificate>, RegistrySetupError> {
    let pem = read("ca_file", file)?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) | Err(_) => {
            Err(RegistrySetupError::new("ca_file", format!("{} holds no certificate in PEM form", file.display())))
        }
    }
}

fn identity(certificate: &Path, key: &Path) -> Result<Identity, RegistrySetupError> {
    let mut pem = read("client_certificate_file", certificate)?;
    pem.push(b'\n');
    pem.extend(read("client_key_file", key)?);
    Identity::from_pem(&pem).map_err(|_| {
        let (certificate, key) = (certificate.display(), key.display());
        let reason = format!("{certificate} and {key} are not a certificate and its private key in PEM form");
        RegistrySetupError::new("client_certificate_file", reason)
    })
}

fn read(key: &'static str, file: &Path) -> Result<Vec<u8>, RegistrySetupError> {
    std::fs::read(file)
        .map_err(|error| RegistrySetupError::new(key, format!("cannot read {}: {error}", file.display())))
}
