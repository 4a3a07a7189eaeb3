//! The certificates of the listener, and the next ones as soon as their files have changed.
//!
//! A connection keeps the settings that it began with; new ones get those of the moment. So nothing is dropped when a
//! certificate is renewed, and a client authority that was removed is not accepted by any connection that comes later.

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

mod expiry;

/// What both sides can agree on (RFC 7301): the first is preferred.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The listener's TLS, which [`Tls::reload`] keeps up to date.
pub(crate) struct Tls {
    files: crate::config::Tls,
    config: Reloaded<ServerConfig>,
    /// Where it says when the certificates expire.
    expiry: Option<GaugeVec>,
}

/// What the files hold.
struct Pem {
    certificates: Vec<u8>,
    key: Vec<u8>,
    client_cas: Option<Vec<u8>>,
}

/// Why `receiver.tls` cannot be used. Holds nothing of what is in the files.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("receiver.tls.{key}: cannot read {file}: {source}")]
    Read {
        /// The key below `receiver.tls`.
        key: &'static str,
        /// The file.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("receiver.tls.{key}: {file} holds no usable {wanted} in PEM: {reason}")]
    Content {
        /// The key below `receiver.tls`.
        key: &'static str,
        /// The file.
        file: String,
        /// What is wanted there.
        wanted: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Key and certificate do not go together, or are of a kind that is not supported.
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

    /// Returns the same, which says in `expiry` when its certificates expire, by their use.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub(crate) fn measured(self, expiry: GaugeVec) -> Result<Self, TlsError> {
        Pem::read(&self.files)?.note_expiry(&expiry);
        Ok(Self { expiry: Some(expiry), ..self })
    }

    /// Returns the settings for a new connection.
    pub(crate) fn current(&self) -> Arc<ServerConfig> {
        self.config.current()
    }

    /// Reads the files again, and takes what is there now. When that fails the last certificates stay in use; each
    /// failure is logged once. Blocks the thread.
    pub(crate) fn reload(&self) {
        let read = || Pem::read(&self.files).map(|pem| (pem.fingerprint(), pem));
        match self.config.look(read, |_, pem| self.renewed(&pem)) {
            Look::Renewed => {
                let file = self.files.certificate_file.display();
                tracing::info!(%file, "The certificates have changed; the new ones are in use.");
            }
            // Key and certificate are two files: between the two writes they do not go together.
            Look::Failed { error, is_new: true } => {
                tracing::warn!(%error, "Cannot load the new certificates; the last ones stay in use.");
            }
            Look::Same | Look::Failed { is_new: false, .. } => {}
        }
    }

    /// Returns the next settings, and notes until when they are good.
    fn renewed(&self, pem: &Pem) -> Result<ServerConfig, TlsError> {
        let config = server_config(&self.files, pem)?;
        if let Some(expiry) = &self.expiry {
            pem.note_expiry(expiry);
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
    std::fs::read(file).map_err(|source| TlsError::Read { key, file: file.display().to_string(), source })
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

/// Accepts clients whose certificate one of `cas` has signed, and those that have none: which sources want one is their
/// own matter.
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
