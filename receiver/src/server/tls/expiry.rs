//! When the certificates of the listener expire.

use prometheus::GaugeVec;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::Pem;

/// Sets `expiry` to the first expiry time in each file of `pem`, in seconds since the Unix epoch.
pub(super) fn note(pem: &Pem, expiry: &GaugeVec) {
    let files = [("server", Some(&pem.certificates)), ("client_ca", pem.client_cas.as_ref())];
    for (name, pem) in files {
        if let Some(end) = pem.and_then(|pem| first_end(pem)) {
            expiry.with_label_values(&[name]).set(end as f64);
        }
    }
}

fn first_end(pem: &[u8]) -> Option<i64> {
    let certificates = CertificateDer::pem_slice_iter(pem).filter_map(Result::ok);
    certificates.filter_map(|certificate| end(&certificate)).min()
}

fn end(certificate: &[u8]) -> Option<i64> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    Some(certificate.validity().not_after.timestamp())
}
