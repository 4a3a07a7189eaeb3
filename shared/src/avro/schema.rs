//! A schema from its text to what a walk needs.

use std::fmt;

use apache_avro::Schema as AvroSchema;
use apache_avro::schema::Namespace;

use super::SchemaError;
use super::canonical;
use super::compile::{self, Compiled};
use super::field_path::{self, FieldPath};
use super::node::{Node, NodeId};
use crate::causes::with_causes;

/// How deep all texts of a schema together may be nested, since they are parsed by recursion. The JSON parser's own limit for
/// one text is 128.
const MAX_NESTING: usize = 128;

/// A schema compiled for reading.
pub struct Schema {
    pub(super) nodes: Box<[Node]>,
    pub(super) root: NodeId,
    avro: AvroSchema,
    fullname: Option<String>,
    fingerprint: u64,
}

impl Schema {
    /// Compiles a schema from its JSON text.
    ///
    /// # Errors
    /// When the text is not an Avro schema, or one that no value can be written by (a record that holds itself without end), or one
    /// made to waste time and room (see [`SchemaError`]).
    pub fn parse(json: &str) -> Result<Self, SchemaError> {
        check_nesting([json])?;
        let avro = AvroSchema::parse_str(json).map_err(|error| SchemaError(with_causes(&error)))?;
        Self::compile(avro)
    }

    /// Compiles a schema that uses named types of other schemas ("references" of a schema registry): their JSON texts, in any order.
    ///
    /// # Errors
    /// As [`Schema::parse`]; and when one of `references` is not the definition of a record, enum or fixed.
    pub fn parse_with_references(json: &str, references: &[&str]) -> Result<Self, SchemaError> {
        if references.is_empty() {
            return Self::parse(json);
        }
        check_nesting(references.iter().copied().chain([json]))?;
        for reference in references {
            check_definition(reference)?;
        }
        let (mut avro, others) =
            AvroSchema::parse_str_with_list(json, references).map_err(|error| SchemaError(with_causes(&error)))?;
        let mut definitions = Vec::new();
        for other in &others {
            collect_definitions(other, &mut definitions);
        }
        avro.denormalize(&definitions).map_err(|error| SchemaError(error.to_string()))?;
        Self::compile(avro)
    }

    fn compile(avro: AvroSchema) -> Result<Self, SchemaError> {
        let Compiled { nodes, root } = compile::compile(&avro)?;
        let fullname = avro.name().map(|name| name.fullname(Namespace::None.as_deref()));
        let fingerprint = canonical::fingerprint(&avro);
        Ok(Self { nodes, root, avro, fullname, fingerprint })
    }

    /// The path to the field `dotted` (`event_id`, `meta.id`), as a key: for [`validate`](super::validate) to find on the way.
    ///
    /// # Errors
    /// When there is no such field, or it cannot be an event id (a string, uuid, enum, int, long or fixed, or a union of null and
    /// one of them).
    pub fn field(&self, dotted: &str) -> Result<FieldPath, SchemaError> {
        field_path::find(self, dotted, field_path::fits_key, "a string, uuid, enum, int, long or fixed")
    }

    /// The path to the field `dotted`, as the event's time: for [`write_members_and_find`](super::write_members_and_find).
    ///
    /// # Errors
    /// When there is no such field, or it cannot be a time (a timestamp, local timestamp, date, string, int or long, or a union of
    /// null and one of them).
    pub fn time_field(&self, dotted: &str) -> Result<FieldPath, SchemaError> {
        field_path::find(self, dotted, field_path::fits_time, "a timestamp, date, string, int or long")
    }

    /// The name of the root type with its namespace, where it is a named type.
    pub fn fullname(&self) -> Option<&str> {
        self.fullname.as_deref()
    }

    /// The CRC-64-AVRO fingerprint of the parsing canonical form ("Schema Fingerprints" in the Avro specification). In single-object
    /// encoding it stands in little-endian order.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// The schema as a tree, references resolved, to make other things of than values: a mapping, say. A type is defined where it
    /// comes first, and a [`Ref`](AvroSchema::Ref) after that.
    pub fn avro(&self) -> &AvroSchema {
        &self.avro
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schema")
            .field("fullname", &self.fullname)
            .field("fingerprint", &format_args!("{:016x}", self.fingerprint))
            .finish_non_exhaustive()
    }
}

/// Refuses texts that are nested deeper than the stack should have to bear.
fn check_nesting<'j>(texts: impl IntoIterator<Item = &'j str>) -> Result<(), SchemaError> {
    let nesting: usize = texts.into_iter().map(nesting).sum();
    if nesting > MAX_NESTING {
        return Err(SchemaError(format!("nested {nesting} levels deep, references included, over {MAX_NESTING}")));
    }
    Ok(())
}

/// How deep the brackets of a JSON text are nested.
fn nesting(json: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in json.bytes() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// Refuses a reference that does not define a type by its own name; the parser cannot take one.
fn check_definition(json: &str) -> Result<(), SchemaError> {
    let value: serde_json::Value = serde_json::from_str(json).map_err(|error| SchemaError(error.to_string()))?;
    match value.get("type").and_then(serde_json::Value::as_str) {
        Some("record" | "enum" | "fixed") => Ok(()),
        _ => Err(SchemaError("a reference is not the definition of a record, enum or fixed".to_owned())),
    }
}

/// All named types that are defined in `schema`.
fn collect_definitions(schema: &AvroSchema, definitions: &mut Vec<AvroSchema>) {
    match schema {
        AvroSchema::Ref { .. } => {}
        AvroSchema::Array(array) => collect_definitions(&array.items, definitions),
        AvroSchema::Map(map) => collect_definitions(&map.types, definitions),
        AvroSchema::Union(union) => {
            union.variants().iter().for_each(|branch| collect_definitions(branch, definitions));
        }
        AvroSchema::Record(record) => {
            definitions.push(schema.clone());
            record.fields.iter().for_each(|field| collect_definitions(&field.schema, definitions));
        }
        other if other.is_named() => definitions.push(other.clone()),
        _ => {}
    }
}
