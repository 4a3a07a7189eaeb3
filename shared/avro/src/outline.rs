//! A schema as its documents look: what a mapping is made of. The table of the types of fields is here, beside the
//! printing of values in `json`: a rule of `docs/document-rules.md` changes in both.

use super::Schema;
use super::json::{Decimals, JsonRules};
use super::node::{NodeId, SchemaNode};

/// One type of a schema.
#[derive(Clone, Copy, Debug)]
pub struct TypeRef<'s> {
    schema: &'s Schema,
    node: NodeId,
}

/// What a value of a type looks like in a document.
#[derive(Debug)]
pub enum Outline<'s> {
    /// Null, always.
    Null,
    /// A value without parts, or whose parts are always the same.
    Value(Kind),
    /// A list.
    Array(TypeRef<'s>),
    /// An object with free names.
    Map(TypeRef<'s>),
    /// An object with these names.
    Record(Vec<(&'s str, TypeRef<'s>)>),
    /// One of several, or null. What is null or one type is a union of that one.
    Union(Vec<TypeRef<'s>>),
}

/// The types without parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `boolean`.
    Boolean,
    /// `int`.
    Int,
    /// `long`.
    Long,
    /// `float`.
    Float,
    /// `double`.
    Double,
    /// `bytes` and `fixed`.
    Bytes,
    /// `string`.
    Text,
    /// `enum`.
    Symbol,
    /// `uuid`.
    Uuid,
    /// `decimal` and `big-decimal`.
    Decimal,
    /// `date`.
    Date,
    /// `time-millis` and `time-micros`.
    Time,
    /// `timestamp-*` and `local-timestamp-*`.
    Timestamp,
    /// `duration`.
    Duration,
}

/// The type of a field in Elasticsearch (Elasticsearch reference, "Field data types").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// `boolean`.
    Boolean,
    /// `integer`.
    Integer,
    /// `long`.
    Long,
    /// `float`.
    Float,
    /// `double`.
    Double,
    /// `double`, of numbers that may be beyond it: those are in the document, but cannot be searched for.
    WideDouble,
    /// `keyword`.
    Keyword,
    /// `binary`.
    Binary,
    /// `date`, in milliseconds; what is smaller is in the document alone.
    Date,
    /// An object of the numbers `months`, `days` and `milliseconds`.
    Duration,
}

impl Kind {
    /// Returns the type table: which field a value of this type needs, as `rules` write it.
    pub fn field_type(self, rules: JsonRules) -> FieldType {
        match self {
            Self::Boolean => FieldType::Boolean,
            Self::Int => FieldType::Integer,
            Self::Long => FieldType::Long,
            Self::Float => FieldType::Float,
            Self::Double => FieldType::Double,
            Self::Bytes => FieldType::Binary,
            Self::Decimal if rules.decimals == Decimals::Number => FieldType::WideDouble,
            // A time of day is text of a fixed width, so that ranges of it work; a decimal stays exact.
            Self::Text | Self::Symbol | Self::Uuid | Self::Decimal | Self::Time => FieldType::Keyword,
            // Text or a number, as the rules have it: a date takes both. Not `date_nanos`, which refuses what is before
            // 1970.
            Self::Date | Self::Timestamp => FieldType::Date,
            Self::Duration => FieldType::Duration,
        }
    }
}

impl Schema {
    /// Returns the type of the whole datum.
    pub fn root(&self) -> TypeRef<'_> {
        TypeRef { schema: self, node: self.root }
    }
}

impl<'s> TypeRef<'s> {
    /// A number that no other type of the schema has: a record that holds itself comes back under the same one.
    pub fn id(self) -> u32 {
        self.node
    }

    /// Returns whether its values are records.
    pub fn is_record(self) -> bool {
        matches!(self.schema.nodes.get(self.node as usize), Some(SchemaNode::Record(_)))
    }

    /// Returns the types of its values that are not null: those of a union, or the one.
    pub fn branches(self) -> Vec<TypeRef<'s>> {
        let of = |node: NodeId| TypeRef { schema: self.schema, node };
        match self.schema.nodes.get(self.node as usize).unwrap_or(&SchemaNode::Null) {
            SchemaNode::Null => Vec::new(),
            SchemaNode::Nullable { other, .. } => vec![of(*other)],
            SchemaNode::Union(branches) => {
                let is_null = |id: &NodeId| self.schema.nodes.get(*id as usize) == Some(&SchemaNode::Null);
                branches.iter().filter(|branch| !is_null(branch)).map(|branch| of(*branch)).collect()
            }
            _ => vec![self],
        }
    }

    /// Returns what its values look like.
    pub fn outline(self) -> Outline<'s> {
        let of = |node: NodeId| TypeRef { schema: self.schema, node };
        match self.schema.nodes.get(self.node as usize).unwrap_or(&SchemaNode::Null) {
            SchemaNode::Null => Outline::Null,
            SchemaNode::Array(items) => Outline::Array(of(items.node)),
            SchemaNode::Map(items) => Outline::Map(of(items.node)),
            SchemaNode::Keyed(keyed) => Outline::Map(of(keyed.items.node)),
            // What stands in the place of a hidden value is text.
            SchemaNode::Hidden { .. } => Outline::Value(Kind::Text),
            SchemaNode::Record(record) => {
                let shown = record.fields.iter().filter(|field| !field.is_dropped());
                Outline::Record(shown.map(|field| (&*field.document_name, of(field.node))).collect())
            }
            SchemaNode::Union(branches) => Outline::Union(branches.iter().map(|branch| of(*branch)).collect()),
            SchemaNode::Nullable { other, .. } => Outline::Union(vec![of(*other)]),
            SchemaNode::Boolean => Outline::Value(Kind::Boolean),
            SchemaNode::Int => Outline::Value(Kind::Int),
            SchemaNode::Long => Outline::Value(Kind::Long),
            SchemaNode::Float => Outline::Value(Kind::Float),
            SchemaNode::Double => Outline::Value(Kind::Double),
            SchemaNode::Bytes | SchemaNode::Fixed { .. } => Outline::Value(Kind::Bytes),
            SchemaNode::String => Outline::Value(Kind::Text),
            SchemaNode::Enum(_) => Outline::Value(Kind::Symbol),
            SchemaNode::UuidText | SchemaNode::UuidFixed => Outline::Value(Kind::Uuid),
            SchemaNode::Decimal { .. } | SchemaNode::BigDecimal => Outline::Value(Kind::Decimal),
            SchemaNode::Date => Outline::Value(Kind::Date),
            SchemaNode::TimeMillis | SchemaNode::TimeMicros => Outline::Value(Kind::Time),
            SchemaNode::Timestamp { .. } => Outline::Value(Kind::Timestamp),
            SchemaNode::Duration => Outline::Value(Kind::Duration),
        }
    }
}
