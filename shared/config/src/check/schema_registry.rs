//! `schema_registry`.

use std::time::Duration;

use super::Problems;
use crate::{SchemaRegistry, SchemaRegistryAuth};

/// The largest `schema_registry.patience`.
const MOST_PATIENCE: Duration = Duration::from_secs(3_600);

pub(super) fn check(registry: &SchemaRegistry, problems: &mut Problems) {
    problems.addresses("schema_registry.url", &registry.url);
    problems.proxy("schema_registry.proxy", registry.proxy.as_ref());
    problems.not_zero("schema_registry.timeout", registry.timeout);
    problems.within("schema_registry.cache_capacity", registry.cache_capacity, 1, 1_000_000);
    problems.not_zero("schema_registry.refresh", registry.refresh);
    problems.not_zero("schema_registry.negative_ttl", registry.negative_ttl);
    if registry.patience > MOST_PATIENCE {
        problems.add("schema_registry.patience", "must be at most 1h: records with a wrong schema id wait that long");
    }
    auth(registry, problems);
    files(registry, problems);
}

fn auth(registry: &SchemaRegistry, problems: &mut Problems) {
    let (key, value, file) = match &registry.auth {
        SchemaRegistryAuth::None => return,
        SchemaRegistryAuth::Basic { username, password, password_file } => {
            problems.not_empty("schema_registry.auth.username", username);
            ("password", password, password_file)
        }
        SchemaRegistryAuth::Bearer { token, token_file } => ("token", token, token_file),
    };
    let given = value.as_ref().is_some_and(|secret| !secret.expose().trim().is_empty());
    if !given && file.is_none() {
        problems.add(format_args!("schema_registry.auth.{key}"), format_args!("set it, or {key}_file"));
    }
    problems.readable(format_args!("schema_registry.auth.{key}_file"), file.as_ref());
    let has_user = |address: &str| {
        reqwest::Url::parse(address.trim()).is_ok_and(|url| !url.username().is_empty() || url.password().is_some())
    };
    if registry.url.split(',').any(has_user) {
        problems.add("schema_registry.auth", "schema_registry.url has a user too: remove one of the two");
    }
}

fn files(registry: &SchemaRegistry, problems: &mut Problems) {
    problems.readable("schema_registry.ca_file", registry.ca_file.as_ref());
    problems.readable("schema_registry.client_certificate_file", registry.client_certificate_file.as_ref());
    problems.readable("schema_registry.client_key_file", registry.client_key_file.as_ref());
    if registry.client_certificate_file.is_some() != registry.client_key_file.is_some() {
        problems.add("schema_registry.client_certificate_file", "it and client_key_file go together: set both or none");
    }
}
