//! How large a scenario is: small by default, so that `make test` stays quick, and larger by a variable.

use std::time::Duration;

use anyhow::Context;

/// Returns the number that the variable `name` holds, else `default`.
///
/// # Errors
/// When the variable does not hold a number.
pub fn number(name: &str, default: u64) -> anyhow::Result<u64> {
    match std::env::var(name) {
        Ok(value) => value.parse().with_context(|| format!("{name}={value} is not a number")),
        Err(_) => Ok(default),
    }
}

/// Returns the seconds that the variable `name` holds, else `default` ones.
///
/// # Errors
/// As [`number`].
pub fn seconds(name: &str, default: u64) -> anyhow::Result<Duration> {
    Ok(Duration::from_secs(number(name, default)?))
}
