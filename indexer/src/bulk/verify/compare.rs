//! Compares two JSON documents to find out whether they are the same event. Pure.
//!
//! Numbers are compared by their digits and never as floats: two decimals that differ in the twentieth digit are two
//! events. The order of members does not matter, and a member that is null equals one that is absent.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::value::RawValue;

use super::instant;

/// Members of every document that depend on the record, not on the event.
const OF_THE_RECORD: [&str; 2] = [INGESTED_AT, "@timestamp"];
/// The member that holds the record's timestamp.
pub(super) const INGESTED_AT: &str = "_ingested_at";
/// The depth from which a value is compared as text. Events are never nested this deep (`indexer.max_depth`).
const MAX_DEPTH: usize = 256;

/// The members of an object, each with its JSON text.
pub type Members<'a> = BTreeMap<String, &'a RawValue>;

/// The result of comparing the fields that two documents share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shared {
    /// They are equal.
    Equal,
    /// At least one differs.
    Different,
    /// There are no shared fields.
    Nothing,
}

/// A value that is not an object, an array or null.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Leaf {
    Text(String),
    /// A number in the notation of [`decimal`].
    Number(String),
    /// Any other value as its JSON text.
    Other(String),
}

impl Leaf {
    /// Returns the leaf for `json`.
    fn of(json: &str) -> Self {
        match first(json) {
            b'"' => Self::Text(text(json)),
            b'-' | b'0'..=b'9' => Self::Number(decimal(json).unwrap_or_else(|| json.to_owned())),
            _ => Self::Other(json.to_owned()),
        }
    }

    fn is_text(&self) -> bool {
        matches!(self, Self::Text(_))
    }

    fn is_number(&self) -> bool {
        matches!(self, Self::Number(_))
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(_) | Self::Other(_) => None,
        }
    }

    /// Returns the value as a date field reads it, in milliseconds since 1970.
    fn moment(&self) -> Option<i64> {
        match self {
            Self::Text(text) => instant::of_text(text),
            Self::Number(number) => instant::of_number(number),
            Self::Other(_) => None,
        }
    }

    /// Returns the value's text, normalised if it looks like a number.
    fn as_number(&self) -> String {
        match self {
            Self::Text(text) => decimal(text).unwrap_or_else(|| text.clone()),
            Self::Number(text) | Self::Other(text) => text.clone(),
        }
    }
}

/// Returns the members of the object `text`; `None` if it is not an object.
pub fn members(text: &str) -> Option<Members<'_>> {
    serde_json::from_str(text).ok()
}

/// Returns the text of the member [`INGESTED_AT`]; `None` if it is absent or not a string.
pub(super) fn ingested_at(members: &Members<'_>) -> Option<String> {
    serde_json::from_str(members.get(INGESTED_AT)?.get()).ok()
}

/// Returns whether `a` and `b` are equal, apart from the members that depend on the record (`OF_THE_RECORD`).
pub fn is_same(a: &Members<'_>, b: &Members<'_>) -> bool {
    are_objects_equal(&without_record(a), &without_record(b))
}

/// Compares the fields that both `a` and `b` have, for an index that does not keep documents as sent. It may add
/// fields, omit fields, flatten arrays of objects, and sort the values of an array.
pub(super) fn shared(a: &Members<'_>, b: &Members<'_>) -> Shared {
    let (a, b) = (leaves(&without_record(a)), leaves(&without_record(b)));
    let mut shared = Shared::Nothing;
    for (ours, theirs) in a.iter().filter_map(|(path, values)| Some((values, b.get(path)?))) {
        if !are_alike(ours, theirs) {
            return Shared::Different;
        }
        shared = Shared::Equal;
    }
    shared
}

/// Returns whether the values of a field are the same. An index may return a number as text or the other way round,
/// so numbers on one side match texts on the other. Two texts must be identical.
fn are_alike(a: &BTreeSet<Leaf>, b: &BTreeSet<Leaf>) -> bool {
    let are_numbers_and_texts =
        |a: &BTreeSet<Leaf>, b: &BTreeSet<Leaf>| a.iter().all(Leaf::is_number) && b.iter().all(Leaf::is_text);
    let as_numbers = |leaves: &BTreeSet<Leaf>| leaves.iter().map(Leaf::as_number).collect::<BTreeSet<String>>();
    a == b
        || ((are_numbers_and_texts(a, b) || are_numbers_and_texts(b, a)) && as_numbers(a) == as_numbers(b))
        || are_given_back(a, b)
}

/// Returns whether an index that builds documents from its fields would return `ours` as `theirs`. Such an index
/// returns times in one notation, and true and false as text if the field is a text field.
fn are_given_back(ours: &BTreeSet<Leaf>, theirs: &BTreeSet<Leaf>) -> bool {
    let texts: Option<Vec<&str>> = theirs.iter().map(Leaf::text).collect();
    let Some(texts) = texts else { return false };
    let as_text = |leaf: &Leaf| matches!(leaf, Leaf::Other(json) if texts.contains(&json.as_str()));
    if ours.len() == theirs.len() && ours.iter().all(as_text) {
        return true;
    }
    let moments: Option<BTreeSet<i64>> = ours.iter().map(Leaf::moment).collect();
    let given: BTreeSet<i64> = texts.iter().filter_map(|text| instant::of_text(text)).collect();
    texts.iter().all(|text| instant::is_given_back(text)) && moments.is_some_and(|moments| moments == given)
}

fn without_record<'a>(members: &Members<'a>) -> Members<'a> {
    let is_event = |name: &&String| !OF_THE_RECORD.contains(&name.as_str());
    members.iter().filter(|(name, _)| is_event(name)).map(|(name, value)| (name.clone(), *value)).collect()
}

fn are_objects_equal(a: &Members<'_>, b: &Members<'_>) -> bool {
    let is_set = |value: &&RawValue| value.get() != "null";
    let is_in = |a: &Members<'_>, b: &Members<'_>| {
        a.iter().all(|(name, value)| !is_set(value) || b.get(name).is_some_and(|other| are_equal(value, other)))
    };
    let only_in_b = b.iter().any(|(name, value)| is_set(value) && a.get(name).is_none_or(|other| !is_set(other)));
    !only_in_b && is_in(a, b)
}

/// Recurses no deeper than the shallower value, which is never deeper than an event may be.
fn are_equal(a: &RawValue, b: &RawValue) -> bool {
    let (a, b) = (a.get(), b.get());
    if a == b {
        return true;
    }
    match (first(a), first(b)) {
        (b'{', b'{') => match (members(a), members(b)) {
            (Some(a), Some(b)) => are_objects_equal(&a, &b),
            _ => false,
        },
        (b'[', b'[') => {
            let (a, b) = (elements(a), elements(b));
            a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| are_equal(a, b))
        }
        (b'"', b'"') => text(a) == text(b),
        // Numbers without such a form, because of their exponents, are equal only as text.
        (b'-' | b'0'..=b'9', b'-' | b'0'..=b'9') => decimal(a).is_some_and(|a| decimal(b) == Some(a)),
        _ => false,
    }
}

fn first(text: &str) -> u8 {
    text.bytes().next().unwrap_or_default()
}

fn elements(text: &str) -> Vec<&RawValue> {
    serde_json::from_str(text).unwrap_or_default()
}

fn text(json: &str) -> String {
    serde_json::from_str(json).unwrap_or_default()
}

/// Returns the values of an object by field path. The values of all elements of an array are merged.
fn leaves(members: &Members<'_>) -> BTreeMap<String, BTreeSet<Leaf>> {
    let mut leaves = BTreeMap::new();
    for (name, value) in members {
        add_leaves(name, value, MAX_DEPTH, &mut leaves);
    }
    leaves
}

fn add_leaves(path: &str, value: &RawValue, depth: usize, leaves: &mut BTreeMap<String, BTreeSet<Leaf>>) {
    let json = value.get();
    match first(json) {
        b'n' => {}
        b'{' if depth > 0 => {
            for (name, value) in members(json).unwrap_or_default() {
                add_leaves(&format!("{path}.{name}"), value, depth - 1, leaves);
            }
        }
        b'[' if depth > 0 => {
            for value in elements(json) {
                add_leaves(path, value, depth - 1, leaves);
            }
        }
        _ => {
            leaves.entry(path.to_owned()).or_default().insert(Leaf::of(json));
        }
    }
}

/// Returns a number in one form for all its notations: digits without zeros at either end, and an exponent. `None` if
/// `text` is not a number.
fn decimal(text: &str) -> Option<String> {
    let (sign, unsigned) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if whole.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let shift = i64::try_from(fraction.len()).ok()?;
    let kept = digits.trim_end_matches('0');
    let zeros = i64::try_from(digits.len() - kept.len()).ok()?;
    let exponent = exponent.parse::<i64>().ok()?.checked_sub(shift)?.checked_add(zeros)?;
    match kept.trim_start_matches('0') {
        "" => Some("0".to_owned()),
        digits => Some(format!("{sign}{digits}e{exponent}")),
    }
}

#[cfg(test)]
mod tests;
