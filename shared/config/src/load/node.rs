//! The tree between the file and the typed config.

use std::fmt;
use std::sync::Arc;

/// A value, and the place where it was written.
#[derive(Clone, Debug)]
pub(super) struct YamlNode {
    pub(super) value: Value,
    pub(super) origin: Origin,
    /// The variables whose values are part of the scalar. Their values must not be shown.
    pub(super) variables: Vec<String>,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Scalar {
        text: String,
        style: Style,
    },
    List(Vec<YamlNode>),
    /// In the order of the file.
    Map(Vec<(Key, YamlNode)>),
}

/// How a scalar was written. This decides how it is interpreted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Without quotes: `null` is not text.
    Plain,
    /// In quotes or as a block: always text.
    Quoted,
    /// The whole value of an environment variable: taken literally where text is expected, and parsed as YAML where a
    /// list or map is expected.
    Variable,
}

/// A key of a map, and the place where it was written.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) origin: Origin,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A file and the line in it, from 1.
    File(Arc<str>, usize),
    /// An environment variable.
    Variable(Arc<str>),
}

impl YamlNode {
    pub(super) fn new(value: Value, origin: Origin) -> Self {
        Self { value, origin, variables: Vec::new() }
    }

    /// Returns whether the node is null in YAML: empty, `~` or `null`, without quotes.
    pub(super) fn is_null(&self) -> bool {
        let Value::Scalar { text, style } = &self.value else {
            return false;
        };
        match style {
            // A variable's value is text, except that an empty value counts as null, quoted or not.
            Style::Plain | Style::Quoted if !self.variables.is_empty() => text.is_empty(),
            Style::Plain | Style::Variable => matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"),
            Style::Quoted => false,
        }
    }

    /// Returns the place of the key `path` (names joined by dots), or of its section if the key is missing.
    pub(super) fn origin_of(&self, path: &str) -> Origin {
        let mut node = self;
        let mut origin = &self.origin;
        for name in path.split('.') {
            let Value::Map(entries) = &node.value else { break };
            let Some((key, value)) = entries.iter().find(|(key, _)| key.name == name) else { break };
            origin = &key.origin;
            node = value;
        }
        origin.clone()
    }

    /// Returns whether a variable contributed to the text.
    pub(super) fn is_from_variable(&self) -> bool {
        !self.variables.is_empty() || matches!(self.origin, Origin::Variable(_))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(name, line) => write!(f, "{name}:{line}"),
            Self::Variable(name) => write!(f, "environment variable {name}"),
        }
    }
}

/// Returns `name` below the key `path`, joined by a dot.
pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
