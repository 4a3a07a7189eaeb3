//! `elasticsearch`.

use std::fmt::Display;

use config::Problem;
use config::check::Problems;
use service::secret::Secret;

use crate::config::{Elasticsearch, ElasticsearchAuth, Mapping};

pub(super) fn check(elasticsearch: &Elasticsearch, problems: &mut Problems) {
    problems.addresses("elasticsearch.url", &elasticsearch.url);
    problems.proxy("elasticsearch.proxy", elasticsearch.proxy.as_ref());
    index_name("elasticsearch.index_name", &elasticsearch.index_name, problems);
    problems.not_zero("elasticsearch.request_timeout", elasticsearch.request_timeout);
    problems.not_zero("elasticsearch.connect_timeout", elasticsearch.connect_timeout);
    mapping(&elasticsearch.mapping, problems);
    if let Err(error) = elasticsearch.documents.field_rules() {
        problems.0.push(Problem(error.to_string()));
    }
    auth(&elasticsearch.auth, problems);
}

fn mapping(mapping: &Mapping, problems: &mut Problems) {
    // Elasticsearch's own limit for nesting (`index.mapping.depth.limit`) is 20.
    problems.within("elasticsearch.mapping.recursion", u64::from(mapping.recursion), 0, 20);
    for (path, field) in &mapping.fields {
        problems.not_empty(format_args!("elasticsearch.mapping.fields.{path}.type"), &field.field_type);
    }
}

/// Checks Elasticsearch's rules for index names ("Create index API", path parameters).
pub(super) fn index_name(key: impl Display + Copy, name: &str, problems: &mut Problems) {
    problems.not_empty(key, name);
    if name.chars().any(char::is_uppercase) {
        problems.add(key, "must be lowercase");
    }
    if name.contains(['\\', '/', '*', '?', '"', '<', '>', '|', ' ', ',', '#', ':']) {
        problems.add(key, "must not contain \\ / * ? \" < > | , # : or a space");
    }
    if name.starts_with(['-', '_', '+']) || matches!(name, "." | "..") {
        problems.add(key, "must not begin with -, _ or +, and not be . or ..");
    }
    if name.len() > 255 {
        problems.add(key, "must be at most 255 bytes");
    }
}

fn auth(auth: &ElasticsearchAuth, problems: &mut Problems) {
    let (key, given) = match auth {
        ElasticsearchAuth::None => return,
        ElasticsearchAuth::Basic { username, password, password_file } => {
            problems.not_empty("elasticsearch.auth.username", username);
            ("password", is_given(password.as_ref()) || password_file.is_some())
        }
        ElasticsearchAuth::ApiKey { api_key, api_key_file } => {
            ("api_key", is_given(api_key.as_ref()) || api_key_file.is_some())
        }
        ElasticsearchAuth::Bearer { token, token_file } => ("token", is_given(token.as_ref()) || token_file.is_some()),
    };
    if !given {
        problems.add(format_args!("elasticsearch.auth.{key}"), format_args!("set it, or {key}_file"));
    }
}

fn is_given(secret: Option<&Secret>) -> bool {
    secret.is_some_and(|secret| !secret.expose().trim().is_empty())
}
