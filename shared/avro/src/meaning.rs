//! The meaning of a schema's bytes: two schemas mean the same if every reader gets the same values from the same bytes.
//!
//! The meaning covers more than the parsing canonical form, which is the same for two schemas that differ in a
//! decimal's scale or a time's unit. It covers the form, and logical types with their parameters. It does not cover
//! documentation, defaults, aliases, orders, and unknown logical types.

use std::collections::VecDeque;

use sha2::{Digest, Sha256};

use super::compile::Compiled;
use super::node::{NodeId, SchemaNode, Unit};

/// The meaning of a schema's bytes, as a hash to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Meaning([u8; 32]);

/// Returns the meaning of a schema. It depends on the nodes in the order in which they are met, and not on how the
/// schema was split into texts.
pub(super) fn of(schema: &Compiled) -> Meaning {
    let mut meaning =
        Writer { hash: Sha256::new(), numbers: vec![None; schema.nodes.len()], next: VecDeque::new(), met: 0 };
    meaning.part(schema.root);
    while let Some(id) = meaning.next.pop_front() {
        meaning.node(schema, id);
    }
    Meaning(meaning.hash.finalize().into())
}

struct Writer {
    hash: Sha256,
    /// The numbers of the visited nodes.
    numbers: Vec<Option<u32>>,
    next: VecDeque<NodeId>,
    met: u32,
}

impl Writer {
    /// Adds a type within another: its number, which is new if it is met for the first time.
    fn part(&mut self, id: NodeId) {
        let Some(number) = self.numbers.get_mut(id as usize) else { return };
        let known = *number.get_or_insert(self.met);
        if known == self.met {
            self.met += 1;
            self.next.push_back(id);
        }
        self.number(known.into());
    }

    fn number(&mut self, number: u64) {
        self.hash.update(number.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.hash.update(text.as_bytes());
    }

    fn node(&mut self, schema: &Compiled, id: NodeId) {
        let Some(node) = schema.nodes.get(id as usize) else { return };
        self.text(word(node));
        self.text(schema.names.get(&id).map_or("", String::as_str));
        match node {
            SchemaNode::Record(record) => {
                self.number(record.fields.len() as u64);
                for field in &record.fields {
                    self.text(&field.name);
                    self.part(field.node);
                }
            }
            SchemaNode::Enum(symbols) => {
                self.number(symbols.len() as u64);
                symbols.iter().for_each(|symbol| self.text(&symbol.name));
            }
            SchemaNode::Union(branches) => {
                self.number(branches.len() as u64);
                branches.iter().for_each(|branch| self.part(*branch));
            }
            SchemaNode::Nullable { null, other } => {
                self.number(u64::from(*null == 0));
                self.part(*other);
            }
            SchemaNode::Array(items) | SchemaNode::Map(items) => self.part(items.node),
            SchemaNode::Keyed(keyed) => self.part(keyed.items.node),
            SchemaNode::Hidden { inner, .. } => self.part(*inner),
            SchemaNode::Fixed { size } => self.number(*size as u64),
            SchemaNode::Decimal { size, scale } => {
                self.number(size.map_or(u64::MAX, |size| size as u64));
                self.number((*scale).into());
                self.number(schema.precisions.get(&id).copied().unwrap_or_default());
            }
            // The word says everything.
            _ => {}
        }
    }
}

/// Returns the name of the type. For most types it says everything.
fn word(node: &SchemaNode) -> &'static str {
    match node {
        SchemaNode::Null => "null",
        SchemaNode::Boolean => "boolean",
        SchemaNode::Int => "int",
        SchemaNode::Long => "long",
        SchemaNode::Float => "float",
        SchemaNode::Double => "double",
        SchemaNode::Bytes => "bytes",
        SchemaNode::String => "string",
        SchemaNode::Fixed { .. } => "fixed",
        SchemaNode::Enum(_) => "enum",
        SchemaNode::Array(_) => "array",
        SchemaNode::Map(_) | SchemaNode::Keyed(_) => "map",
        // Rules change what is written, but never what is read: a schema's meaning is computed before rules are added.
        SchemaNode::Hidden { .. } => "hidden",
        SchemaNode::Union(_) => "union",
        SchemaNode::Nullable { .. } => "nullable",
        SchemaNode::Record(_) => "record",
        SchemaNode::Decimal { .. } => "decimal",
        SchemaNode::BigDecimal => "big-decimal",
        SchemaNode::UuidText => "uuid",
        SchemaNode::UuidFixed => "uuid on fixed",
        SchemaNode::Date => "date",
        SchemaNode::TimeMillis => "time-millis",
        SchemaNode::TimeMicros => "time-micros",
        SchemaNode::Timestamp { unit: Unit::Millis, utc: true } => "timestamp-millis",
        SchemaNode::Timestamp { unit: Unit::Micros, utc: true } => "timestamp-micros",
        SchemaNode::Timestamp { unit: Unit::Nanos, utc: true } => "timestamp-nanos",
        SchemaNode::Timestamp { unit: Unit::Millis, utc: false } => "local-timestamp-millis",
        SchemaNode::Timestamp { unit: Unit::Micros, utc: false } => "local-timestamp-micros",
        SchemaNode::Timestamp { unit: Unit::Nanos, utc: false } => "local-timestamp-nanos",
        SchemaNode::Duration => "duration",
    }
}
