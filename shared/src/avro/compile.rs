//! From a parsed schema to the arena of nodes. A new Avro type or logical type gets its line in [`Compiler::node`].

use std::collections::HashMap;

use apache_avro::Schema as AvroSchema;
use apache_avro::schema::{
    Alias, DecimalSchema, EnumSchema, FixedSchema, InnerDecimalSchema, Name, RecordSchema, UnionSchema, UuidSchema,
};

use super::SchemaError;
use super::names;
use super::node::{Field, Items, Node, NodeId, Record, Symbol, Unit};
use super::sizes;
use super::text::{self, Text};

/// The digits after the point that a decimal may have: each is printed, so a schema must not ask for millions.
const MAX_SCALE: usize = 1_000;

/// A schema's nodes, and which is the first.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) nodes: Box<[Node]>,
    pub(super) root: NodeId,
}

/// Compiles a schema that needs no other.
pub(super) fn compile(schema: &AvroSchema) -> Result<Compiled, SchemaError> {
    let mut compiler = Compiler { nodes: Vec::new(), finished: Vec::new(), names: HashMap::new() };
    let root = compiler.node(schema)?;
    sizes::settle(&mut compiler.nodes, &compiler.finished)?;
    Ok(Compiled { nodes: compiler.nodes.into(), root })
}

struct Compiler {
    nodes: Vec<Node>,
    /// All nodes, each after those that it is made of, save where a record holds itself.
    finished: Vec<NodeId>,
    names: HashMap<String, NodeId>,
}

impl Compiler {
    fn node(&mut self, schema: &AvroSchema) -> Result<NodeId, SchemaError> {
        let node = match schema {
            AvroSchema::Ref { name } => return self.named(name),
            AvroSchema::Record(record) => return self.record(record),
            AvroSchema::Enum(symbols) => return self.enumeration(symbols),
            AvroSchema::Fixed(fixed) => return self.fixed(fixed, Node::Fixed { size: fixed.size }),
            AvroSchema::Duration(fixed) => return self.fixed(fixed, Node::Duration),
            AvroSchema::Uuid(UuidSchema::Fixed(fixed)) => return self.fixed(fixed, Node::UuidFixed),
            AvroSchema::Decimal(decimal) => return self.decimal(decimal),
            AvroSchema::Union(union) => self.union(union)?,
            AvroSchema::Array(array) => Node::Array(self.items(&array.items)?),
            AvroSchema::Map(map) => Node::Map(self.items(&map.types)?),
            AvroSchema::Null => Node::Null,
            AvroSchema::Boolean => Node::Boolean,
            AvroSchema::Int => Node::Int,
            AvroSchema::Long => Node::Long,
            AvroSchema::Float => Node::Float,
            AvroSchema::Double => Node::Double,
            // The specification knows no uuid on bytes, and wants unknown logical types ignored.
            AvroSchema::Bytes | AvroSchema::Uuid(UuidSchema::Bytes) => Node::Bytes,
            AvroSchema::String => Node::String,
            AvroSchema::BigDecimal => Node::BigDecimal,
            AvroSchema::Uuid(UuidSchema::String) => Node::UuidText,
            AvroSchema::Date => Node::Date,
            AvroSchema::TimeMillis => Node::TimeMillis,
            AvroSchema::TimeMicros => Node::TimeMicros,
            AvroSchema::TimestampMillis => Node::Timestamp { unit: Unit::Millis, utc: true },
            AvroSchema::TimestampMicros => Node::Timestamp { unit: Unit::Micros, utc: true },
            AvroSchema::TimestampNanos => Node::Timestamp { unit: Unit::Nanos, utc: true },
            AvroSchema::LocalTimestampMillis => Node::Timestamp { unit: Unit::Millis, utc: false },
            AvroSchema::LocalTimestampMicros => Node::Timestamp { unit: Unit::Micros, utc: false },
            AvroSchema::LocalTimestampNanos => Node::Timestamp { unit: Unit::Nanos, utc: false },
        };
        self.add(node)
    }

    /// Puts a node that is complete into the arena.
    fn add(&mut self, node: Node) -> Result<NodeId, SchemaError> {
        let id = self.reserve(node)?;
        self.finished.push(id);
        Ok(id)
    }

    fn reserve(&mut self, node: Node) -> Result<NodeId, SchemaError> {
        let id = NodeId::try_from(self.nodes.len()).map_err(|_| SchemaError("too many types".to_owned()))?;
        self.nodes.push(node);
        Ok(id)
    }

    fn named(&self, name: &Name) -> Result<NodeId, SchemaError> {
        let fullname = name.fullname(None);
        self.names
            .get(&fullname)
            .copied()
            .ok_or_else(|| SchemaError(format!("type {fullname} is used but not defined before")))
    }

    /// Makes `id` known by its name and aliases.
    fn define(&mut self, name: &Name, aliases: Option<&Vec<Alias>>, id: NodeId) -> Result<(), SchemaError> {
        let fullname = name.fullname(None);
        for alias in aliases.into_iter().flatten() {
            self.names.entry(alias.fullname(name.namespace())).or_insert(id);
        }
        if let Some(other) = self.names.insert(fullname.clone(), id)
            && other != id
            && self.nodes.get(other as usize) != self.nodes.get(id as usize)
        {
            return Err(SchemaError(format!("type {fullname} is defined twice")));
        }
        Ok(())
    }

    fn fixed(&mut self, fixed: &FixedSchema, node: Node) -> Result<NodeId, SchemaError> {
        let id = self.add(node)?;
        self.define(&fixed.name, fixed.aliases.as_ref(), id)?;
        Ok(id)
    }

    fn decimal(&mut self, decimal: &DecimalSchema) -> Result<NodeId, SchemaError> {
        let scale = match u16::try_from(decimal.scale) {
            Ok(scale) if decimal.scale <= MAX_SCALE => scale,
            _ => return Err(SchemaError(format!("a decimal's scale is {}, over {MAX_SCALE}", decimal.scale))),
        };
        match &decimal.inner {
            InnerDecimalSchema::Bytes => self.add(Node::Decimal { size: None, scale }),
            InnerDecimalSchema::Fixed(fixed) => self.fixed(fixed, Node::Decimal { size: Some(fixed.size), scale }),
        }
    }

    fn enumeration(&mut self, schema: &EnumSchema) -> Result<NodeId, SchemaError> {
        let symbols =
            schema.symbols.iter().map(|name| Symbol { name: name.as_str().into(), json: json_text(name).into() });
        let id = self.add(Node::Enum(symbols.collect()))?;
        self.define(&schema.name, schema.aliases.as_ref(), id)?;
        Ok(id)
    }

    fn record(&mut self, schema: &RecordSchema) -> Result<NodeId, SchemaError> {
        // Known by its number before its fields are compiled, since they may hold the record itself.
        let id = self.reserve(Node::Null)?;
        self.define_record(schema, id)?;
        let mut fields = Vec::with_capacity(schema.fields.len());
        for field in &schema.fields {
            let is_field = |name: &str| schema.fields.iter().any(|other| other.name == name);
            let document_name = names::in_document(&field.name, is_field);
            let mut json = vec![b','];
            json.extend(json_text(&document_name));
            json.push(b':');
            fields.push(Field {
                name: field.name.as_str().into(),
                document_name: document_name.into(),
                json: json.into(),
                node: self.node(&field.schema)?,
            });
        }
        if let Some(node) = self.nodes.get_mut(id as usize) {
            *node = Node::Record(Record { fields: fields.into() });
        }
        self.finished.push(id);
        Ok(id)
    }

    fn define_record(&mut self, schema: &RecordSchema, id: NodeId) -> Result<(), SchemaError> {
        let fullname = schema.name.fullname(None);
        if self.names.contains_key(&fullname) {
            return Err(SchemaError(format!("type {fullname} is defined twice")));
        }
        self.define(&schema.name, schema.aliases.as_ref(), id)
    }

    fn union(&mut self, schema: &UnionSchema) -> Result<Node, SchemaError> {
        let branches = schema.variants().iter().map(|branch| self.node(branch)).collect::<Result<Box<_>, _>>()?;
        Ok(match (&*branches, schema.variants()) {
            ([], _) => return Err(SchemaError("a union has no branches".to_owned())),
            ([_, other], [AvroSchema::Null, _]) => Node::Nullable { null: 0, other: *other },
            ([other, _], [_, AvroSchema::Null]) => Node::Nullable { null: 1, other: *other },
            _ => Node::Union(branches),
        })
    }

    /// The sizes are filled in at the end, by [`sizes::settle`].
    fn items(&mut self, schema: &AvroSchema) -> Result<Items, SchemaError> {
        Ok(Items { node: self.node(schema)?, min_size: 0, weight: 1 })
    }
}

fn json_text(text: &str) -> Vec<u8> {
    let mut json = Vec::new();
    text::write_json(Text { bytes: text.as_bytes(), plain: false }, &mut json);
    json
}
