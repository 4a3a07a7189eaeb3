//! Rules for single fields of documents, by path: omit, mask, hash or rename. This module decides which rule applies to
//! a field; [`plan`](super::plan) applies it to a schema, and [`hide`](super::hide) to a value.
//!
//! A path consists of document field names separated by dots; `*` matches any name. It passes through arrays and unions
//! without a step of its own, and through a map by the key. If several paths match a field, the most exact one applies,
//! compared from the left: a name beats `*`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::hide::{HashKey, Hide};
use super::names;

/// The most names of a path: the deepest nesting of a document.
const MAX_NAMES: usize = 64;
/// The shortest secret, in bytes. A shorter one could be guessed.
const MIN_SECRET: usize = 16;

/// What happens to a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldRule {
    /// Omits the field from the document.
    Drop,
    /// Replaces the value by `***`.
    Mask,
    /// Replaces the value by `***` and this many of its last characters, if it has at least twice as many.
    KeepLast(u8),
    /// Replaces the value by its HMAC-SHA-256.
    Hash,
    /// Keeps the value, although a path with `*` would change it.
    Keep,
    /// Renames the field.
    Rename(String),
}

/// Says why rules cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct RuleError {
    /// The path of the rule; `None` if the secret is at fault.
    pub path: Option<String>,
    /// What is wrong.
    pub problem: String,
}

/// Holds the compiled rules of one topic. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FieldRules(Arc<Tree>);

/// The paths as a tree. Steps are numbered by position; the first is the root.
#[derive(Debug, Default, PartialEq)]
struct Tree {
    steps: Vec<Step>,
}

#[derive(Debug, Default, PartialEq)]
struct Step {
    named: BTreeMap<String, usize>,
    any: Option<usize>,
    rule: Option<Rule>,
}

/// The rule at the end of a path.
#[derive(Debug, PartialEq)]
pub(super) struct Rule {
    pub(super) path: String,
    pub(super) action: Action,
}

/// The effect of a rule.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Action {
    Hide(Hide),
    Keep,
    Rename(String),
}

/// The positions of the paths that lead to a field, most exact first. Empty if no rule applies here or below.
pub(super) type Places = Vec<usize>;

impl FieldRules {
    /// Compiles `rules`, by path. `secret` is the key for hashes.
    ///
    /// # Errors
    /// [`RuleError`]: an invalid path or name, a rule that can never apply because another one covers its whole parent,
    /// or a hash without a secret of at least 16 bytes.
    pub fn new(rules: &BTreeMap<String, FieldRule>, secret: Option<&[u8]>) -> Result<Self, RuleError> {
        let mut tree = Tree { steps: vec![Step::default()] };
        for (path, rule) in rules {
            let wrong = |problem: String| RuleError { path: Some(path.clone()), problem };
            let names = names_of(path).map_err(wrong)?;
            let action = action(path, rule, &names, secret)?;
            tree.insert(&names, Rule { path: path.clone(), action });
        }
        let rules_of_tree = Self(Arc::new(tree));
        for path in rules.keys() {
            rules_of_tree.refuse_beneath_hidden(path)?;
        }
        Ok(rules_of_tree)
    }

    /// Returns whether there are no rules.
    pub fn is_empty(&self) -> bool {
        self.0.steps.len() <= 1
    }

    /// Returns whether a rule hides values, by omitting, masking or hashing them.
    pub fn hides_values(&self) -> bool {
        self.rules().any(|rule| matches!(rule.action, Action::Hide(_)))
    }

    /// Returns whether a rule hides the field at `path` or one of its parents.
    pub fn hides(&self, path: &str) -> bool {
        let mut at = self.root();
        path.split('.').any(|name| {
            at = self.step(&at, name);
            matches!(self.winner(&at), Some(Rule { action: Action::Hide(_), .. }))
        })
    }

    /// Returns the paths of all rules.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.rules().map(|rule| rule.path.as_str())
    }

    fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.0.steps.iter().filter_map(|step| step.rule.as_ref())
    }

    /// Returns the position where all paths begin.
    pub(super) fn root(&self) -> Places {
        if self.is_empty() { Places::new() } else { vec![0] }
    }

    /// Returns the positions for the field `name` below `at`.
    pub(super) fn step(&self, at: &[usize], name: &str) -> Places {
        let steps = self.steps_at(at);
        steps.flat_map(|step| step.named.get(name).copied().into_iter().chain(step.any)).collect()
    }

    /// Returns the positions for a field below `at` that no path names.
    pub(super) fn step_to_any(&self, at: &[usize]) -> Places {
        self.steps_at(at).filter_map(|step| step.any).collect()
    }

    /// Returns the names of fields below `at` in paths, each once.
    pub(super) fn names(&self, at: &[usize]) -> Vec<&str> {
        let mut names: Vec<&str> = self.steps_at(at).flat_map(|step| step.named.keys().map(String::as_str)).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Returns the rule that applies at `at`.
    pub(super) fn winner(&self, at: &[usize]) -> Option<&Rule> {
        self.steps_at(at).find_map(|step| step.rule.as_ref())
    }

    /// Returns the paths of all rules that lead to `at`, whether they apply or not.
    pub(super) fn met(&self, at: &[usize]) -> impl Iterator<Item = &str> {
        self.steps_at(at).filter_map(|step| step.rule.as_ref()).map(|rule| rule.path.as_str())
    }

    fn steps_at(&self, at: &[usize]) -> impl Iterator<Item = &Step> {
        at.iter().filter_map(|place| self.0.steps.get(*place))
    }

    fn refuse_beneath_hidden(&self, path: &str) -> Result<(), RuleError> {
        let mut at = self.root();
        let names: Vec<&str> = path.split('.').collect();
        for name in names.iter().take(names.len() - 1) {
            at = if *name == "*" { self.step_to_any(&at) } else { self.step(&at, name) };
            let Some(Rule { path: other, action: Action::Hide(_) }) = self.winner(&at) else { continue };
            let problem = format!(
                "never applies: the rule of {other} hides everything below it; remove one of the two, or replace \
                 {other} with rules for single fields"
            );
            return Err(RuleError { path: Some(path.to_owned()), problem });
        }
        Ok(())
    }
}

impl Tree {
    fn insert(&mut self, names: &[&str], rule: Rule) {
        let mut at = 0;
        for name in names {
            let next = self.steps.len();
            let Some(step) = self.steps.get_mut(at) else { return };
            at = match *name {
                "*" => *step.any.get_or_insert(next),
                name => *step.named.entry(name.to_owned()).or_insert(next),
            };
            if at == next {
                self.steps.push(Step::default());
            }
        }
        if let Some(step) = self.steps.get_mut(at) {
            step.rule = Some(rule);
        }
    }
}

fn names_of(path: &str) -> Result<Vec<&str>, String> {
    let names: Vec<&str> = path.split('.').collect();
    if names.iter().any(|name| name.trim().is_empty()) {
        return Err("is not a path: a name between two dots is missing".to_owned());
    }
    if names.len() > MAX_NAMES {
        return Err(format!("has more than {MAX_NAMES} names"));
    }
    Ok(names)
}

/// Returns the effect of the `rule` for `path`.
fn action(path: &str, rule: &FieldRule, names: &[&str], secret: Option<&[u8]>) -> Result<Action, RuleError> {
    let wrong = |problem: String| Err(RuleError { path: Some(path.to_owned()), problem });
    Ok(Action::Hide(match rule {
        FieldRule::Keep => return Ok(Action::Keep),
        FieldRule::Rename(name) => {
            return new_name_problem(name, names).map_or_else(|| Ok(Action::Rename(name.clone())), wrong);
        }
        FieldRule::Drop => Hide::Drop,
        FieldRule::Mask => Hide::Mask,
        FieldRule::KeepLast(0) => return wrong("keep_last: must be at least 1; `mask` keeps nothing".to_owned()),
        FieldRule::KeepLast(count) => Hide::KeepLast(*count),
        FieldRule::Hash => Hide::Hash(hash_key(secret).map_err(|problem| RuleError { path: None, problem })?),
    }))
}

fn hash_key(secret: Option<&[u8]>) -> Result<HashKey, String> {
    let secret = secret.ok_or_else(|| "is missing: a field has the rule hash".to_owned())?;
    if secret.len() < MIN_SECRET {
        return Err(format!("must have at least {MIN_SECRET} bytes"));
    }
    HashKey::new(secret).ok_or_else(|| "cannot be a key".to_owned())
}

fn new_name_problem(name: &str, path: &[&str]) -> Option<String> {
    if path.last() == Some(&"*") {
        return Some("a rename needs one field, not *".to_owned());
    }
    if names::in_document(name, |_| false).as_deref() != Some(name) {
        return Some(format!("cannot be renamed to {name:?}: the name is empty, has a dot, or is reserved"));
    }
    None
}

impl<'de> Deserialize<'de> for FieldRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RuleVisitor)
    }
}

struct RuleVisitor;

impl<'de> Visitor<'de> for RuleVisitor {
    type Value = FieldRule;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("drop, mask, hash, keep, {keep_last: NUMBER} or {rename: NAME}")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<FieldRule, E> {
        Ok(match text {
            "drop" => FieldRule::Drop,
            "mask" => FieldRule::Mask,
            "hash" => FieldRule::Hash,
            "keep" => FieldRule::Keep,
            other => return Err(E::unknown_variant(other, &["drop", "mask", "hash", "keep"])),
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FieldRule, A::Error> {
        let rule = match map.next_key::<String>()?.as_deref() {
            Some("keep_last") => FieldRule::KeepLast(map.next_value()?),
            Some("rename") => FieldRule::Rename(map.next_value()?),
            Some(other) => return Err(A::Error::unknown_field(other, &["keep_last", "rename"])),
            None => return Err(A::Error::custom("has no rule: give keep_last or rename")),
        };
        match map.next_key::<String>()? {
            None => Ok(rule),
            Some(_) => Err(A::Error::custom("has two rules: a field has one")),
        }
    }
}
