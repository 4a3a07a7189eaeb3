//! The certificates of the listener, reloaded as soon as their files change.
//!
//! A connection keeps the settings that it began with; new connections get the current ones. So renewing a certificate
//! drops no connection, and no later connection accepts a client authority that was removed.

use std::path::Path;
use std::sync::Arc;

use prometheus::GaugeVec;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};
use service::reloaded::{Fingerprint, Look, Reloaded};
use service::tls::read_pem;

mod expiry;

/// The protocols to negotiate (RFC 7301), the preferred one first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The TLS settings of the listener. [`Tls::reload`] keeps them up to date.
pub(crate) struct Tls {
    files: crate::config::Tls,
    config: Reloaded<ServerConfig>,
    /// The metric of the expiry times.
    expiry: Option<GaugeVec>,
}

/// The contents of the files.
struct Pem {
    certificates: Vec<u8>,
    key: Vec<u8>,
    client_cas: Option<Vec<u8>>,
}

/// Says why `receiver.tls` cannot be used. Holds no contents of the files.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("receiver.tls.{key}: cannot read {file}: {source}")]
    Read {
        /// The key below `receiver.tls`.
        key: &'static str,
        /// The file.
        file: String,
        /// The error of the system.
        source: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("receiver.tls.{key}: {file} holds no usable {wanted} in PEM: {reason}")]
    Content {
        /// The key below `receiver.tls`.
        key: &'static str,
        /// The file.
        file: String,
        /// What the file should hold.
        wanted: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Key and certificate do not match, or are of an unsupported kind.
    #[error("receiver.tls: cannot use the certificate and its key: {0}")]
    Unusable(#[from] rustls::Error),
}

impl Tls {
    /// Reads `files`.
    ///
    /// # Errors
    /// [`TlsError`], naming the key and the file.
    pub(crate) fn load(files: &crate::config::Tls) -> Result<Self, TlsError> {
        let pem = Pem::read(files)?;
        let config = Reloaded::new(server_config(files, &pem)?, pem.fingerprint());
        Ok(Self { files: files.clone(), config, expiry: None })
    }

    /// Returns the same settings, and reports in `expiry` when the certificates expire, by use.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub(crate) fn measured(self, expiry: GaugeVec) -> Result<Self, TlsError> {
        expiry::note(&Pem::read(&self.files)?, &expiry);
        Ok(Self { expiry: Some(expiry), ..self })
    }

    /// Returns the settings for a new connection.
    pub(crate) fn current(&self) -> Arc<ServerConfig> {
        self.config.current()
    }

    /// Reads the files again and uses their contents. On failure, the last certificates stay in use, and each new
    /// failure is logged once. Blocks the thread.
    pub(crate) fn reload(&self) {
        let read = || Pem::read(&self.files).map(|pem| (pem.fingerprint(), pem));
        match self.config.look(read, |_, pem| self.renewed(&pem)) {
            Look::Renewed => {
                let file = self.files.certificate_file.display();
                tracing::info!(%file, "The certificates have changed; the new ones are in use.");
            }
            // Key and certificate are two files, which do not match between the two writes.
            Look::Failed { error, is_new: true } => {
                tracing::warn!(%error, "Cannot load the new certificates; the last ones stay in use.");
            }
            Look::Same | Look::Failed { is_new: false, .. } => {}
        }
    }

    /// Returns the next settings, and reports when their certificates expire.
    fn renewed(&self, pem: &Pem) -> Result<ServerConfig, TlsError> {
        let config = server_config(&self.files, pem)?;
        if let Some(expiry) = &self.expiry {
            expiry::note(pem, expiry);
        }
        Ok(config)
    }
}

impl Pem {
    fn read(files: &crate::config::Tls) -> Result<Self, TlsError> {
        Ok(Self {
            certificates: read("certificate_file", &files.certificate_file)?,
            key: read("key_file", &files.key_file)?,
            client_cas: files.client_ca_file.as_deref().map(|file| read("client_ca_file", file)).transpose()?,
        })
    }

    fn fingerprint(&self) -> Fingerprint {
        let parts = [&self.certificates, &self.key].into_iter().chain(&self.client_cas);
        Fingerprint::of(parts.map(Vec::as_slice))
    }
}

fn read(key: &'static str, file: &Path) -> Result<Vec<u8>, TlsError> {
    read_pem(file).map_err(|source| TlsError::Read { key, file: file.display().to_string(), source })
}

fn server_config(files: &crate::config::Tls, pem: &Pem) -> Result<ServerConfig, TlsError> {
    let chain = certificates("certificate_file", &files.certificate_file, &pem.certificates)?;
    let key = PrivateKeyDer::from_pem_slice(&pem.key)
        .map_err(|error| content("key_file", &files.key_file, "private key", &error))?;
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?;
    let builder = match (&files.client_ca_file, &pem.client_cas) {
        (Some(file), Some(cas)) => builder.with_client_cert_verifier(client_verifier(file, cas)?),
        _ => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, key)?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    Ok(config)
}

/// Accepts clients with a certificate that one of `cas` has signed, and clients without one. Each source decides
/// whether it needs a certificate.
fn client_verifier(file: &Path, cas: &[u8]) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates("client_ca_file", file, cas)? {
        roots.add(certificate).map_err(|error| content("client_ca_file", file, "authority", &error))?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::new(ring::default_provider()))
        .allow_unauthenticated()
        .build()
        .map_err(|error| content("client_ca_file", file, "authority", &error))
}

fn certificates(key: &'static str, file: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| content(key, file, "certificate", &error))?;
    if found.is_empty() {
        return Err(content(key, file, "certificate", &"there is none"));
    }
    Ok(found)
}

fn content(key: &'static str, file: &Path, wanted: &'static str, reason: &dyn std::fmt::Display) -> TlsError {
    TlsError::Content { key, file: file.display().to_string(), wanted, reason: reason.to_string() }
}

#[cfg(test)]
mod tests;
