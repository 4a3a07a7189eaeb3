//! What a schema's bytes mean: two schemas mean the same when every reader gets the same values out of the same bytes.
//!
//! That is more than the parsing canonical form, which two schemas share that differ in a decimal's scale or a time's
//! unit. It is what the form has, and the logical types with their parameters. Documentation, defaults, aliases and
//! orders are no part of it, and neither is a logical type that nobody knows.

use std::collections::VecDeque;

use sha2::{Digest, Sha256};

use super::compile::Compiled;
use super::node::{Node, NodeId, Unit};

/// What the bytes of a schema mean, as a hash to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Meaning([u8; 32]);

/// Returns the meaning of a schema: of its nodes in the order in which they are met, so that the texts it was made of
/// do not matter.
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
    /// The numbers of the nodes that were met.
    numbers: Vec<Option<u32>>,
    next: VecDeque<NodeId>,
    met: u32,
}

impl Writer {
    /// A type within another: its number, which is a new one where it is met for the first time.
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
            Node::Record(record) => {
                self.number(record.fields.len() as u64);
                for field in &record.fields {
                    self.text(&field.name);
                    self.part(field.node);
                }
            }
            Node::Enum(symbols) => {
                self.number(symbols.len() as u64);
                symbols.iter().for_each(|symbol| self.text(&symbol.name));
            }
            Node::Union(branches) => {
                self.number(branches.len() as u64);
                branches.iter().for_each(|branch| self.part(*branch));
            }
            Node::Nullable { null, other } => {
                self.number(u64::from(*null == 0));
                self.part(*other);
            }
            Node::Array(items) | Node::Map(items) => self.part(items.node),
            Node::Keyed(keyed) => self.part(keyed.items.node),
            Node::Hidden { inner, .. } => self.part(*inner),
            Node::Fixed { size } => self.number(*size as u64),
            Node::Decimal { size, scale } => {
                self.number(size.map_or(u64::MAX, |size| size as u64));
                self.number((*scale).into());
                self.number(schema.precisions.get(&id).copied().unwrap_or_default());
            }
            // All of it is in the word.
            _ => {}
        }
    }
}

/// Returns the type, and with it all there is to say of most.
fn word(node: &Node) -> &'static str {
    match node {
        Node::Null => "null",
        Node::Boolean => "boolean",
        Node::Int => "int",
        Node::Long => "long",
        Node::Float => "float",
        Node::Double => "double",
        Node::Bytes => "bytes",
        Node::String => "string",
        Node::Fixed { .. } => "fixed",
        Node::Enum(_) => "enum",
        Node::Array(_) => "array",
        Node::Map(_) | Node::Keyed(_) => "map",
        // Rules change what is written, never what is read: a schema's meaning is found before there are any.
        Node::Hidden { .. } => "hidden",
        Node::Union(_) => "union",
        Node::Nullable { .. } => "nullable",
        Node::Record(_) => "record",
        Node::Decimal { .. } => "decimal",
        Node::BigDecimal => "big-decimal",
        Node::UuidText => "uuid",
        Node::UuidFixed => "uuid on fixed",
        Node::Date => "date",
        Node::TimeMillis => "time-millis",
        Node::TimeMicros => "time-micros",
        Node::Timestamp { unit: Unit::Millis, utc: true } => "timestamp-millis",
        Node::Timestamp { unit: Unit::Micros, utc: true } => "timestamp-micros",
        Node::Timestamp { unit: Unit::Nanos, utc: true } => "timestamp-nanos",
        Node::Timestamp { unit: Unit::Millis, utc: false } => "local-timestamp-millis",
        Node::Timestamp { unit: Unit::Micros, utc: false } => "local-timestamp-micros",
        Node::Timestamp { unit: Unit::Nanos, utc: false } => "local-timestamp-nanos",
        Node::Duration => "duration",
    }
}
