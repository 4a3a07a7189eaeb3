//! Checks of `cxone`.

use std::path::PathBuf;
use std::time::Duration;

use config::check::Problems;
use service::secret::Secret;

use crate::config::{Config, Cxone, SUBJECT_PLACE};

/// The shortest refresh. CXone's schemas change only with its releases, so more requests would only load it.
const LEAST_REFRESH: Duration = Duration::from_secs(10);

pub(super) fn check(config: &Config, problems: &mut Problems) {
    let cxone = &config.cxone;
    if !cxone.is_used() {
        return;
    }
    check_tenant_url(cxone, problems);
    problems.proxy("cxone.proxy", cxone.proxy.as_ref());
    check_credentials(cxone, problems);
    check_path("cxone.token_path", &cxone.token_path, problems);
    check_path("cxone.access_key_path", &cxone.access_key_path, problems);
    check_schema_path(config, problems);
    if cxone.schema_pointer.as_ref().is_some_and(|pointer| !pointer.is_empty() && !pointer.starts_with('/')) {
        problems.add("cxone.schema_pointer", "must be a JSON pointer (RFC 6901), such as /data/schema");
    }
    problems.not_zero("cxone.timeout", cxone.timeout);
    if cxone.refresh.is_some_and(|refresh| refresh < LEAST_REFRESH) {
        problems.add("cxone.refresh", "must be at least 10s; leave it out for never");
    }
}

/// Requires HTTPS, because secrets are sent there, except for a stand-in on this machine.
fn check_tenant_url(cxone: &Cxone, problems: &mut Problems) {
    const KEY: &str = "cxone.tenant_url";
    let example = "such as https://api-na1.niceincontact.com";
    let Some(text) = &cxone.tenant_url else {
        return problems.add(KEY, format_args!("is missing: the base address of the tenant's API, {example}"));
    };
    let Ok(url) = reqwest::Url::parse(text) else {
        return problems.add(KEY, format_args!("must be an address {example}"));
    };
    let local = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    if url.scheme() != "https" && !(url.scheme() == "http" && local) {
        problems.add(KEY, format_args!("must begin with https://, since secrets are sent there: {example}"));
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        problems.add(KEY, format_args!("must have no user, password, ? and #: {example}"));
    }
}

fn check_credentials(cxone: &Cxone, problems: &mut Problems) {
    match (cxone.has_client(), cxone.has_access_key()) {
        (false, false) => {
            let message = "is missing: set client_id and client_secret, or access_key_id and access_key_secret";
            problems.add("cxone.client_id", message);
        }
        (true, true) => {
            let message = "does not go with cxone.client_id and client_secret: set one pair only";
            problems.add("cxone.access_key_id", message);
        }
        (true, false) => {
            let secret = (cxone.client_secret.as_ref(), cxone.client_secret_file.as_ref());
            check_pair("client_id", "client_secret", cxone.client_id.as_ref(), secret, problems);
        }
        (false, true) => {
            let secret = (cxone.access_key_secret.as_ref(), cxone.access_key_secret_file.as_ref());
            check_pair("access_key_id", "access_key_secret", cxone.access_key_id.as_ref(), secret, problems);
        }
    }
}

fn check_pair(
    id_key: &str,
    secret_key: &str,
    id: Option<&String>,
    (secret, file): (Option<&Secret>, Option<&PathBuf>),
    problems: &mut Problems,
) {
    if id.is_none_or(|id| id.trim().is_empty()) {
        problems.add(format_args!("cxone.{id_key}"), format_args!("is missing: cxone.{secret_key} needs it"));
    }
    problems.readable(format_args!("cxone.{secret_key}_file"), file);
    if file.is_none() && secret.is_none_or(|secret| secret.expose().trim().is_empty()) {
        let message = format_args!("is missing: cxone.{id_key} needs it, or {secret_key}_file");
        problems.add(format_args!("cxone.{secret_key}"), message);
    }
}

fn check_schema_path(config: &Config, problems: &mut Problems) {
    const KEY: &str = "cxone.schema_path";
    let Some(path) = &config.cxone.schema_path else {
        let message = "is missing: the path below tenant_url of the latest schema; CXone documents no path that holds for every tenant";
        return problems.add(KEY, message);
    };
    check_path(KEY, &path.replace(SUBJECT_PLACE, ""), problems);
    let subjects = config.cxone_subjects();
    if subjects.iter().any(|subject| subject.trim().is_empty()) {
        problems.add("cxone.subjects", "must hold no empty subject");
    }
    if subjects.len() > 1 && !path.contains(SUBJECT_PLACE) {
        let message = format!(
            "has several subjects ({}), but cxone.schema_path leads to a single schema: name the subject that it \
             belongs to, or put {SUBJECT_PLACE} into the path",
            subjects.join(", ")
        );
        problems.add("cxone.subjects", message);
    }
}

fn check_path(key: &str, path: &str, problems: &mut Problems) {
    if !path.starts_with('/') || path.contains(['{', '}', '#', ' ']) {
        let message =
            format_args!("must begin with / and hold no space, # or braces; {SUBJECT_PLACE} in schema_path alone");
        problems.add(key, message);
    }
}
