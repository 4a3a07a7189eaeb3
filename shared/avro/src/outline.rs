//! The outline of a schema's documents, from which mappings are made. The table of field types is here, and the
//! printing of values in `json`: change both together with `docs/document-rules.md`.

use super::Schema;
use super::json::{Decimals, JsonRules};
use super::node::{NodeId, SchemaNode};

/// One type of a schema.
#[derive(Clone, Copy, Debug)]
pub struct TypeRef<'s> {
    schema: &'s Schema,
    node: NodeId,
}

/// The shape of a value in a document.
#[derive(Debug)]
pub enum Outline<'s> {
    /// Always null.
    Null,
    /// A value without parts, or with fixed parts.
    Value(Kind),
    /// A list.
    Array(TypeRef<'s>),
    /// An object with arbitrary names.
    Map(TypeRef<'s>),
    /// An object with these names.
    Record(Vec<(&'s str, TypeRef<'s>)>),
    /// One of several types, or null. Null and one other type form a union of that one type.
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
    /// `double` for numbers that may exceed its range: those are in the document, but cannot be searched for.
    WideDouble,
    /// `keyword`.
    Keyword,
    /// `binary`.
    Binary,
    /// `date`, in milliseconds; smaller parts are only in the document.
    Date,
    /// An object with the numbers `months`, `days` and `milliseconds`.
    Duration,
}

impl Kind {
    /// Returns the field type for values of this kind, as `rules` write them.
    pub fn field_type(self, rules: JsonRules) -> FieldType {
        match self {
            Self::Boolean => FieldType::Boolean,
            Self::Int => FieldType::Integer,
            Self::Long => FieldType::Long,
            Self::Float => FieldType::Float,
            Self::Double => FieldType::Double,
            Self::Bytes => FieldType::Binary,
            Self::Decimal if rules.decimals == Decimals::Number => FieldType::WideDouble,
            // A time of day is text of fixed width, so that ranges work; a decimal stays exact.
            Self::Text | Self::Symbol | Self::Uuid | Self::Decimal | Self::Time => FieldType::Keyword,
            // Text or a number, depending on the rules: `date` accepts both. `date_nanos` would refuse times before
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
    /// Returns a number that is unique within the schema: a record that contains itself returns under the same number.
    pub fn id(self) -> u32 {
        self.node
    }

    /// Returns whether its values are records.
    pub fn is_record(self) -> bool {
        matches!(self.schema.nodes.get(self.node as usize), Some(SchemaNode::Record(_)))
    }

    /// Returns the types of its values that are not null: the branches of a union, or the type itself.
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

    /// Returns the shape of its values.
    pub fn outline(self) -> Outline<'s> {
        let of = |node: NodeId| TypeRef { schema: self.schema, node };
        match self.schema.nodes.get(self.node as usize).unwrap_or(&SchemaNode::Null) {
            SchemaNode::Null => Outline::Null,
            SchemaNode::Array(items) => Outline::Array(of(items.node)),
            SchemaNode::Map(items) => Outline::Map(of(items.node)),
            SchemaNode::Keyed(keyed) => Outline::Map(of(keyed.items.node)),
            // The replacement of a hidden value is text.
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
