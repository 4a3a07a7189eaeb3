//! A schema as it is walked: a flat arena of nodes that name each other by number, so that a recursive schema is no recursive
//! structure. Made by [`compile`](super::compile), never changed after.

/// The number of a node in its arena.
pub(super) type NodeId = u32;

/// One type.
#[derive(Debug, PartialEq)]
pub(super) enum Node {
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
}

/// The items of an array, or the values of a map.
#[derive(Debug, PartialEq)]
pub(super) struct Items {
    pub(super) node: NodeId,
    /// The fewest bytes that an item takes, a map's key included.
    pub(super) min_size: u64,
    /// What an item counts towards the limit of items: 1, and more where it holds nodes that take no bytes.
    pub(super) weight: u64,
}

#[derive(Debug, PartialEq)]
pub(super) struct Record {
    pub(super) fields: Box<[Field]>,
}

#[derive(Debug, PartialEq)]
pub(super) struct Field {
    pub(super) name: Box<str>,
    /// What it is called in a document.
    pub(super) document_name: Box<str>,
    /// The name as it stands in JSON before the value: `,"name":`.
    pub(super) json: Box<[u8]>,
    pub(super) node: NodeId,
}

/// A symbol of an enum.
#[derive(Debug, PartialEq)]
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
    /// How many there are in a second.
    pub(super) fn per_second(self) -> i64 {
        match self {
            Self::Millis => 1_000,
            Self::Micros => 1_000_000,
            Self::Nanos => 1_000_000_000,
        }
    }

    /// How many digits follow the seconds.
    pub(super) fn digits(self) -> usize {
        match self {
            Self::Millis => 3,
            Self::Micros => 6,
            Self::Nanos => 9,
        }
    }
}
