//! The parsing canonical form of a schema, and its fingerprint ("Parsing Canonical Form for Schemas" and "Schema
//! Fingerprints" in the Avro specification 1.12). Two writers must agree on them to identify the same schema.
//!
//! The form omits properties that affect values: logical types, precision, scale. The module
//! [`meaning`](super::meaning) decides whether two schemas mean the same.

use std::fmt::{self, Write};

use super::compile::Compiled;
use super::node::{NodeId, SchemaNode};

/// Returns the CRC-64-AVRO fingerprint of the parsing canonical form.
pub(super) fn fingerprint(schema: &Compiled) -> u64 {
    let mut crc = Crc64(EMPTY);
    // Writing to a checksum cannot fail.
    let written = write(schema, &mut crc);
    debug_assert!(written.is_ok());
    crc.0
}

/// A part that is still to be written.
enum Part<'s> {
    Type(NodeId),
    Text(&'static str),
    /// A name, written in quotes.
    Name(&'s str),
    Size(usize),
}

/// Writes the parsing canonical form. Does not recurse, since records may contain one another in a long chain.
///
/// # Errors
/// The errors of `out`.
pub(super) fn write(schema: &Compiled, out: &mut impl Write) -> fmt::Result {
    let mut defined = vec![false; schema.nodes.len()];
    // The last element is taken next.
    let mut left = vec![Part::Type(schema.root)];
    while let Some(part) = left.pop() {
        match part {
            Part::Text(text) => out.write_str(text)?,
            Part::Name(name) => write!(out, "\"{name}\"")?,
            Part::Size(size) => write!(out, "{size}")?,
            Part::Type(id) => {
                let begin = left.len();
                parts(schema, id, &mut defined, &mut left);
                if let Some(new) = left.get_mut(begin..) {
                    new.reverse();
                }
            }
        }
    }
    Ok(())
}

/// Appends the parts of the type `id`, in the order of writing.
fn parts<'s>(schema: &'s Compiled, id: NodeId, defined: &mut [bool], parts: &mut Vec<Part<'s>>) {
    let Some(node) = schema.nodes.get(id as usize) else { return };
    if let Some(name) = schema.names.get(&id) {
        let defined = defined.get_mut(id as usize).map(|defined| std::mem::replace(defined, true));
        if defined.unwrap_or_default() {
            return parts.push(Part::Name(name));
        }
        parts.extend([Part::Text(r#"{"name":"#), Part::Name(name), Part::Text(r#","type":"#)]);
    }
    match node {
        SchemaNode::Record(record) => {
            parts.push(Part::Text(r#""record","fields":["#));
            for (index, field) in record.fields.iter().enumerate() {
                let begin = if index > 0 { r#",{"name":"# } else { r#"{"name":"# };
                parts.extend([Part::Text(begin), Part::Name(&field.name), Part::Text(r#","type":"#)]);
                parts.extend([Part::Type(field.node), Part::Text("}")]);
            }
            parts.push(Part::Text("]}"));
        }
        SchemaNode::Enum(symbols) => {
            parts.push(Part::Text(r#""enum","symbols":["#));
            for (index, symbol) in symbols.iter().enumerate() {
                parts.extend((index > 0).then_some(Part::Text(",")));
                parts.push(Part::Name(&symbol.name));
            }
            parts.push(Part::Text("]}"));
        }
        SchemaNode::Union(branches) => union(branches.iter().copied().map(Part::Type), parts),
        SchemaNode::Nullable { null: 0, other } => union([Part::Name("null"), Part::Type(*other)].into_iter(), parts),
        SchemaNode::Nullable { other, .. } => union([Part::Type(*other), Part::Name("null")].into_iter(), parts),
        SchemaNode::Array(items) => nested(r#"{"type":"array","items":"#, items.node, parts),
        SchemaNode::Map(items) => nested(r#"{"type":"map","values":"#, items.node, parts),
        SchemaNode::Keyed(keyed) => nested(r#"{"type":"map","values":"#, keyed.items.node, parts),
        SchemaNode::Hidden { inner, .. } => parts.push(Part::Type(*inner)),
        SchemaNode::Fixed { size } | SchemaNode::Decimal { size: Some(size), .. } => fixed(*size, parts),
        SchemaNode::UuidFixed => fixed(16, parts),
        SchemaNode::Duration => fixed(12, parts),
        SchemaNode::Null => parts.push(Part::Name("null")),
        SchemaNode::Boolean => parts.push(Part::Name("boolean")),
        SchemaNode::Int | SchemaNode::Date | SchemaNode::TimeMillis => parts.push(Part::Name("int")),
        SchemaNode::Long | SchemaNode::TimeMicros | SchemaNode::Timestamp { .. } => parts.push(Part::Name("long")),
        SchemaNode::Float => parts.push(Part::Name("float")),
        SchemaNode::Double => parts.push(Part::Name("double")),
        SchemaNode::Bytes | SchemaNode::BigDecimal | SchemaNode::Decimal { size: None, .. } => {
            parts.push(Part::Name("bytes"))
        }
        SchemaNode::String | SchemaNode::UuidText => parts.push(Part::Name("string")),
    }
}

fn nested(begin: &'static str, within: NodeId, parts: &mut Vec<Part<'_>>) {
    parts.extend([Part::Text(begin), Part::Type(within), Part::Text("}")]);
}

fn fixed(size: usize, parts: &mut Vec<Part<'_>>) {
    parts.extend([Part::Text(r#""fixed","size":"#), Part::Size(size), Part::Text("}")]);
}

fn union<'s>(branches: impl Iterator<Item = Part<'s>>, parts: &mut Vec<Part<'s>>) {
    parts.push(Part::Text("["));
    for (index, branch) in branches.enumerate() {
        parts.extend((index > 0).then_some(Part::Text(",")));
        parts.push(branch);
    }
    parts.push(Part::Text("]"));
}

/// The state of a fingerprint calculation.
struct Crc64(u64);

impl Write for Crc64 {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = text.bytes().fold(self.0, |crc, byte| {
            // The cast takes the lowest byte.
            let index = (crc as u8) ^ byte;
            (crc >> 8) ^ TABLE[usize::from(index)]
        });
        Ok(())
    }
}

/// The fingerprint of empty input.
const EMPTY: u64 = 0xc15d_213a_a4d7_a795;

const TABLE: [u64; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut entry = index as u64;
        let mut bit = 0;
        while bit < 8 {
            entry = (entry >> 1) ^ (EMPTY & 0_u64.wrapping_sub(entry & 1));
            bit += 1;
        }
        table[index] = entry;
        index += 1;
    }
    table
};
