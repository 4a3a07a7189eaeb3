//! Finding one field by its path on the way of a walk. What kinds of fields can be an event's id or its time is decided here.

use std::borrow::Cow;

use super::node::{Node, NodeId, Symbol, Unit};
use super::text::Text;
use super::uuid;
use super::walk::{Scalar, Sink};
use super::{Schema, SchemaError};

/// A path to a scalar field of a record schema: only of use with the schema it was made from.
#[derive(Clone, Debug)]
pub struct FieldPath {
    /// The field's number in each record on the way.
    pub(super) steps: Box<[u32]>,
}

/// The value of a field that was found on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// A string as it stands in the datum, a symbol, a UUID in small letters with hyphens, a fixed in hexadecimal digits.
    Text(Cow<'a, str>),
    /// An int or a long.
    Integer(i64),
    /// A date or a timestamp, in milliseconds since 1970-01-01 (UTC, or of an unnamed place where the type is local); what is
    /// smaller is dropped.
    Millis(i64),
}

impl<'a> Found<'a> {
    /// The value as text.
    pub fn into_text(self) -> Cow<'a, str> {
        match self {
            Self::Text(text) => text,
            Self::Integer(number) | Self::Millis(number) => itoa::Buffer::new().format(number).to_owned().into(),
        }
    }
}

/// Finds the field `dotted`, if its type is one of those that `fits` allows.
pub(super) fn find(
    schema: &Schema,
    dotted: &str,
    fits: fn(&Node) -> bool,
    wanted: &str,
) -> Result<FieldPath, SchemaError> {
    let mut steps = Vec::new();
    let mut node = schema.root;
    for name in dotted.split('.') {
        let Node::Record(record) = get(schema, beneath_null(schema, node)) else {
            return Err(SchemaError(format!("field {dotted}: {name} is looked for in what is not a record")));
        };
        let Some((index, field)) = (0_u32..).zip(&record.fields).find(|(_, field)| *field.name == *name) else {
            let names: Vec<&str> = record.fields.iter().map(|field| &*field.name).collect();
            return Err(SchemaError(format!("field {dotted}: there is no {name}, only {}", names.join(", "))));
        };
        steps.push(index);
        node = field.node;
    }
    if !fits(get(schema, beneath_null(schema, node))) {
        return Err(SchemaError(format!("field {dotted}: its type is not {wanted}, or null or one of them")));
    }
    Ok(FieldPath { steps: steps.into() })
}

/// Whether a field of this type can be an event's id.
pub(super) fn fits_key(node: &Node) -> bool {
    matches!(
        node,
        Node::String | Node::UuidText | Node::UuidFixed | Node::Enum(_) | Node::Int | Node::Long | Node::Fixed { .. }
    )
}

/// Whether a field of this type can be an event's time.
pub(super) fn fits_time(node: &Node) -> bool {
    matches!(node, Node::Timestamp { .. } | Node::Date | Node::String | Node::Int | Node::Long)
}

fn get(schema: &Schema, id: NodeId) -> &Node {
    schema.nodes.get(id as usize).unwrap_or(&Node::Null)
}

/// The one type that is not null of a union; otherwise the node itself.
fn beneath_null(schema: &Schema, id: NodeId) -> NodeId {
    match get(schema, id) {
        Node::Nullable { other, .. } => *other,
        Node::Union(branches) if branches.len() == 1 => branches.first().copied().unwrap_or(id),
        _ => id,
    }
}

/// Takes the one scalar of a field.
#[derive(Debug, Default)]
pub(super) struct Capture<'a> {
    pub(super) found: Option<Found<'a>>,
}

impl<'a> Sink<'a> for Capture<'a> {
    fn raw(&mut self, _json: &[u8]) {}

    fn key(&mut self, _key: Text<'a>) {}

    fn scalar(&mut self, value: Scalar<'a>) {
        self.found = match value {
            Scalar::Text(text) | Scalar::UuidText(text) => std::str::from_utf8(text.bytes).ok().map(text_of),
            Scalar::Int(value) => Some(Found::Integer(value.into())),
            Scalar::Long(value) => Some(Found::Integer(value)),
            Scalar::Uuid(uuid) => Some(Found::Text(String::from_utf8_lossy(&uuid::print(uuid)).into_owned().into())),
            Scalar::Bytes(bytes) => Some(Found::Text(hex(bytes).into())),
            Scalar::Date(days) => Some(Found::Millis(i64::from(days) * 86_400_000)),
            Scalar::Timestamp(value, unit, _) => Some(Found::Millis(to_millis(value, unit))),
            _ => None,
        };
    }

    fn symbol(&mut self, symbol: &Symbol) {
        self.found = Some(Found::Text(symbol.name.to_string().into()));
    }
}

fn text_of(text: &str) -> Found<'_> {
    Found::Text(Cow::Borrowed(text))
}

fn to_millis(value: i64, unit: Unit) -> i64 {
    value.div_euclid(unit.per_second() / 1_000)
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(uuid::HEX_DIGITS[usize::from(nibble & 0xf)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}
