//! A compiled schema: a flat arena of nodes that refer to each other by number, so that a recursive schema is not a
//! recursive structure. Created by [`compile`](super::compile) and [`plan`](super::plan), and never changed afterwards.

use super::hide::Hide;
use super::member::Member;

/// The number of a node in its arena.
pub(super) type NodeId = u32;

/// A type.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum SchemaNode {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Fixed {
        size: usize,
    },
    Enum(Box<[Symbol]>),
    Array(Items),
    Map(Items),
    Union(Box<[NodeId]>),
    /// A union of null and one other type, as most unions are.
    Nullable {
        /// The index of null: 0 or 1.
        null: i32,
        other: NodeId,
    },
    Record(Record),
    Decimal {
        /// The size of the fixed, or `None` for bytes.
        size: Option<usize>,
        scale: u16,
    },
    BigDecimal,
    UuidText,
    UuidFixed,
    Date,
    TimeMillis,
    TimeMicros,
    Timestamp {
        unit: Unit,
        /// Whether the time is UTC; otherwise it is local time in an unknown zone.
        utc: bool,
    },
    Duration,
    /// A value that a rule hides. It is read as usual, and replaced when written.
    Hidden {
        inner: NodeId,
        how: Hide,
    },
    /// A map with entries that are written differently.
    Keyed(Box<Keyed>),
}

impl SchemaNode {
    /// Returns the type of the part with this `index`: a field, an item, or a branch that is not null. Returns `None`
    /// beyond the last.
    pub(super) fn part(&self, index: usize) -> Option<NodeId> {
        match self {
            Self::Array(Items { node: only, .. }) | Self::Map(Items { node: only, .. }) => {
                (index == 0).then_some(*only)
            }
            Self::Nullable { other: only, .. } | Self::Hidden { inner: only, .. } => (index == 0).then_some(*only),
            Self::Keyed(keyed) => (index == 0).then_some(keyed.items.node),
            Self::Union(branches) => branches.get(index).copied(),
            Self::Record(record) => record.fields.get(index).map(|field| field.node),
            _ => None,
        }
    }

    /// Returns approximately how many bytes it takes in memory.
    pub(super) fn bytes(&self) -> usize {
        /// The approximate overhead of an allocation.
        const ALLOCATION_OVERHEAD: usize = 16;
        let parts = match self {
            Self::Union(branches) => ALLOCATION_OVERHEAD + size_of_val::<[NodeId]>(branches),
            Self::Enum(symbols) => {
                let texts =
                    symbols.iter().map(|symbol| symbol.name.len() + symbol.json.len() + 2 * ALLOCATION_OVERHEAD);
                size_of_val::<[Symbol]>(symbols) + texts.sum::<usize>()
            }
            Self::Record(record) => {
                let texts = |field: &Field| {
                    field.name.len() + field.document_name.len() + field.member.json().len() + 3 * ALLOCATION_OVERHEAD
                };
                record.name.len()
                    + size_of_val::<[Field]>(&record.fields)
                    + record.fields.iter().map(texts).sum::<usize>()
            }
            Self::Keyed(keyed) => {
                let texts = keyed.entries.iter().map(|entry| entry.key.len() + ALLOCATION_OVERHEAD).sum::<usize>();
                size_of::<Keyed>() + size_of_val::<[Entry]>(&keyed.entries) + texts
            }
            _ => 0,
        };
        size_of::<Self>() + parts
    }
}

/// The items of an array, or the values of a map.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Items {
    pub(super) node: NodeId,
    /// The fewest bytes of an item, including the key of a map entry.
    pub(super) min_size: u64,
    /// How much an item counts towards the limit on items: 1, or more if it holds nodes that take no bytes.
    pub(super) weight: u64,
}

/// A map with rules for its entries.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Keyed {
    /// The values as they are read; their type is for entries without a rule of their own.
    pub(super) items: Items,
    /// Whether the entries without a rule of their own are omitted.
    pub(super) is_dropped: bool,
    /// The entries with a rule of their own, by key.
    pub(super) entries: Box<[Entry]>,
}

/// The entry of one key.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) key: Box<str>,
    pub(super) node: NodeId,
    /// Whether the entry is omitted.
    pub(super) is_dropped: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Record {
    /// Its name with its namespace.
    pub(super) name: Box<str>,
    pub(super) fields: Box<[Field]>,
    /// The number of the first field that is written, without a comma before it.
    pub(super) first: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    pub(super) name: Box<str>,
    /// The name in a document.
    pub(super) document_name: Box<str>,
    /// The JSON before the value. Empty if the field is omitted from documents.
    pub(super) member: Member,
    pub(super) node: NodeId,
    /// How much the field counts towards the limit on values, whatever its document name.
    pub(super) cost: u32,
}

impl Field {
    /// Returns whether the field is omitted from documents.
    pub(super) fn is_dropped(&self) -> bool {
        self.member.json().is_empty()
    }
}

/// A symbol of an enum.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Symbol {
    pub(super) name: Box<str>,
    /// The symbol as a JSON string, with its quotes.
    pub(super) json: Box<[u8]>,
}

/// The unit of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Millis,
    Micros,
    Nanos,
}

impl Unit {
    /// Returns the number of units per second.
    pub(super) fn per_second(self) -> i64 {
        match self {
            Self::Millis => 1_000,
            Self::Micros => 1_000_000,
            Self::Nanos => 1_000_000_000,
        }
    }

    /// Returns the number of digits after the seconds.
    pub(super) fn digits(self) -> usize {
        match self {
            Self::Millis => 3,
            Self::Micros => 6,
            Self::Nanos => 9,
        }
    }
}
