//! Certificates of a test's own authority.

use std::path::{Path, PathBuf};

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair};

/// An authority that signs certificates for 127.0.0.1 and for clients.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
}

/// A certificate and its key, in PEM.
#[derive(Clone, Debug)]
pub struct Files {
    /// The certificate.
    pub certificate: PathBuf,
    /// The private key (PKCS #8).
    pub key: PathBuf,
}

impl Authority {
    /// A new one, whose files are in `folder`.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn new(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, "the authority of a test");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        std::fs::write(folder.join("ca.pem"), issuer.pem())?;
        Ok(Self { issuer, folder: folder.to_owned() })
    }

    /// Its own certificate.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// Writes a new certificate for `names` and its key into the files `<file>.pem` and `<file>.key`, over those that
    /// are there.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn issue(&self, file: &str, names: &[&str]) -> Result<Files> {
        self.issue_until(file, names, None)
    }

    /// As [`Authority::issue`], for a certificate that is valid until `end`, in seconds since the Unix epoch, where one
    /// is given.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn issue_until(&self, file: &str, names: &[&str], end: Option<i64>) -> Result<Files> {
        let mut params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())?;
        // Of the same name as the authority, OpenSSL would take it for signed by itself.
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
