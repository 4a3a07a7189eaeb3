//! Certificates from a test's own authority.

use std::path::{Path, PathBuf};

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair};

/// An authority that signs certificates for 127.0.0.1 and for clients.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
}

/// A certificate and its key, as PEM files.
#[derive(Clone, Debug)]
pub struct Files {
    /// The certificate.
    pub certificate: PathBuf,
    /// The private key (PKCS #8).
    pub key: PathBuf,
}

impl Authority {
    /// Creates a new authority, with its files in `folder`.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn new(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, "the authority of a test");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        std::fs::write(folder.join("ca.pem"), issuer.pem())?;
        Ok(Self { issuer, folder: folder.to_owned() })
    }

    /// Returns the path of its own certificate.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// Writes a new certificate for `names` and its key to `<file>.pem` and `<file>.key`. Overwrites existing files.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn issue(&self, file: &str, names: &[&str]) -> Result<Files> {
        self.issue_until(file, names, None)
    }

    /// Issues a certificate like [`Authority::issue`], valid until `end` if given, in seconds since the Unix epoch.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn issue_until(&self, file: &str, names: &[&str], end: Option<i64>) -> Result<Files> {
        let mut params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())?;
        // If it had the authority's name, OpenSSL would regard it as self-signed.
        params.distinguished_name.push(DnType::CommonName, file);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        if let Some(end) = end {
            params.not_after = time::OffsetDateTime::from_unix_timestamp(end)?;
        }
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let files = Files {
            certificate: self.folder.join(format!("{file}.pem")),
            key: self.folder.join(format!("{file}.key")),
        };
        std::fs::write(&files.key, key.serialize_pem())?;
        std::fs::write(&files.certificate, certificate.pem())?;
        Ok(files)
    }
}
