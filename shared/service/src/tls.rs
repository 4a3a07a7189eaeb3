//! The TLS implementation of the process, rustls with ring, and the certificate authorities that a config names.

use std::path::Path;

use reqwest::Certificate;

/// Makes ring the process's TLS provider, for HTTP clients that do not bring their own. Call this before building such
/// a client; a second call changes nothing.
pub fn install_provider() {
    // An error means that a provider is already installed. It is the same one, since no other code installs any.
    let _already_there = rustls::crypto::ring::default_provider().install_default();
}

/// Returns the contents of a PEM file, with the beginning of each certificate or key on a line of its own. Parsers skip
/// what does not begin a line without a word: the first certificate after a byte order mark, or one that was appended
/// to a file without a line break at its end.
///
/// # Errors
/// If the file cannot be read.
pub fn read_pem(file: &Path) -> std::io::Result<Vec<u8>> {
    const BEGIN: &str = "-----BEGIN ";
    // Only comments may hold other characters.
    let text = String::from_utf8_lossy(&std::fs::read(file)?).replace(BEGIN, &format!("\n{BEGIN}"));
    Ok(text.into_bytes())
}

/// Returns the PEM certificates in `file`.
///
/// # Errors
/// A message that names the file, if it cannot be read or contains no certificate.
pub fn authorities(file: &Path) -> Result<Vec<Certificate>, String> {
    let pem = read_pem(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) | Err(_) => Err(format!("{} holds no certificate in PEM form", file.display())),
    }
}
