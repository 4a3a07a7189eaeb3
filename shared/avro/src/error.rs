//! Errors in a datum. A new check of the reader or the walker gets a variant of [`DecodeErrorKind`].

use std::fmt;

/// Says why bytes are not a datum of the schema: what is wrong, at which byte, in which field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// What is wrong.
    pub kind: DecodeErrorKind,
    /// The byte where reading failed, counted from the beginning of the datum.
    pub offset: usize,
    /// The field: names separated by dots, `[3]` for an item, `["key"]` for an entry of a map (a long key is cut; `[*]`
    /// if a rule may hide it). Empty for the root.
    pub path: String,
    /// Whether the error hides the contents of the datum: keys and numbers.
    pub is_discreet: bool,
}

/// What is wrong with a datum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeErrorKind {
    /// The datum ends within a value.
    #[error("the datum ends too early: {wanted} bytes expected, {left} left")]
    Truncated {
        /// How many bytes the value takes, as far as known.
        wanted: u64,
        /// How many bytes are left.
        left: usize,
    },
    /// Bytes after the datum's end.
    #[error("{count} bytes are left over after the datum")]
    TrailingBytes {
        /// The number of bytes.
        count: usize,
    },
    /// A variable-length integer with more bytes than its type allows: 5 for an int, 10 for a long.
    #[error("an integer has more bytes than its type allows")]
    VarintTooLong,
    /// An int with more than 32 bits, or a long with more than 64.
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
    /// An index beyond the symbols of an enum.
    #[error("enum index {index} is out of range: the schema has {symbols} symbols")]
    EnumIndex {
        /// The index.
        index: i32,
        /// The number of symbols.
        symbols: usize,
    },
    /// An index beyond the branches of a union.
    #[error("union index {index} is out of range: the schema has {branches} branches")]
    UnionIndex {
        /// The index.
        index: i32,
        /// The number of branches.
        branches: usize,
    },
    /// An array or map block that claims more items than the remaining bytes can hold.
    #[error("a block claims {count} items, more than the {left} bytes left can hold")]
    BlockCount {
        /// The claimed number of items.
        count: u64,
        /// The remaining bytes.
        left: usize,
    },
    /// An array or map block whose byte size does not match its items.
    #[error("a block claims {claimed} bytes, but its items take {actual}")]
    BlockSize {
        /// The claimed size.
        claimed: u64,
        /// The actual size of the items.
        actual: usize,
    },
    /// More levels than [`Limits::max_depth`](super::Limits::max_depth).
    #[error("nested deeper than the limit of {limit} levels")]
    TooDeep {
        /// The limit in force.
        limit: u16,
    },
    /// More items than [`Limits::max_items`](super::Limits::max_items).
    #[error("more array items and map entries than the limit of {limit}")]
    TooManyItems {
        /// The limit in force.
        limit: u32,
    },
    /// More values than [`Limits::max_values`](super::Limits::max_values).
    #[error("more values, fields included, than the limit of {limit}")]
    TooManyValues {
        /// The limit in force.
        limit: u32,
    },
    /// A map with the same key twice.
    #[error("a map has the same key twice")]
    DuplicateKey,
    /// A map key with U+0000, which no index accepts.
    #[error("a map key contains U+0000")]
    NulInKey,
    /// Keys of nested maps, including field names of records in them, whose total length exceeds what an index accepts.
    #[error("the keys that lead to an entry have more than {limit} bytes together")]
    KeysTooLong {
        /// The limit in force.
        limit: usize,
    },
    /// Text of a `uuid` that does not consist of 8-4-4-4-12 hexadecimal digits.
    #[error("not a UUID: expected 8-4-4-4-12 hexadecimal digits")]
    NotUuid,
    /// Bytes of a `big-decimal` that are not a length, that many bytes, and a scale.
    #[error("not a big-decimal: expected a length, that many bytes and a scale")]
    NotBigDecimal,
    /// A decimal with more digits than are ever printed.
    #[error("a decimal of {bytes} significant bytes is longer than the limit of {limit}")]
    DecimalTooLong {
        /// Its bytes without sign extension.
        bytes: usize,
        /// The limit in force.
        limit: usize,
    },
}

impl DecodeError {
    /// Returns a short fixed word for the kind of failure, for metrics and record headers.
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
