//! Turns file and environment into a [`BinaryConfig`]. Each step is a module:
//!
//! 1. `yaml`: parses the file into a tree of nodes that know their line.
//! 2. `environment`: replaces or adds a node for each `PENSTOCK__SECTION__KEY`.
//! 3. `usual`: sets keys that are still free from the variables that OpenTelemetry defines.
//! 4. Drops the sections of the other binary, unread.
//! 5. `interpolate`: replaces `${VAR}` in the file's values. This comes after parsing, so that no variable can change
//!    the structure of the file, whatever characters its value has.
//! 6. `typed`: turns the tree into the config. An error names the line or variable, but never the value of a variable,
//!    which may be a secret (P7).
//! 7. [`check`](mod@super::check): applies the rules that types cannot express.
//!
//! The rules for those who write configs are in `docs/config.md`.

use std::path::Path;

use serde::de::DeserializeOwned;

use super::binary::BinaryConfig;
use super::error::ConfigError;
use node::{Value, YamlNode};

mod environment;
mod interpolate;
mod node;
mod typed;
mod usual;
mod yaml;

/// A config, and the sources that it came from.
pub(crate) struct Loaded<C> {
    pub(crate) config: C,
    /// The environment variables that set keys.
    pub(crate) variables: Vec<String>,
    /// The top-level keys of the file that were left to the other binary.
    pub(crate) left: Vec<String>,
}

/// Loads the config file at `path` without the rules of [`check`](super::check()), to show it as it is.
pub(crate) fn load_unchecked<C: BinaryConfig>(path: &Path) -> Result<Loaded<C>, ConfigError> {
    let text = read(path)?;
    // `vars` would panic at any variable that is not Unicode, even another program's.
    let environment: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    parse(&path.display().to_string(), &text, &environment)
}

/// Loads a config from a text and an environment given as pairs, for tests. Does not apply [`check`](super::check()).
///
/// # Errors
/// As for [`load`](super::load()); `name` stands for the file.
pub fn load_from<C: BinaryConfig>(name: &str, text: &str, environment: &[(String, String)]) -> Result<C, ConfigError> {
    Ok(parse(name, text, environment)?.config)
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

fn parse<C: BinaryConfig>(name: &str, text: &str, environment: &[(String, String)]) -> Result<Loaded<C>, ConfigError> {
    let mut tree = yaml::parse(name, text)?;
    environment::merge(&mut tree, environment)?;
    let usual = usual::merge(&mut tree, environment)?;
    let left = drop_sections(&mut tree, C::LEFT);
    interpolate::interpolate(&mut tree, environment)?;
    let variables = environment::names(C::LEFT, environment).into_iter().chain(usual).collect();
    Ok(Loaded { config: typed::config(&tree, C::LEFT)?, variables, left })
}

/// Removes the sections `names` from `tree`, and returns the names of those that it had.
fn drop_sections(tree: &mut YamlNode, names: &[&str]) -> Vec<String> {
    let Value::Map(sections) = &mut tree.value else { return Vec::new() };
    let dropped = sections.extract_if(.., |(key, _)| names.contains(&key.name.as_str()));
    dropped.map(|(key, _)| key.name).collect()
}

/// Loads a separate file next to the config in the same way as the config, but without an environment. `check` returns
/// the problems that types cannot rule out, each as the path of a key and a message. The error adds the key's line.
///
/// # Errors
/// [`ConfigError`], naming the file, the line and the key.
pub fn load_other<T: DeserializeOwned>(
    path: &Path,
    check: impl Fn(&T) -> Vec<(&'static str, String)>,
) -> Result<T, ConfigError> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| ConfigError(format!("cannot read {name}: {error}")))?;
    let tree = yaml::parse(&name, &text)?;
    let value = typed::config(&tree, &[])?;
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
