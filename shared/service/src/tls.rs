//! The one TLS implementation of the process: rustls with ring; and the authorities that a config names.

use std::path::Path;

use reqwest::Certificate;

/// Makes ring the process's TLS provider, for the HTTP clients that bring none of their own. To be called before such a
/// client is built; a second call changes nothing.
pub fn install_provider() {
    // An error says that there is a provider already: the same one, since nobody else installs any.
    let _already_there = rustls::crypto::ring::default_provider().install_default();
}

/// Returns the certificates in `file`, each in PEM form.
///
/// # Errors
/// When it cannot be read or holds none: the reason, which names the file.
pub fn authorities(file: &Path) -> Result<Vec<Certificate>, String> {
    let pem = std::fs::read(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) | Err(_) => Err(format!("{} holds no certificate in PEM form", file.display())),
    }
}
