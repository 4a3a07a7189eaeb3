//! From file and environment to a [`Config`], in these steps, each a module:
//!
//! 1. `yaml`: the file's text becomes a tree of nodes that know their line.
//! 2. `environment`: each `PENSTOCK__SECTION__KEY` replaces or adds a node.
//! 3. `interpolate`: `${VAR}` in the file's values is replaced. After parsing, so that no value of a variable can change the
//!    structure of the file, whatever characters it holds.
//! 4. `typed`: the tree becomes a [`Config`]. What is wrong is reported with its line or variable, and never with the value of a
//!    variable, which may be a secret (P7).
//! 5. [`check`](super::check): what types cannot say.
//!
//! The rules for those who write configs are in `docs/config.md`.

use std::path::Path;

use serde::de::DeserializeOwned;

use super::Config;
use super::part::Part;

use node::Value;

mod environment;
mod interpolate;
mod node;
mod typed;
mod yaml;

/// Why the config cannot be used: one line for each problem, with the file and line or the environment variable, and
/// the key.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

/// A config, and where it is from.
pub(crate) struct Loaded {
    pub(crate) config: Config,
    /// The environment variables that set keys.
    pub(crate) variables: Vec<String>,
}

/// Loads the config file at `path` for a binary that reads its `part`, without the rules of [`check`](super::check()),
/// to show what there is.
pub(crate) fn load_unchecked(part: Part, path: &Path) -> Result<Loaded, ConfigError> {
    let text = read(path)?;
    // Not `vars`, which panics at a variable that is not Unicode, whosever it is.
    let environment: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let config = parse(part, &path.display().to_string(), &text, &environment)?;
    Ok(Loaded { config, variables: environment::names(part, &environment) })
}

/// A config from a text and an environment given as pairs, for tests: not checked by [`check`](super::check()).
///
/// # Errors
/// As [`load`](super::load()); `name` stands for the file.
pub fn load_from(name: &str, text: &str, environment: &[(String, String)]) -> Result<Config, ConfigError> {
    parse(Part::All, name, text, environment)
}

fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|error| {
        let path = path.display();
        ConfigError(format!(
            "cannot read the config file {path}: {error}; name another with --config FILE or the variable \
             PENSTOCK_CONFIG"
        ))
    })
}

fn parse(part: Part, name: &str, text: &str, environment: &[(String, String)]) -> Result<Config, ConfigError> {
    let mut tree = yaml::parse(name, text)?;
    environment::merge(&mut tree, environment)?;
    if let Value::Map(sections) = &mut tree.value {
        sections.retain(|(key, _)| part.reads(&key.name));
    }
    interpolate::interpolate(&mut tree, environment)?;
    typed::config(&tree)
}

/// A file of its own beside the config: read as the config is, without an environment. `check` gives what is wrong
/// beyond types, as the path of a key and a message; it is reported with the line of the key.
pub(super) fn load_other<T: DeserializeOwned>(
    path: &Path,
    check: impl Fn(&T) -> Vec<(&'static str, String)>,
) -> Result<T, ConfigError> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| ConfigError(format!("cannot read {name}: {error}")))?;
    let tree = yaml::parse(&name, &text)?;
    let value = typed::config(&tree)?;
    let problems = check(&value);
    if problems.is_empty() {
        return Ok(value);
    }
    let lines: Vec<String> =
        problems.iter().map(|(key, message)| format!("{}: {key}: {message}", tree.origin_of(key))).collect();
    Err(ConfigError(lines.join("\n")))
}

#[cfg(test)]
mod tests;
