//! Errors about values that do not fit, in words that are safe to show.

use std::fmt;

use super::super::environment;
use super::super::node::{Key, Origin, Value, YamlNode, join};

/// How similar two words must be, from 0 to 1, for one to be suggested for the other.
const ALIKE: f64 = 0.6;

/// The letters or digits in a row that a message must share with a variable's value to count as quoting it.
const QUOTED_RUN: usize = 3;

/// Says what does not fit and, once known, where.
#[derive(Debug)]
pub(crate) struct ValueError {
    what: What,
    location: Option<String>,
}

#[derive(Debug)]
enum What {
    /// A message of this crate.
    Own(String),
    /// A message of another crate, which may quote the value.
    Foreign(String),
    /// A key that its section does not have, with the keys that it has.
    UnknownKey { found: String, known: &'static [&'static str] },
}

impl ValueError {
    pub(super) fn new(message: String) -> Self {
        Self { what: What::Own(message), location: None }
    }

    /// Wraps a message of another crate.
    pub(super) fn foreign(message: &str) -> Self {
        match message {
            // The standard library's message for an invalid address.
            "invalid socket address syntax" => Self::must_be("an IP address and a port such as 0.0.0.0:8080"),
            _ => Self { what: What::Foreign(message.to_owned()), location: None },
        }
    }

    /// Says that the value is not `expected`.
    pub(super) fn must_be(expected: &str) -> Self {
        let example = match expected {
            // The expectation of `humantime_serde`.
            "a duration" => " such as 10s, 500ms or 5m",
            _ => "",
        };
        Self::new(format!("must be {expected}{example}"))
    }

    /// Says that the section has no such key.
    pub(super) fn unknown_key(found: &str, known: &'static [&'static str]) -> Self {
        Self { what: What::UnknownKey { found: found.to_owned(), known }, location: None }
    }

    /// Says that the word is not among those that the key may have.
    pub(super) fn unknown_word(found: &str, known: &'static [&'static str]) -> Self {
        let mut message = format!("must be one of {}", known.join(", "));
        if let Some(suggestion) = most_alike(found, known) {
            message.push_str(&format!("; did you mean {suggestion}?"));
        }
        Self::new(message)
    }

    /// Adds the location: `node` at `path`, unless an inner value is already named.
    pub(super) fn at(mut self, node: &YamlNode, path: &str) -> Self {
        if self.location.is_some() {
            return self;
        }
        if let What::UnknownKey { found, known } = &self.what {
            let message = unknown_key(found, path, known, &node.origin);
            return Self { what: What::Own(message), location: Some(format!("{}: ", node.origin)) };
        }
        if let What::Foreign(message) = &self.what
            && node.is_from_variable()
            && quotes(message, node)
        {
            self.what = What::Own("does not fit".to_owned());
        }
        let mut location = match path {
            "" => format!("{}: ", node.origin),
            path => format!("{}: {path}: ", node.origin),
        };
        if !node.variables.is_empty() {
            location.push_str(&format!("the value of {}: ", node.variables.join(", ")));
        }
        self.location = Some(location);
        self
    }

    /// Adds the location of a key in the section `path`. `left` are keys that the section may have in addition to those
    /// of its type.
    pub(super) fn at_key(self, key: &Key, path: &str, left: &[&'static str]) -> Self {
        let what = match self.what {
            What::UnknownKey { found, known } => {
                What::Own(unknown_key(&found, path, &[known, left].concat(), &key.origin))
            }
            other @ (What::Own(_) | What::Foreign(_)) => other,
        };
        Self { what, location: Some(format!("{}: ", key.origin)) }
    }
}

/// Returns the message about the unknown key `found` in the section `path`.
fn unknown_key(found: &str, path: &str, known: &[&'static str], origin: &Origin) -> String {
    let key = join(path, found);
    match (most_alike(found, known), origin) {
        (Some(meant), Origin::Variable(_)) => {
            format!("unknown key {key}; did you mean {}?", environment::variable(&join(path, meant)))
        }
        (Some(meant), Origin::File(..)) => format!("unknown key {key}; did you mean {meant}?"),
        (None, _) => format!("unknown key {key}; known are {}", known.join(", ")),
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.location.as_deref().unwrap_or_default())?;
        match &self.what {
            What::Own(message) | What::Foreign(message) => f.write_str(message),
            What::UnknownKey { found, .. } => write!(f, "unknown key {found}"),
        }
    }
}

impl std::error::Error for ValueError {}

fn most_alike(found: &str, known: &[&'static str]) -> Option<&'static str> {
    let likeness = |word: &&str| strsim::normalized_damerau_levenshtein(&found.to_ascii_lowercase(), word);
    known
        .iter()
        .map(|word| (likeness(word), *word))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, word)| word)
}

/// Returns whether `message`, which may come from another crate, quotes the text of `node`.
fn quotes(message: &str, node: &YamlNode) -> bool {
    let Value::Scalar { text, .. } = &node.value else {
        return false;
    };
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|run| run.chars().count() >= QUOTED_RUN)
        .any(|run| message.contains(run))
}
