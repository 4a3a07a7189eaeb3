//! `PENSTOCK__SECTION__KEY`: environment variables that override the file.

use std::sync::Arc;

use super::ConfigError;
use super::node::{Key, Origin, Style, Value, YamlNode};

/// The prefix of a variable that sets a key. One underscore is not enough: Kubernetes defines `PENSTOCK_PORT` and
/// others for a service named penstock.
const PREFIX: &str = "PENSTOCK__";

/// The separator between sections.
const SEPARATOR: &str = "__";

/// The map whose keys contain dots, which names of variables cannot contain.
const DOTTED: [&str; 2] = ["kafka", "options"];

/// Sets the keys of `tree` that the variables of `environment` name. An empty variable counts as not set: with
/// `docker compose` and Helm, an omitted value arrives empty. A line break at the end is dropped, since secrets read
/// from files often end with one.
pub(super) fn merge(tree: &mut YamlNode, environment: &[(String, String)]) -> Result<(), ConfigError> {
    for (name, path, value) in overrides(environment) {
        let segments: Vec<&str> = path.split(SEPARATOR).collect();
        if segments.iter().any(|segment| segment.is_empty()) {
            return Err(ConfigError(format!("environment variable {name}: names no key; write {PREFIX}SECTION__KEY")));
        }
        let name: Arc<str> = Arc::from(name);
        let leaf = Value::Scalar { text: value.to_owned(), style: Style::Variable };
        let leaf = YamlNode::new(leaf, Origin::Variable(Arc::clone(&name)));
        set(tree, &segments, 0, leaf)?;
    }
    Ok(())
}

/// Returns the names of the variables that set keys outside the sections `left`.
pub(super) fn names(left: &[&str], environment: &[(String, String)]) -> Vec<String> {
    let read = |path: &str| !left.contains(&path.split(SEPARATOR).next().unwrap_or_default());
    overrides(environment).into_iter().filter(|(_, path, _)| read(path)).map(|(name, ..)| name.to_owned()).collect()
}

/// Returns the variables that set keys, sorted: name, path in lowercase, value.
fn overrides(environment: &[(String, String)]) -> Vec<(&str, String, &str)> {
    let mut overrides: Vec<(&str, String, &str)> = environment
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), name.strip_prefix(PREFIX)?.to_ascii_lowercase(), value)))
        .map(|(name, path, value)| (name, path, value.trim_end_matches(['\r', '\n'])))
        .filter(|(_, _, value)| !value.is_empty())
        .collect();
    overrides.sort_unstable();
    overrides
}

/// Puts `leaf` at `segments[depth..]` below `node`. Creates missing maps.
pub(super) fn set(node: &mut YamlNode, segments: &[&str], depth: usize, leaf: YamlNode) -> Result<(), ConfigError> {
    let (parents, rest) = segments.split_at(depth);
    let Some(segment) = rest.first() else {
        *node = leaf;
        return Ok(());
    };
    if !matches!(node.value, Value::Map(_)) {
        if let (Origin::Variable(one), Origin::Variable(other)) = (&node.origin, &leaf.origin) {
            let message = format!("environment variables {one} and {other}: set the one or the other");
            return Err(ConfigError(message));
        }
        *node = YamlNode::new(Value::Map(Vec::new()), leaf.origin.clone());
    }
    let Value::Map(entries) = &mut node.value else {
        return Ok(());
    };
    if let Some((_, child)) = entries.iter_mut().find(|(key, _)| variable_form(&key.name) == *segment) {
        return set(child, segments, depth + 1, leaf);
    }
    let name = if parents == DOTTED { segment.replace('_', ".") } else { (*segment).to_owned() };
    let origin = leaf.origin.clone();
    let mut child =
        YamlNode::new(Value::Scalar { text: String::new(), style: Style::Plain }, Origin::File(Arc::from(""), 0));
    set(&mut child, segments, depth + 1, leaf)?;
    entries.push((Key { name, origin }, child));
    Ok(())
}

/// Returns `key` as it is written in the name of a variable, in lowercase: other characters become underscores.
fn variable_form(key: &str) -> String {
    key.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect()
}

/// Returns the name of the variable that sets the key at `path`.
pub(super) fn variable(path: &str) -> String {
    let sections: Vec<String> = path.split('.').map(|section| variable_form(section).to_ascii_uppercase()).collect();
    format!("{PREFIX}{}", sections.join(SEPARATOR))
}
