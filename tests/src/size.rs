//! The size of a scenario: small by default, so that `make test` stays quick, and larger if a variable says so.

use std::time::Duration;

use anyhow::Context;

/// Returns the number in the variable `name`, else `default`.
///
/// # Errors
/// If the variable does not contain a number.
pub fn number(name: &str, default: u64) -> anyhow::Result<u64> {
    match std::env::var(name) {
        Ok(value) => value.parse().with_context(|| format!("{name}={value} is not a number")),
        Err(_) => Ok(default),
    }
}

/// Returns the seconds in the variable `name`, else `default`.
///
/// # Errors
/// As for [`number`].
pub fn seconds(name: &str, default: u64) -> anyhow::Result<Duration> {
    Ok(Duration::from_secs(number(name, default)?))
}
