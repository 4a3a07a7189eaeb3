//! The whole config of one binary, loaded and checked.

use std::path::Path;

use super::binary::{BinaryConfig, check};
use super::error::ConfigError;
use super::load::load_unchecked;

/// Loads the sections that the binary reads, from the config file at `path` and the process's environment, and checks
/// them.
///
/// # Errors
/// [`ConfigError`], naming the file, the line and the key.
pub fn load<C: BinaryConfig>(path: &Path) -> Result<C, ConfigError> {
    let config = load_unchecked(path)?.config;
    refuse_problems(path, &config)?;
    Ok(config)
}

/// Refuses `config`, loaded from `path`, if it has problems.
///
/// # Errors
/// [`ConfigError`], with one line per problem.
pub(crate) fn refuse_problems(path: &Path, config: &impl BinaryConfig) -> Result<(), ConfigError> {
    let problems = check(config);
    if problems.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = problems.iter().map(|problem| format!("{}: {problem}", path.display())).collect();
    Err(ConfigError(lines.join("\n")))
}
