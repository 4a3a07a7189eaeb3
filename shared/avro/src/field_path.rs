//! Finds one field by its path during a walk. This module decides which types of fields can be an event's id or its
//! time.

use std::borrow::Cow;

use super::SchemaError;
use super::definitions::shown;
use super::hex_digits::hex;
use super::node::{NodeId, Record, SchemaNode, Symbol, Unit};
use super::sink::{Scalar, Sink};
use super::text::{self, Escapes, Stored};
use super::uuid;
use super::way::Way;

/// A path to one or two scalar fields of a record schema, or of the records of a union. It is valid only for the schema
/// that it was made from.
#[derive(Clone, Debug)]
pub struct FieldPath {
    /// The steps from the root.
    pub(super) way: Way,
}

impl FieldPath {
    /// Returns one path to both `first` and `second`, of the same schema, so that one walk finds both.
    pub fn both(first: Option<Self>, second: Option<Self>) -> Option<Self> {
        let second = second.map(|path| path.way.to_second());
        let way = match (first, second) {
            (Some(first), Some(second)) => first.way.and(second),
            (Some(Self { way }), None) | (None, Some(way)) => way,
            (None, None) => return None,
        };
        Some(Self { way })
    }
}

/// The most steps of a path, since unions of records within unions of records multiply them.
const MAX_STEPS: usize = 10_000;
/// The most field names that an error lists.
const MAX_LISTED: usize = 20;

/// The value of a field found during a walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FoundField<'a> {
    /// A string as stored in the datum, a symbol, a UUID in lowercase with hyphens, or a fixed in hexadecimal digits.
    Text(Cow<'a, str>),
    /// An int or a long.
    Integer(i64),
    /// A date or a timestamp, in milliseconds since 1970-01-01 (UTC, or in an unknown zone if the type is local).
    /// Smaller parts are dropped.
    Millis(i64),
    /// A boolean.
    Boolean(bool),
}

impl<'a> FoundField<'a> {
    /// Returns the value as text.
    pub fn into_text(self) -> Cow<'a, str> {
        match self {
            Self::Text(text) => text,
            Self::Integer(number) | Self::Millis(number) => itoa::Buffer::new().format(number).to_owned().into(),
            Self::Boolean(value) => if value { "true" } else { "false" }.into(),
        }
    }
}

/// Describes the field to search for.
pub(super) struct Search {
    /// Whether a field of this type is suitable.
    pub(super) fits: fn(&SchemaNode) -> bool,
    /// The suitable types, in words.
    pub(super) wanted: &'static str,
    /// Whether every branch of a union except null must have the field; otherwise one branch is enough.
    pub(super) in_each_branch: bool,
}

/// Finds the field `dotted`.
pub(super) fn find(
    nodes: &[SchemaNode],
    root: NodeId,
    dotted: &str,
    search: &Search,
) -> Result<FieldPath, SchemaError> {
    let names: Vec<&str> = dotted.split('.').collect();
    let mut finder = Finder { nodes, search, steps: 0 };
    match finder.way(root, &names) {
        Ok(way) => Ok(FieldPath { way }),
        Err(problem) => Err(SchemaError(format!("field {}: {problem}", shown(dotted)))),
    }
}

struct Finder<'s> {
    nodes: &'s [SchemaNode],
    search: &'s Search,
    steps: usize,
}

impl Finder<'_> {
    fn way(&mut self, id: NodeId, names: &[&str]) -> Result<Way, String> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Err("too many paths lead to it, through unions within unions".to_owned());
        }
        let node = get(self.nodes, beneath_null(self.nodes, id));
        let Some((name, rest)) = names.split_first() else {
            let wanted = self.search.wanted;
            let fits = (self.search.fits)(node);
            return if fits {
                Ok(Way::Here([true, false]))
            } else {
                Err(format!("its type is not {wanted}, or null or one of them"))
            };
        };
        match node {
            SchemaNode::Record(record) => self.field(record, name, rest),
            SchemaNode::Union(branches) => self.branch(branches, names),
            _ => Err(format!("{} has no parent record: the type before it is not a record", shown(name))),
        }
    }

    fn field(&mut self, record: &Record, name: &str, rest: &[&str]) -> Result<Way, String> {
        if let Some((index, field)) = (0_u32..).zip(&record.fields).find(|(_, field)| *field.name == *name) {
            return Ok(Way::Field(index, Box::new(self.way(field.node, rest)?)));
        }
        let mut names: Vec<String> = record.fields.iter().take(MAX_LISTED).map(|field| shown(&field.name)).collect();
        names.extend((record.fields.len() > MAX_LISTED).then(|| "…".to_owned()));
        Err(format!("no field is called {}; the fields are {}", shown(name), names.join(", ")))
    }

    fn branch(&mut self, branches: &[NodeId], names: &[&str]) -> Result<Way, String> {
        let mut ways = Vec::with_capacity(branches.len());
        let mut problem = None;
        for branch in branches {
            let node = get(self.nodes, *branch);
            if *node == SchemaNode::Null {
                ways.push(None);
                continue;
            }
            match self.way(*branch, names) {
                Ok(way) => ways.push(Some(way)),
                Err(reason) => {
                    ways.push(None);
                    let name = if let SchemaNode::Record(record) = node {
                        shown(&record.name)
                    } else {
                        "no record".to_owned()
                    };
                    problem.get_or_insert(format!("in the branch {name}: {reason}"));
                }
            }
        }
        match problem {
            Some(problem) if self.search.in_each_branch || ways.iter().all(Option::is_none) => Err(problem),
            _ => Ok(Way::Branch(ways.into())),
        }
    }
}

/// Returns whether a field of this type can be an event's id.
pub(super) fn fits_key(node: &SchemaNode) -> bool {
    matches!(
        node,
        SchemaNode::String
            | SchemaNode::UuidText
            | SchemaNode::UuidFixed
            | SchemaNode::Enum(_)
            | SchemaNode::Int
            | SchemaNode::Long
            | SchemaNode::Fixed { .. }
    )
}

/// Returns whether a field of this type can be an event's time.
pub(super) fn fits_time(node: &SchemaNode) -> bool {
    matches!(
        node,
        SchemaNode::Timestamp { .. } | SchemaNode::Date | SchemaNode::String | SchemaNode::Int | SchemaNode::Long
    )
}

/// Returns whether events can be routed by a field of this type.
pub(super) fn fits_route(node: &SchemaNode) -> bool {
    matches!(node, SchemaNode::String | SchemaNode::Enum(_) | SchemaNode::Boolean | SchemaNode::Int | SchemaNode::Long)
}

fn get(nodes: &[SchemaNode], id: NodeId) -> &SchemaNode {
    nodes.get(id as usize).unwrap_or(&SchemaNode::Null)
}

/// Returns the other type of a union with null, or the type under a rule, or else the node itself. A hidden field can
/// still be the event's time: it is read, but not written.
fn beneath_null(nodes: &[SchemaNode], id: NodeId) -> NodeId {
    match get(nodes, id) {
        SchemaNode::Nullable { other: inner, .. } | SchemaNode::Hidden { inner, .. } => beneath_null(nodes, *inner),
        _ => id,
    }
}

/// Captures the single scalar of a field.
#[derive(Debug, Default)]
pub(super) struct Capture<'a> {
    pub(super) found: Option<FoundField<'a>>,
}

impl<'a> Sink<'a> for Capture<'a> {
    fn raw(&mut self, _json: &[u8]) {}

    fn key(&mut self, key: Stored<'a>) -> Result<Escapes, usize> {
        text::check(key.bytes).map(|text| text.escapes)
    }

    fn scalar(&mut self, value: Scalar<'a>) {
        self.found = match value {
            Scalar::Text(text) | Scalar::UuidText(text) => std::str::from_utf8(text.bytes).ok().map(text_of),
            Scalar::Int(value) => Some(FoundField::Integer(value.into())),
            Scalar::Long(value) => Some(FoundField::Integer(value)),
            Scalar::Uuid(uuid) => {
                Some(FoundField::Text(String::from_utf8_lossy(&uuid::print(uuid)).into_owned().into()))
            }
            Scalar::Bytes(bytes) => Some(FoundField::Text(hex(bytes).into())),
            Scalar::Date(days) => Some(FoundField::Millis(i64::from(days) * 86_400_000)),
            Scalar::Timestamp(value, unit, _) => Some(FoundField::Millis(to_millis(value, unit))),
            Scalar::Boolean(value) => Some(FoundField::Boolean(value)),
            _ => None,
        };
    }

    fn symbol(&mut self, symbol: &Symbol) {
        self.found = Some(FoundField::Text(symbol.name.to_string().into()));
    }
}

fn text_of(text: &str) -> FoundField<'_> {
    FoundField::Text(Cow::Borrowed(text))
}

fn to_millis(value: i64, unit: Unit) -> i64 {
    value.div_euclid(unit.per_second() / 1_000)
}
