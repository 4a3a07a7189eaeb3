//! The config as a binary starts with it: loaded and checked.

use std::path::Path;

use super::Config;
use super::check;
use super::load::{ConfigError, load_unchecked};
use super::part::Part;

/// Loads and checks the config file at `path` with the process's environment, every section of it.
///
/// # Errors
/// [`ConfigError`], naming the file, the line and the key.
pub fn load(path: &Path) -> Result<Config, ConfigError> {
    load_for(Part::All, path)
}

/// [`load`] for a binary that reads only its `part`: sections that are the other's are left at their defaults, so that
/// a variable with the other's secret need not be set.
///
/// # Errors
/// As [`load`].
pub fn load_for(part: Part, path: &Path) -> Result<Config, ConfigError> {
    let config = load_unchecked(part, path)?.config;
    refuse_problems(path, &config, part)?;
    Ok(config)
}

/// Refuses `config`, which was loaded from `path`, where something is wrong with what `part` reads.
///
/// # Errors
/// [`ConfigError`], a line for each problem.
pub(crate) fn refuse_problems(path: &Path, config: &Config, part: Part) -> Result<(), ConfigError> {
    let problems = check(config, part);
    if problems.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = problems.iter().map(|problem| format!("{}: {problem}", path.display())).collect();
    Err(ConfigError(lines.join("\n")))
}
