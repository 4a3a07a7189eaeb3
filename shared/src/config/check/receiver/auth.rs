//! `receiver.sources.<name>.auth`.

use std::time::Duration;

use super::Problems;
use crate::config::{Auth, standard_webhooks_key};
use crate::secret::Secret;

/// Bytes that a secret must have at least: 128 bits, which is what NIST SP 800-107 wants of an HMAC key, and what cannot be guessed.
const MIN_SECRET: usize = 16;
/// Signatures remembered of one source, at most: some 600 MB.
const MAX_REPLAY_CAPACITY: usize = 10_000_000;

pub(super) fn check(key: &str, auth: &Auth, problems: &mut Problems) {
    match auth {
        Auth::None | Auth::Bearer { .. } | Auth::Basic { .. } => {}
        Auth::Hmac { header, timestamp_header, signed, tolerance, replay_capacity, .. } => {
            header_name(format!("{key}.header"), header, problems);
            if let Some(header) = timestamp_header {
                header_name(format!("{key}.timestamp_header"), header, problems);
            }
            if let Some(signed) = signed {
                check_signed(key, signed, timestamp_header.is_some(), problems);
            }
            check_window(key, *tolerance, *replay_capacity, problems);
        }
        Auth::StandardWebhooks { tolerance, replay_capacity, .. } => {
            check_window(key, *tolerance, *replay_capacity, problems);
        }
        Auth::Mtls { names } => {
            if names.iter().any(|name| name.trim().is_empty()) {
                problems.add(format_args!("{key}.names"), "one of them is blank: remove it or give it a value");
            }
        }
    }
    let Some((list, _)) = auth.secret_keys() else {
        return;
    };
    let secrets = match auth.secrets() {
        Ok(secrets) => secrets,
        Err(error) => return problems.add(format!("{key}.{}", error.key), error),
    };
    for (number, secret) in secrets.iter().enumerate() {
        check_secret(&format!("{key}.{list}"), number + 1, auth, secret, problems);
    }
}

/// The body must be signed, or anybody could send another one under the same signature; so must the timestamp.
fn check_signed(key: &str, signed: &str, has_timestamp: bool, problems: &mut Problems) {
    let key = format!("{key}.signed");
    let count = |part| signed.matches(part).count();
    if count("{body}") != 1 {
        problems.add(&key, "must hold {body} once");
    }
    match (has_timestamp, count("{timestamp}")) {
        (true, 1) | (false, 0) => {}
        (true, _) => problems.add(&key, "must hold {timestamp} once, or the time could be replaced"),
        (false, _) => problems.add(&key, "must not hold {timestamp} without a timestamp_header"),
    }
}

fn check_window(key: &str, tolerance: Duration, replay_capacity: usize, problems: &mut Problems) {
    problems.not_zero(format_args!("{key}.tolerance"), tolerance);
    if replay_capacity > MAX_REPLAY_CAPACITY {
        problems.add(format_args!("{key}.replay_capacity"), format!("must be at most {MAX_REPLAY_CAPACITY}"));
    }
}

fn check_secret(key: &str, number: usize, auth: &Auth, secret: &Secret, problems: &mut Problems) {
    let (length, example) = match auth {
        Auth::StandardWebhooks { .. } => match standard_webhooks_key(secret) {
            Some(decoded) => (decoded.len(), "openssl rand -base64 32"),
            None => {
                return problems.add(key, format!("number {number} must be base64, after whsec_ or alone"));
            }
        },
        Auth::Basic { .. } => match secret.expose().split_once(':') {
            Some((_, password)) => (password.len(), "openssl rand -hex 32"),
            None => return problems.add(key, format!("number {number} must be user:password")),
        },
        Auth::None | Auth::Bearer { .. } | Auth::Hmac { .. } | Auth::Mtls { .. } => {
            (secret.expose().trim().len(), "openssl rand -hex 32")
        }
    };
    if length < MIN_SECRET {
        let message = format!(
            "number {number} is {length} bytes, too short to be safe: at least {MIN_SECRET}, such as `{example}` gives"
        );
        problems.add(key, message);
    }
}

/// A name as RFC 9110, section 5.1, has it.
fn header_name(key: String, name: &str, problems: &mut Problems) {
    if axum::http::HeaderName::from_bytes(name.as_bytes()).is_err() {
        problems.add(key, "must be the name of an HTTP header");
    }
}
