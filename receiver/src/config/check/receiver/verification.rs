//! Checks `receiver.sources.<name>.verification`.

use config::check::Problems;

use crate::config::{Auth, HmacAlgorithm, SignedPart, Vendor, Verification};

pub(super) fn check(key: &str, verification: &Verification, auth: &Auth, problems: &mut Problems) {
    let vendor = verification.challenge;
    if vendor.is_some() && verification.challenge_parameter.is_some() {
        let message = "does not go with challenge: remove one of them";
        problems.add(format_args!("{key}.challenge_parameter"), message);
    }
    if let Some(vendor) = vendor.filter(|vendor| vendor.wants_hash()) {
        check_secret(key, vendor, auth, problems);
    }
    check_token(key, verification, problems);
}

/// Checks that the source has the secret that signs events, because the answer to the challenge is signed with it.
fn check_secret(key: &str, vendor: Vendor, auth: &Auth, problems: &mut Problems) {
    let name = vendor.name();
    if !matches!(auth, Auth::Hmac { algorithm: HmacAlgorithm::Sha256, .. }) {
        let message = format!("{name} needs auth of type: hmac with sha256, such as preset: {name}");
        return problems.add(format_args!("{key}.challenge"), message);
    }
    // Anyone can request the hash of a token. So a body that looks like a token is never an event, and the signature
    // must cover nothing but the body.
    if vendor == Vendor::X && auth.signed_parts().is_ok_and(|parts| parts != [SignedPart::Body]) {
        let message = "x needs auth that signs the body and nothing else, as preset: x does";
        problems.add(format_args!("{key}.challenge"), message);
    }
}

fn check_token(key: &str, verification: &Verification, problems: &mut Problems) {
    let key = format!("{key}.verify_token");
    let token = match verification.token() {
        Ok(token) => token,
        Err(error) => return problems.add(format_args!("{key}_file"), error),
    };
    match (verification.challenge == Some(Vendor::Meta), token) {
        (true, None) => problems.add(key, "is missing: meta sends it, so set it or verify_token_file"),
        (true, Some(token)) if token.expose().trim().is_empty() => problems.add(key, "is blank: give it a value"),
        (false, Some(_)) => problems.add(key, "does nothing without challenge: meta"),
        (true, Some(_)) | (false, None) => {}
    }
}
