//! `${VAR}` in the values of the file.

use super::ConfigError;
use super::node::{Style, Value, YamlNode, join};

/// Replaces variables in the file's scalars below `tree`:
///
/// - `${VAR}` by the value of the variable; an unset variable is an error;
/// - `${VAR:-default}` by the value, or by `default` if the variable is unset or empty, as shells do;
/// - `$${` by `${`.
///
/// Drops a line break at the end of a variable's value. Leaves nodes unchanged that an environment variable set.
///
/// # Errors
/// Names each unset variable, with its line and key.
pub(super) fn interpolate(tree: &mut YamlNode, environment: &[(String, String)]) -> Result<(), ConfigError> {
    let mut problems = Vec::new();
    walk(tree, "", environment, &mut problems);
    if problems.is_empty() { Ok(()) } else { Err(ConfigError(problems.join("\n"))) }
}

fn walk(node: &mut YamlNode, path: &str, environment: &[(String, String)], problems: &mut Vec<String>) {
    match &mut node.value {
        Value::Scalar { style: Style::Variable, .. } => {}
        Value::Scalar { text, .. } => match replace(text, environment) {
            Ok(replaced) => {
                *text = replaced.text;
                node.variables = replaced.variables;
            }
            Err(problem) => problems.push(format!("{}: {path}: {problem}", node.origin)),
        },
        Value::List(items) => items.iter_mut().for_each(|item| walk(item, path, environment, problems)),
        Value::Map(entries) => {
            for (key, value) in entries {
                walk(value, &join(path, &key.name), environment, problems);
            }
        }
    }
}

struct Replaced {
    text: String,
    variables: Vec<String>,
}

fn replace(text: &str, environment: &[(String, String)]) -> Result<Replaced, String> {
    let mut replaced = Replaced { text: String::with_capacity(text.len()), variables: Vec::new() };
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, from) = rest.split_at(at);
        let after_brace = from.strip_prefix("${").unwrap_or_default();
        if let Some(before) = before.strip_suffix('$') {
            replaced.text.push_str(before);
            replaced.text.push_str("${");
            rest = after_brace;
            continue;
        }
        let Some((inner, after)) = after_brace.split_once('}') else {
            return Err("${ without its }; to mean the two characters, write $${".to_owned());
        };
        replaced.text.push_str(before);
        replaced.text.push_str(value(inner, environment)?);
        replaced.variables.push(inner.split(':').next().unwrap_or_default().to_owned());
        rest = after;
    }
    replaced.text.push_str(rest);
    Ok(replaced)
}

/// Returns the value for the text between the braces.
fn value<'e>(inner: &'e str, environment: &'e [(String, String)]) -> Result<&'e str, String> {
    let (name, default) = match inner.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inner, None),
    };
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_name {
        return Err(
            "${ is not followed by the name of a variable; write ${NAME} or ${NAME:-default}, or $${ to mean the \
                    two characters"
                .to_owned(),
        );
    }
    let set =
        environment.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim_end_matches(['\r', '\n']));
    match (set, default) {
        (Some(value), None) => Ok(value),
        (Some(value), Some(_)) if !value.is_empty() => Ok(value),
        (_, Some(default)) => Ok(default),
        (None, None) => {
            Err(format!("the environment variable {name} is not set; set it, or give a default: ${{{name}:-default}}"))
        }
    }
}
