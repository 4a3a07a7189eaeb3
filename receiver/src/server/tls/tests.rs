use std::os::unix::fs::symlink;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use super::*;

/// Writes a new certificate and its key.
fn renew(folder: &Path) -> (String, String) {
    renew_until(folder, 4_000_000_000)
}

/// Does the same as [`renew`], with a certificate valid until `end`, in seconds since the Unix epoch.
fn renew_until(folder: &Path, end: i64) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.not_after = time::OffsetDateTime::from_unix_timestamp(end).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    std::fs::write(folder.join("cert.pem"), certificate.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
    (certificate.pem(), key.serialize_pem())
}

fn files(folder: &Path) -> crate::config::Tls {
    crate::config::Tls {
        certificate_file: folder.join("cert.pem"),
        key_file: folder.join("key.pem"),
        client_ca_file: None,
    }
}

#[test]
fn renewed_files_are_used_once_key_and_certificate_match() {
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

/// vectordotdev/vector#10877, Mailu/Mailu#1302, minio/minio#14357: Kubernetes switches a link in the path, and leaves the
/// links to the files as they are. spring-projects/spring-boot#44807: only the first switch was noticed.
#[test]
fn files_behind_a_link_that_is_switched_are_used() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    let switch = |target: &str| {
        std::fs::create_dir(path(target)).unwrap();
        renew(&path(target));
        symlink(target, path("..data_tmp")).unwrap();
        std::fs::rename(path("..data_tmp"), path("..data")).unwrap();
    };
    switch("..first");
    for name in ["cert.pem", "key.pem"] {
        symlink(Path::new("..data").join(name), path(name)).unwrap();
    }
    let tls = Tls::load(&files(folder.path())).unwrap();
    for target in ["..second", "..third"] {
        let before = tls.current();
        switch(target);
        tls.reload();
        assert!(!Arc::ptr_eq(&before, &tls.current()), "{target}");
    }
}

/// rustls/rustls#332, junkurihara/rust-rpxy#388: `openssl ecparam -genkey` writes the curve before the key, which is not
/// in PKCS #8.
#[test]
fn a_key_as_openssl_writes_it_is_used() {
    const CURVE: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    let folder = TempDir::new().unwrap();
    let (_, pkcs8) = renew(folder.path());
    let pkcs8 = STANDARD.decode(pkcs8.lines().filter(|line| !line.starts_with('-')).collect::<String>()).unwrap();
    // The version, and 32 bytes of the key; the public key is after them.
    let version = [0x02, 0x01, 0x01, 0x04, 0x20];
    let at = pkcs8.windows(version.len()).position(|window| window == version).unwrap();
    let (private, public) = pkcs8[at..].split_at(version.len() + 32);
    let length = u8::try_from(private.len() + 2 + CURVE.len() + public.len()).unwrap();
    let key = [[0x30, length].as_slice(), private, &[0xa0, 0x0a], CURVE, public].concat();
    let section =
        |name: &str, der: &[u8]| format!("-----BEGIN {name}-----\n{}\n-----END {name}-----\n", STANDARD.encode(der));
    let pem = section("EC PARAMETERS", CURVE) + &section("EC PRIVATE KEY", &key);
    std::fs::write(folder.path().join("key.pem"), pem).unwrap();
    Tls::load(&files(folder.path())).unwrap();
}

#[test]
fn the_expiry_metric_follows_the_certificate_file() {
    let folder = TempDir::new().unwrap();
    renew_until(folder.path(), 2_000_000_000);
    let expiry = GaugeVec::new(prometheus::Opts::new("expiry", "Expiry."), &["use"]).unwrap();
    let tls = Tls::load(&files(folder.path())).unwrap().measured(expiry.clone()).unwrap();
    let end = || expiry.with_label_values(&["server"]).get();
    assert_eq!(end(), 2_000_000_000.0);
    renew_until(folder.path(), 2_100_000_000);
    tls.reload();
    assert_eq!(end(), 2_100_000_000.0);
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

/// As Windows writes files, and as `cat` joins files without a line break at their end.
#[test]
fn no_authority_is_skipped_for_what_is_before_it_in_its_line() {
    let folder = TempDir::new().unwrap();
    renew(folder.path());
    let file = folder.path().join("clients.pem");
    let pem = || renew(folder.path()).0;
    let trimmed = || pem().trim_end().to_owned();
    for (text, count) in [
        (format!("\u{feff}{}{}", pem(), pem()), 2),
        (format!("{}{}", trimmed(), trimmed()), 2),
        (format!("# old: \u{e9}\r\n{}\r\n{}", pem().replace('\n', "\r\n"), pem()), 2),
    ] {
        std::fs::write(&file, &text).unwrap();
        let found = certificates("client_ca_file", &file, &read("client_ca_file", &file).unwrap()).unwrap();
        assert_eq!(found.len(), count, "{text}");
    }
}
