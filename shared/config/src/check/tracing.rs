//! `tracing`.

use reqwest::Url;

use super::{Problem, Problems};
use crate::Tracing;

pub(super) fn check(tracing: &Tracing, problems: &mut Problems) {
    if let Some(endpoint) = &tracing.otlp_endpoint {
        address(endpoint, problems);
    }
    if !(0.0..=1.0).contains(&tracing.sample_ratio) {
        problems.add("tracing.sample_ratio", "must be from 0 to 1");
    }
    if let Some(name) = &tracing.service_name {
        problems.not_empty("tracing.service_name", name);
    }
    problems.not_zero("tracing.timeout", tracing.timeout);
    if let Err(error) = tracing.all_headers() {
        problems.0.push(Problem(error.0));
    }
    problems.readable("tracing.ca_file", tracing.ca_file.as_ref());
}

/// Refuses an invalid address of a collector. The message does not repeat the address, which may hold a password.
fn address(endpoint: &str, problems: &mut Problems) {
    let key = "tracing.otlp_endpoint";
    match Url::parse(endpoint.trim()) {
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            problems.add(key, "must not hold a user: set tracing.headers");
        }
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {
            if url.query().is_some() || url.fragment().is_some() {
                problems.add(key, "must have neither ? nor #");
            }
        }
        Ok(_) | Err(_) => problems.add(key, "must be an address such as http://127.0.0.1:4318"),
    }
}
