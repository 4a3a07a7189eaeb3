//! What can be wrong with a datum. A new check of the reader or the walker gets a variant of [`DecodeErrorKind`] here.

use std::fmt;

/// Why bytes are not a datum of the schema: what, at which byte, in which field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// What is wrong.
    pub kind: DecodeErrorKind,
    /// Where reading failed, in bytes from the datum's first.
    pub offset: usize,
    /// The field: dots between names, `[3]` for an item, `["key"]` for a map's entry (a long key is cut; `[*]` where a
    /// rule may hide it); empty for the root.
    pub path: String,
    /// Whether it says nothing of what the datum holds: neither keys nor numbers.
    pub is_discreet: bool,
}

/// What is wrong with a datum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeErrorKind {
    /// The datum ends within a value.
    #[error("the datum ends too early: {wanted} bytes expected, {left} left")]
    Truncated {
        /// How many bytes the value takes, as far as it is known.
        wanted: u64,
        /// How many there are.
        left: usize,
    },
    /// Bytes after the datum's end.
    #[error("{count} bytes are left over after the datum")]
    TrailingBytes {
        /// How many.
        count: usize,
    },
    /// A variable-length integer of more bytes than its type has: 5 for an int, 10 for a long.
    #[error("an integer has more bytes than its type allows")]
    VarintTooLong,
    /// An int of more than 32 bits, or a long of more than 64.
    #[error("an integer is out of its type's range")]
    IntegerOutOfRange,
    /// A boolean that is neither 0 nor 1.
    #[error("a boolean is 0x{found:02x}, neither 0 nor 1")]
    NotBoolean {
        /// The byte found.
        found: u8,
    },
    /// A string that is not UTF-8.
    #[error("a string is not UTF-8")]
    NotUtf8,
    /// A length or byte size below zero.
    #[error("a length is negative: {length}")]
    NegativeLength {
        /// The length found.
        length: i64,
    },
    /// No such symbol.
    #[error("enum index {index} is out of range: the schema has {symbols} symbols")]
    EnumIndex {
        /// The index found.
        index: i32,
        /// How many symbols the enum has.
        symbols: usize,
    },
    /// No such branch.
    #[error("union index {index} is out of range: the schema has {branches} branches")]
    UnionIndex {
        /// The index found.
        index: i32,
        /// How many branches the union has.
        branches: usize,
    },
    /// An array or map block that says it has more items than the bytes left can hold.
    #[error("a block claims {count} items, more than the {left} bytes left can hold")]
    BlockCount {
        /// The items claimed.
        count: u64,
        /// The bytes left.
        left: usize,
    },
    /// An array or map block with a byte size that is not what its items take.
    #[error("a block claims {claimed} bytes, but its items take {actual}")]
    BlockSize {
        /// The size claimed.
        claimed: u64,
        /// The size its items took.
        actual: usize,
    },
    /// Over [`Limits::max_depth`](super::Limits::max_depth).
    #[error("nested deeper than the limit of {limit} levels")]
    TooDeep {
        /// The limit in force.
        limit: u16,
    },
    /// Over [`Limits::max_items`](super::Limits::max_items).
    #[error("more array items and map entries than the limit of {limit}")]
    TooManyItems {
        /// The limit in force.
        limit: u32,
    },
    /// Over [`Limits::max_values`](super::Limits::max_values).
    #[error("more values, fields included, than the limit of {limit}")]
    TooManyValues {
        /// The limit in force.
        limit: u32,
    },
    /// A map with the same key twice.
    #[error("a map has the same key twice")]
    DuplicateKey,
    /// A map's key with U+0000, which no index takes.
    #[error("a map key contains U+0000")]
    NulInKey,
    /// Keys of maps within maps, with the names of the fields of records in them, that are longer together than an index
    /// takes.
    #[error("the keys that lead to an entry have more than {limit} bytes together")]
    KeysTooLong {
        /// The limit in force.
        limit: usize,
    },
    /// Text of a `uuid` that is not 8-4-4-4-12 hexadecimal digits.
    #[error("not a UUID: expected 8-4-4-4-12 hexadecimal digits")]
    NotUuid,
    /// Bytes of a `big-decimal` that are not a length, that many bytes, and a scale.
    #[error("not a big-decimal: expected a length, that many bytes and a scale")]
    NotBigDecimal,
    /// A decimal of more digits than are ever printed.
    #[error("a decimal of {bytes} significant bytes is longer than the limit of {limit}")]
    DecimalTooLong {
        /// Its bytes without sign extension.
        bytes: usize,
        /// The limit in force.
        limit: usize,
    },
}

impl DecodeError {
    /// A short fixed word for the kind of failure, for metrics and record headers.
    pub fn code(&self) -> &'static str {
        match self.kind {
            DecodeErrorKind::Truncated { .. } => "truncated",
            DecodeErrorKind::TrailingBytes { .. } => "trailing_bytes",
            DecodeErrorKind::VarintTooLong => "varint_too_long",
            DecodeErrorKind::IntegerOutOfRange => "integer_out_of_range",
            DecodeErrorKind::NotBoolean { .. } => "not_boolean",
            DecodeErrorKind::NotUtf8 => "not_utf8",
            DecodeErrorKind::NegativeLength { .. } => "negative_length",
            DecodeErrorKind::EnumIndex { .. } => "enum_index",
            DecodeErrorKind::UnionIndex { .. } => "union_index",
            DecodeErrorKind::BlockCount { .. } => "block_count",
            DecodeErrorKind::BlockSize { .. } => "block_size",
            DecodeErrorKind::TooDeep { .. } => "too_deep",
            DecodeErrorKind::TooManyItems { .. } => "too_many_items",
            DecodeErrorKind::TooManyValues { .. } => "too_many_values",
            DecodeErrorKind::DuplicateKey => "duplicate_key",
            DecodeErrorKind::NulInKey => "nul_in_key",
            DecodeErrorKind::KeysTooLong { .. } => "keys_too_long",
            DecodeErrorKind::NotUuid => "not_uuid",
            DecodeErrorKind::NotBigDecimal => "not_big_decimal",
            DecodeErrorKind::DecimalTooLong { .. } => "decimal_too_long",
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_discreet {
            true => write!(f, "{} at byte {}", self.code(), self.offset)?,
            false => write!(f, "{} at byte {}", self.kind, self.offset)?,
        }
        if !self.path.is_empty() {
            write!(f, ", field {}", self.path)?;
        }
        Ok(())
    }
}

impl std::error::Error for DecodeError {}
