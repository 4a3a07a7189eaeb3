//! Loading, one rule per test: the file, variables in it, and variables that override it.

use super::*;
use crate::sample::Config;

mod files;
mod overrides;
mod secrets;
mod usual;
mod variables;

fn pairs(environment: &[(&str, &str)]) -> Vec<(String, String)> {
    environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn loaded(text: &str, environment: &[(&str, &str)]) -> Config {
    load_from("p.yaml", text, &pairs(environment)).unwrap()
}

/// Returns the error message from loading.
fn refused(text: &str, environment: &[(&str, &str)]) -> String {
    load_from::<Config>("p.yaml", text, &pairs(environment)).unwrap_err().to_string()
}

/// Returns a file with one webhook, whose `auth` is `auth`.
fn with_auth(auth: &str) -> String {
    format!("receiver:\n  sources:\n    cxone:\n      path: /w\n      subject: s\n      auth: {auth}\n")
}
