//! The config of one binary, as it starts with it: loaded and checked.

use std::path::Path;

use super::binary::{BinaryConfig, check};
use super::error::ConfigError;
use super::load::load_unchecked;

/// Loads and checks the config file at `path` with the process's environment: the sections that the binary reads.
///
/// # Errors
/// [`ConfigError`], naming the file, the line and the key.
pub fn load<C: BinaryConfig>(path: &Path) -> Result<C, ConfigError> {
    let config = load_unchecked(path)?.config;
    refuse_problems(path, &config)?;
    Ok(config)
}

/// Refuses `config`, which was loaded from `path`, where something is wrong with it.
///
/// # Errors
/// [`ConfigError`], a line for each problem.
pub(crate) fn refuse_problems(path: &Path, config: &impl BinaryConfig) -> Result<(), ConfigError> {
    let problems = check(config);
    if problems.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = problems.iter().map(|problem| format!("{}: {problem}", path.display())).collect();
    Err(ConfigError(lines.join("\n")))
}
