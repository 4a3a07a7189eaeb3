use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use super::*;

/// Writes a new certificate and its key.
fn renew(folder: &Path) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    std::fs::write(folder.join("cert.pem"), certificate.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
    (certificate.pem(), key.serialize_pem())
}

fn files(folder: &Path) -> config::Tls {
    config::Tls { certificate_file: folder.join("cert.pem"), key_file: folder.join("key.pem"), client_ca_file: None }
}

#[test]
fn renewed_files_are_in_use_once_they_go_together() {
    let folder = TempDir::new().unwrap();
    let (old_certificate, old_key) = renew(folder.path());
    let tls = Tls::load(&files(folder.path())).unwrap();
    let first = tls.current();
    tls.reload();
    assert!(Arc::ptr_eq(&first, &tls.current()), "nothing has changed");

    let (certificate, _) = renew(folder.path());
    std::fs::write(folder.path().join("key.pem"), &old_key).unwrap();
    tls.reload();
    assert!(Arc::ptr_eq(&first, &tls.current()), "the key is of another certificate");
    assert_ne!(certificate, old_certificate);

    renew(folder.path());
    tls.reload();
    assert!(!Arc::ptr_eq(&first, &tls.current()));
    std::fs::remove_file(folder.path().join("cert.pem")).unwrap();
    tls.reload();
}

#[test]
fn an_error_names_the_key_and_the_file() {
    let folder = TempDir::new().unwrap();
    let error = Tls::load(&files(folder.path())).err().unwrap().to_string();
    assert!(error.starts_with("receiver.tls.certificate_file: cannot read"), "{error}");
    renew(folder.path());
    std::fs::write(folder.path().join("cert.pem"), "nothing").unwrap();
    let error = Tls::load(&files(folder.path())).err().unwrap().to_string();
    assert!(
        error.contains("certificate_file") && error.contains("cert.pem") && error.contains("no usable certificate"),
        "{error}"
    );
    renew(folder.path());
    std::fs::write(folder.path().join("key.pem"), "nothing").unwrap();
    let error = Tls::load(&files(folder.path())).err().unwrap().to_string();
    assert!(error.starts_with("receiver.tls.key_file:"), "{error}");
}
