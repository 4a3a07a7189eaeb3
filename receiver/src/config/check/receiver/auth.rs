//! Checks of `receiver.sources.<name>.auth`.

use std::time::Duration;

use axum::http::HeaderName;
use config::check::Problems;

use crate::config::Auth;
use crate::config::auth::secret_problem;

/// The most remembered signatures of one source: some 1.1 GB.
const MAX_REPLAY_CAPACITY: usize = 10_000_000;

pub(super) fn check(key: &str, auth: &Auth, problems: &mut Problems) {
    match auth {
        Auth::None | Auth::Bearer { .. } | Auth::Basic { .. } => {}
        Auth::Hmac { header, timestamp_header, trusted_headers, tolerance, replay_capacity, .. } => {
            header_name(format!("{key}.header"), header, problems);
            if let Some(header) = timestamp_header {
                header_name(format!("{key}.timestamp_header"), header, problems);
            }
            check_trusted(key, trusted_headers, problems);
            if let Err(reason) = auth.signed_parts() {
                problems.add(format_args!("{key}.signed"), reason);
            }
            check_window(key, *tolerance, *replay_capacity, problems);
        }
        Auth::StandardWebhooks { trusted_headers, tolerance, replay_capacity, .. } => {
            check_trusted(key, trusted_headers, problems);
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
        if let Some(message) = secret_problem(auth, number + 1, secret) {
            problems.add(format_args!("{key}.{list}"), message);
        }
    }
}

/// Refuses headers that decide nothing and so need no trust.
fn check_trusted(key: &str, trusted: &[String], problems: &mut Problems) {
    const DECISIVE: [&str; 4] = ["content-type", "content-encoding", "x-schema-id", "x-schema-version"];
    if trusted.iter().any(|name| !DECISIVE.iter().any(|known| name.eq_ignore_ascii_case(known))) {
        let message = "each must be Content-Type, Content-Encoding, X-Schema-Id or X-Schema-Version";
        problems.add(format_args!("{key}.trusted_headers"), message);
    }
}

fn check_window(key: &str, tolerance: Duration, replay_capacity: usize, problems: &mut Problems) {
    problems.not_zero(format_args!("{key}.tolerance"), tolerance);
    if replay_capacity > MAX_REPLAY_CAPACITY {
        problems.add(format_args!("{key}.replay_capacity"), format!("must be at most {MAX_REPLAY_CAPACITY}"));
    }
}

/// Checks that `name` is a header name (RFC 9110, section 5.1).
pub(super) fn header_name(key: String, name: &str, problems: &mut Problems) {
    if HeaderName::from_bytes(name.as_bytes()).is_err() {
        problems.add(key, "must be the name of an HTTP header");
    }
}
