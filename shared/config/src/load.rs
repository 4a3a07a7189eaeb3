//! From file and environment to a [`BinaryConfig`], in these steps, each a module:
//!
//! 1. `yaml`: the file's text becomes a tree of nodes that know their line.
//! 2. `environment`: each `PENSTOCK__SECTION__KEY` replaces or adds a node.
//! 3. `usual`: variables that OpenTelemetry gives a meaning set keys that are free.
//! 4. The sections of the other binary are dropped, unread.
//! 5. `interpolate`: `${VAR}` in the file's values is replaced. After parsing, so that no value of a variable can change the
//!    structure of the file, whatever characters it holds.
//! 6. `typed`: the tree becomes the config. What is wrong is reported with its line or variable, and never with the value of a
//!    variable, which may be a secret (P7).
//! 7. [`check`](mod@super::check): what types cannot say.
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

/// A config, and where it is from.
pub(crate) struct Loaded<C> {
    pub(crate) config: C,
    /// The environment variables that set keys.
    pub(crate) variables: Vec<String>,
    /// The top-level keys that are there and were left to the other binary.
    pub(crate) left: Vec<String>,
}

/// Loads the config file at `path` without the rules of [`check`](super::check()), to show what there is.
pub(crate) fn load_unchecked<C: BinaryConfig>(path: &Path) -> Result<Loaded<C>, ConfigError> {
    let text = read(path)?;
    // Not `vars`, which panics at a variable that is not Unicode, whosever it is.
    let environment: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    parse(&path.display().to_string(), &text, &environment)
}

/// A config from a text and an environment given as pairs, for tests: not checked by [`check`](super::check()).
///
/// # Errors
/// As [`load`](super::load()); `name` stands for the file.
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

/// Takes the sections `names` out of `tree`, and returns the names of those that were there.
fn drop_sections(tree: &mut YamlNode, names: &[&str]) -> Vec<String> {
    let Value::Map(sections) = &mut tree.value else { return Vec::new() };
    let dropped = sections.extract_if(.., |(key, _)| names.contains(&key.name.as_str()));
    dropped.map(|(key, _)| key.name).collect()
}

/// Loads a file of its own beside the config: read as the config is, without an environment. `check` gives what is wrong
/// beyond types, as the path of a key and a message; it is reported with the line of the key.
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
