//! A schema as it is walked: a flat arena of nodes that name each other by number, so that a recursive schema is no
//! recursive structure. Made by [`compile`](super::compile) and [`plan`](super::plan), never changed after.

use super::hide::Hide;

/// The number of a node in its arena.
pub(super) type NodeId = u32;

/// One type.
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
    /// A union of null and one other type, which most unions are.
    Nullable {
        /// The index of null: 0 or 1.
        null: i32,
        other: NodeId,
    },
    Record(Record),
    Decimal {
        /// The size of the fixed, or none for bytes.
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
        /// UTC; otherwise local time of an unnamed place.
        utc: bool,
    },
    Duration,
    /// A value that a rule hides. It is read as ever, and something else stands in its place.
    Hidden {
        inner: NodeId,
        how: Hide,
    },
    /// A map of which some entries are written in another way than the rest.
    Keyed(Box<Keyed>),
}

impl SchemaNode {
    /// Returns the type of the part `index` of its values: of a field, an item, a branch that is not null. None beyond
    /// the last.
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

    /// Returns the bytes that it takes in memory, about.
    pub(super) fn bytes(&self) -> usize {
        /// What an allocation takes beyond what is asked for, about.
        const EACH: usize = 16;
        let parts = match self {
            Self::Union(branches) => EACH + size_of_val::<[NodeId]>(branches),
            Self::Enum(symbols) => {
                let texts = symbols.iter().map(|symbol| symbol.name.len() + symbol.json.len() + 2 * EACH);
                size_of_val::<[Symbol]>(symbols) + texts.sum::<usize>()
            }
            Self::Record(record) => {
                let texts = |field: &Field| field.name.len() + field.document_name.len() + field.json.len() + 3 * EACH;
                record.name.len()
                    + size_of_val::<[Field]>(&record.fields)
                    + record.fields.iter().map(texts).sum::<usize>()
            }
            Self::Keyed(keyed) => {
                let texts = keyed.entries.iter().map(|entry| entry.key.len() + EACH).sum::<usize>();
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
    /// The fewest bytes that an item takes, a map's key included.
    pub(super) min_size: u64,
    /// What an item counts towards the limit of items: 1, and more where it holds nodes that take no bytes.
    pub(super) weight: u64,
}

/// A map with rules for its entries.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Keyed {
    /// The values as they are read; their type is that of the entries that no key names.
    pub(super) items: Items,
    /// Whether those entries are left out.
    pub(super) is_dropped: bool,
    /// The entries that have rules of their own, by key.
    pub(super) entries: Box<[Entry]>,
}

/// The entry of one key.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) key: Box<str>,
    pub(super) node: NodeId,
    /// Whether it is left out.
    pub(super) is_dropped: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Record {
    /// Its name with its namespace.
    pub(super) name: Box<str>,
    pub(super) fields: Box<[Field]>,
    /// The number of the first field that is written: before it stands no comma.
    pub(super) first: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    pub(super) name: Box<str>,
    /// What it is called in a document.
    pub(super) document_name: Box<str>,
    /// The name as it stands in JSON before the value: `,"name":`. Empty where the field is left out of documents.
    pub(super) json: Box<[u8]>,
    pub(super) node: NodeId,
    /// What it counts towards the limit of values, whatever a document calls it.
    pub(super) cost: u32,
}

impl Field {
    /// Returns whether it is left out of documents.
    pub(super) fn is_dropped(&self) -> bool {
        self.json.is_empty()
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
    /// Returns how many there are in a second.
    pub(super) fn per_second(self) -> i64 {
        match self {
            Self::Millis => 1_000,
            Self::Micros => 1_000_000,
            Self::Nanos => 1_000_000_000,
        }
    }

    /// Returns how many digits follow the seconds.
    pub(super) fn digits(self) -> usize {
        match self {
            Self::Millis => 3,
            Self::Micros => 6,
            Self::Nanos => 9,
        }
    }
}
