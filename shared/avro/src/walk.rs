//! The walk over a datum, shared by checking and JSON: [`write_members`](super::write_members) can write whatever
//! [`validate`](super::validate) accepts.
//!
//! A new type is read here and passed to the [`Sink`] as a [`Scalar`]; the sink decides how to print it.

use super::Limits;
use super::decimal;
use super::error::DecodeErrorKind as Kind;
use super::fault::{DecodeFailure, Fault};
use super::hide::Hide;
use super::node::{NodeId, SchemaNode, Symbol, Unit};
use super::reader::Reader;
use super::sink::{Scalar, Sink};
use super::uuid::{self, Uuids};
use super::way::{WANTED, Way};

mod blocks;

/// The deepest nesting, whatever the limits say: each level takes some of the thread's stack.
const MAX_DEPTH: u16 = 200;

/// The state of a walk.
#[derive(Debug)]
pub(super) struct Walk<'s, 'a, S> {
    nodes: &'s [SchemaNode],
    reader: Reader<'a>,
    sink: S,
    limits: Limits,
    depth: u16,
    items: u64,
    /// The total length of the keys of the surrounding maps, including field names of records in them; 0 outside of
    /// maps.
    keys: usize,
    /// How many more values are allowed.
    values: u64,
    found: [Option<FieldPosition>; WANTED],
    uuids: Uuids,
    /// How many texts of a uuid are not UUIDs.
    pub(super) odd_uuids: u32,
}

/// The position of a field that was met.
#[derive(Clone, Copy, Debug)]
pub(super) struct FieldPosition {
    /// Its first byte.
    pub(super) position: usize,
    /// Its type.
    pub(super) node: NodeId,
}

impl<'s, 'a, S: Sink<'a>> Walk<'s, 'a, S> {
    /// Creates a walk over the bytes of `reader`.
    pub(super) fn new(nodes: &'s [SchemaNode], reader: Reader<'a>, limits: Limits, sink: S) -> Self {
        let limits = Limits { max_depth: limits.max_depth.min(MAX_DEPTH), ..limits };
        let values = u64::from(limits.max_values);
        let uuids = Uuids::Any;
        Self {
            nodes,
            reader,
            sink,
            limits,
            depth: 0,
            items: 0,
            keys: 0,
            values,
            found: [None; WANTED],
            uuids,
            odd_uuids: 0,
        }
    }

    /// Returns the walk with `uuids` deciding about text that is not a UUID.
    pub(super) fn with_uuids(self, uuids: Uuids) -> Self {
        Self { uuids, ..self }
    }

    /// Walks one whole datum. Returns the position of the field at the path `wanted`, if the walk reached it.
    pub(super) fn datum(
        &mut self,
        root: NodeId,
        wanted: Option<&'s Way>,
    ) -> Result<Option<FieldPosition>, DecodeFailure> {
        self.value(root, wanted)?;
        self.end().map(|[first, _]| first)
    }

    /// Works like [`Self::datum`], but passes a record, or a union's record, to the sink without its braces, any other
    /// value as the member `value`, and no null of a union with records. Returns the positions of both fields.
    pub(super) fn members(
        &mut self,
        root: NodeId,
        wanted: Option<&'s Way>,
    ) -> Result<[Option<FieldPosition>; WANTED], DecodeFailure> {
        let nodes = self.nodes;
        let (id, wanted) = match &nodes[root as usize] {
            SchemaNode::Union(branches) if is_record(nodes, branches) => {
                let number = self.branch(branches)?;
                (branches[number], wanted.and_then(|way| way.on_from_branch(number)))
            }
            SchemaNode::Nullable { null, other } if is_record(nodes, &[*other]) => match self.is_null(*null)? {
                true => return self.end(),
                false => (*other, wanted),
            },
            _ => (root, wanted),
        };
        match &nodes[id as usize] {
            SchemaNode::Record(record) => {
                self.enter()?;
                let has_members = self.sink.root(record);
                self.fields(record, has_members, wanted)?;
            }
            SchemaNode::Null if id != root => {}
            _ => {
                self.sink.raw(b"\"value\":");
                self.value(id, None)?;
            }
        }
        self.end()
    }

    fn end(&self) -> Result<[Option<FieldPosition>; WANTED], DecodeFailure> {
        self.reader.finish()?;
        Ok(self.found)
    }

    /// Walks one value. `wanted` is the way from it to the wanted field, if it leads through this value.
    #[inline]
    pub(super) fn value(&mut self, id: NodeId, wanted: Option<&'s Way>) -> Result<(), DecodeFailure> {
        let nodes = self.nodes;
        match &nodes[id as usize] {
            // Most values are strings, and entering `other` takes as long as copying a short one.
            SchemaNode::String => self.text_apart(),
            node => self.other(node, wanted),
        }
    }

    /// Walks a value, which is rarely a string.
    fn other(&mut self, node: &'s SchemaNode, wanted: Option<&'s Way>) -> Result<(), DecodeFailure> {
        let scalar = match node {
            SchemaNode::String => return self.text(),
            SchemaNode::Record(record) => return self.record(record, wanted),
            SchemaNode::Nullable { null, other } => return self.nullable(*null, *other, wanted),
            SchemaNode::Union(branches) => return self.union(branches, wanted),
            SchemaNode::Array(items) => return self.array(items),
            SchemaNode::Map(items) => return self.map(items),
            SchemaNode::Hidden { inner, how } => return self.hidden(*inner, how, wanted),
            SchemaNode::Keyed(keyed) => return self.keyed(keyed),
            SchemaNode::Enum(symbols) => return self.symbol(symbols),
            SchemaNode::Null => Scalar::Null,
            SchemaNode::Boolean => Scalar::Boolean(self.reader.boolean()?),
            SchemaNode::Int => Scalar::Int(self.reader.int()?),
            SchemaNode::Long => Scalar::Long(self.reader.long()?),
            SchemaNode::Float => Scalar::Float(f32::from_le_bytes(self.reader.array()?)),
            SchemaNode::Double => Scalar::Double(f64::from_le_bytes(self.reader.array()?)),
            SchemaNode::Bytes => Scalar::Bytes(self.reader.bytes()?),
            SchemaNode::Fixed { size } => Scalar::Bytes(self.reader.take(*size)?),
            SchemaNode::Decimal { size, scale } => decimal::read(&mut self.reader, *size, *scale)?,
            SchemaNode::BigDecimal => decimal::read_big(&mut self.reader)?,
            SchemaNode::UuidText => uuid::read(&mut self.reader, self.uuids, &mut self.odd_uuids)?,
            SchemaNode::UuidFixed => Scalar::Uuid(self.reader.array()?),
            SchemaNode::Date => Scalar::Date(self.reader.int()?),
            SchemaNode::TimeMillis => Scalar::Time(self.reader.int()?.into(), Unit::Millis),
            SchemaNode::TimeMicros => Scalar::Time(self.reader.long()?, Unit::Micros),
            SchemaNode::Timestamp { unit, utc } => Scalar::Timestamp(self.reader.long()?, *unit, *utc),
            SchemaNode::Duration => Scalar::Duration(self.reader.array()?),
        };
        self.hand_over(scalar);
        Ok(())
    }

    #[inline]
    fn hand_over(&mut self, scalar: Scalar<'a>) {
        if self.keys == 0 {
            self.sink.scalar(scalar);
        } else {
            self.sink.in_map(scalar);
        }
    }

    /// Walks a value that will be replaced. Not inlined, since most values are not.
    #[inline(never)]
    fn hidden(&mut self, inner: NodeId, how: &Hide, wanted: Option<&'s Way>) -> Result<(), DecodeFailure> {
        let mark = self.sink.mark();
        self.value(inner, wanted)?;
        self.sink.hide(mark, how);
        Ok(())
    }

    /// Counts a field with this cost.
    fn spend(&mut self, cost: u32) -> Result<(), DecodeFailure> {
        match self.values.checked_sub(u64::from(cost)) {
            Some(left) => {
                self.values = left;
                Ok(())
            }
            None => Err(self.reader.fault(Kind::TooManyValues { limit: self.limits.max_values })),
        }
    }

    fn enter(&mut self) -> Result<(), DecodeFailure> {
        if self.depth == self.limits.max_depth {
            return Err(self.reader.fault(Kind::TooDeep { limit: self.limits.max_depth }));
        }
        self.depth += 1;
        Ok(())
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }

    fn nullable(&mut self, null: i32, other: NodeId, wanted: Option<&'s Way>) -> Result<(), DecodeFailure> {
        if self.is_null(null)? {
            self.sink.scalar(Scalar::Null);
            return Ok(());
        }
        self.value(other, wanted)
    }

    fn is_null(&mut self, null: i32) -> Result<bool, DecodeFailure> {
        let start = self.reader.position();
        let index = self.reader.int()?;
        if index != null && index != 1 - null {
            return Err(Fault::new(Kind::UnionIndex { index, branches: 2 }, start));
        }
        Ok(index == null)
    }

    fn union(&mut self, branches: &'s [NodeId], wanted: Option<&'s Way>) -> Result<(), DecodeFailure> {
        let number = self.branch(branches)?;
        self.value(branches[number], wanted.and_then(|way| way.on_from_branch(number)))
    }

    /// Returns the number of the union branch that follows.
    fn branch(&mut self, branches: &[NodeId]) -> Result<usize, DecodeFailure> {
        let start = self.reader.position();
        let index = self.reader.int()?;
        match usize::try_from(index) {
            Ok(number) if number < branches.len() => Ok(number),
            _ => Err(Fault::new(Kind::UnionIndex { index, branches: branches.len() }, start)),
        }
    }

    fn symbol(&mut self, symbols: &'s [Symbol]) -> Result<(), DecodeFailure> {
        let start = self.reader.position();
        let index = self.reader.int()?;
        let Some(symbol) = usize::try_from(index).ok().and_then(|index| symbols.get(index)) else {
            return Err(Fault::new(Kind::EnumIndex { index, symbols: symbols.len() }, start));
        };
        self.sink.symbol(symbol);
        Ok(())
    }

    /// Returns the position that the walk has reached.
    pub(super) fn position(&self) -> usize {
        self.reader.position()
    }

    /// Returns the position of the wanted field, once the walk has reached it.
    pub(super) fn found(&self) -> Option<FieldPosition> {
        self.found[0]
    }

    /// Returns the sink after the walk.
    pub(super) fn into_sink(self) -> S {
        self.sink
    }
}

/// Returns whether one of a union's branches is a record.
fn is_record(nodes: &[SchemaNode], branches: &[NodeId]) -> bool {
    branches.iter().any(|branch| matches!(nodes[*branch as usize], SchemaNode::Record(_)))
}
