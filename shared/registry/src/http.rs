//! The settings of the HTTP client: time-outs, redirects, TLS.

use std::path::Path;
use std::time::Duration;

use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Certificate, ClientBuilder, Identity, Proxy};

use super::RegistrySetupError;
use service::tls;

/// Holds the settings of every client of the registry. The files are read once, when it is created.
pub(super) struct Http {
    timeout: Duration,
    authorities: Vec<Certificate>,
    identity: Option<Identity>,
    proxy: Option<Proxy>,
}

impl Http {
    pub(super) fn new(config: &config::SchemaRegistry) -> Result<Self, RegistrySetupError> {
        tls::install_provider();
        let authorities = match &config.ca_file {
            None => Vec::new(),
            Some(file) => tls::authorities(file).map_err(|reason| RegistrySetupError::new("ca_file", reason))?,
        };
        let identity = match (&config.client_certificate_file, &config.client_key_file) {
            (Some(certificate), Some(key)) => Some(identity(certificate, key)?),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                let reason = "it and client_key_file go together: set both or none";
                return Err(RegistrySetupError::new("client_certificate_file", reason));
            }
        };
        let proxy = config.proxy.as_deref().map(Proxy::all).transpose();
        let proxy = proxy.map_err(|_| RegistrySetupError::new("proxy", "it is not the address of a proxy"))?;
        Ok(Self { timeout: config.timeout, authorities, identity, proxy })
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    pub(super) fn builder(&self) -> ClientBuilder {
        // Without this header, a proxy may compress the answers (RFC 9110, section 12.5.3).
        let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("identity"))]);
        // Following a redirect would turn a POST into a GET, and its target need not be a registry.
        let mut builder =
            reqwest::Client::builder().connect_timeout(self.timeout).redirect(Policy::none()).default_headers(headers);
        if !self.authorities.is_empty() {
            builder = builder.tls_certs_merge(self.authorities.clone());
        }
        if let Some(proxy) = &self.proxy {
            builder = builder.proxy(proxy.clone());
        }
        if let Some(identity) = &self.identity {
            builder = builder.identity(identity.clone());
        }
        builder
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
    tls::read_pem(file)
        .map_err(|error| RegistrySetupError::new(key, format!("cannot read {}: {error}", file.display())))
}
