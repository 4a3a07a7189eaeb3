//! Object container files ("Object Container Files" in the Avro specification 1.12): a header with the writer schema,
//! then blocks of datums. This module splits a file into its blocks, without decompressing or copying.
//!
//! A file may end after any block, so a file cut off exactly there cannot be detected.

use std::fmt;

use super::fault::DecodeFailure;
use super::reader::Reader;

/// The first bytes of a file.
pub const CONTAINER_MAGIC: [u8; 4] = *b"Obj\x01";

/// The most entries that a header may have. The specification defines two; writers add a few of their own.
const MAX_ENTRIES: usize = 1_000;

/// The most bytes of a header's schema: far more than the largest in use, yet few enough to be compiled within the time
/// of a request.
const MAX_SCHEMA: usize = 256 * 1024;

/// Reads a file block by block.
#[derive(Clone, Debug)]
pub struct Container<'a> {
    schema: &'a str,
    codec: &'a str,
    sync: [u8; SYNC_LEN],
    reader: Reader<'a>,
}

/// The length of the marker after the header and after each block.
const SYNC_LEN: usize = 16;

/// A block as stored in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// The number of datums.
    pub count: u64,
    /// The datums, compressed by the file's codec.
    pub data: &'a [u8],
    /// The position of `data` in the file, in bytes.
    pub offset: usize,
}

/// Says why bytes are not an object container file, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContainerError {
    /// What is wrong.
    pub kind: ContainerErrorKind,
    /// The position in the file, in bytes.
    pub offset: usize,
}

/// What is wrong with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContainerErrorKind {
    /// It does not begin with [`CONTAINER_MAGIC`].
    #[error("the file does not begin with Obj and 0x01")]
    Magic,
    /// The header ends too early or is not a map.
    #[error("the header is not a map of bytes and a sync marker, or is truncated")]
    Header,
    /// The header has more entries than any writer makes.
    #[error("the header has more than {MAX_ENTRIES} entries")]
    Entries,
    /// The header has no `avro.schema`, several, or one that is not UTF-8.
    #[error("the header needs one avro.schema, in UTF-8")]
    Schema,
    /// The header's schema is too long.
    #[error("the header's schema has more than {MAX_SCHEMA} bytes")]
    SchemaTooLong,
    /// The header has several `avro.codec`, or one that is not UTF-8.
    #[error("the header may have one avro.codec, in UTF-8")]
    Codec,
    /// A block's count or size is not a number, negative, or larger than the rest of the file.
    #[error("a block's count or size is wrong, or the block is truncated")]
    Block,
    /// The marker after a block differs from the header's.
    #[error("the sync marker after a block differs from the header's")]
    Sync,
}

impl<'a> Container<'a> {
    /// Reads the header of `file`.
    ///
    /// # Errors
    /// [`ContainerError`].
    pub fn open(file: &'a [u8]) -> Result<Self, ContainerError> {
        if !file.starts_with(&CONTAINER_MAGIC) {
            return Err(ContainerError { kind: ContainerErrorKind::Magic, offset: 0 });
        }
        let mut reader = Reader::new(file, CONTAINER_MAGIC.len());
        let Header { schema, codec, sync } = Header::read(&mut reader)?;
        let at = |kind| ContainerError { kind, offset: reader.position() };
        let schema = schema.ok_or(at(ContainerErrorKind::Schema))?;
        if schema.len() > MAX_SCHEMA {
            return Err(at(ContainerErrorKind::SchemaTooLong));
        }
        let schema = std::str::from_utf8(schema).map_err(|_| at(ContainerErrorKind::Schema))?;
        let codec = std::str::from_utf8(codec.unwrap_or(b"null")).map_err(|_| at(ContainerErrorKind::Codec))?;
        Ok(Self { schema, codec, sync, reader })
    }

    /// Returns the text of the writer schema.
    pub fn schema(&self) -> &'a str {
        self.schema
    }

    /// Returns the codec of the blocks; `null` if the header has none.
    pub fn codec(&self) -> &'a str {
        self.codec
    }

    /// Returns the next block, or `None` at the end of the file.
    ///
    /// # Errors
    /// [`ContainerError`].
    pub fn next_block(&mut self) -> Result<Option<Block<'a>>, ContainerError> {
        if self.reader.left() == 0 {
            return Ok(None);
        }
        let start = self.reader.position();
        let failed = |_: DecodeFailure| ContainerError { kind: ContainerErrorKind::Block, offset: start };
        let count = self.reader.length().map_err(failed)?;
        let data = self.reader.bytes().map_err(failed)?;
        let offset = self.reader.position() - data.len();
        let end = self.reader.position();
        let sync: [u8; SYNC_LEN] = self.reader.array().map_err(failed)?;
        if sync != self.sync {
            return Err(ContainerError { kind: ContainerErrorKind::Sync, offset: end });
        }
        Ok(Some(Block { count, data, offset }))
    }
}

/// The relevant entries of a header.
struct Header<'a> {
    schema: Option<&'a [u8]>,
    codec: Option<&'a [u8]>,
    sync: [u8; SYNC_LEN],
}

impl<'a> Header<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, ContainerError> {
        let mut header = Self { schema: None, codec: None, sync: [0; SYNC_LEN] };
        let mut entries = 0;
        loop {
            let start = reader.position();
            let failed = |_: DecodeFailure| ContainerError { kind: ContainerErrorKind::Header, offset: start };
            // The optional size of a block only matters to readers that skip it.
            let (count, _) = reader.block().map_err(failed)?;
            if count == 0 {
                header.sync = reader.array().map_err(failed)?;
                return Ok(header);
            }
            for _ in 0..count {
                entries += 1;
                if entries > MAX_ENTRIES {
                    return Err(ContainerError { kind: ContainerErrorKind::Entries, offset: start });
                }
                let (key, value) = (reader.bytes().map_err(failed)?, reader.bytes().map_err(failed)?);
                header.entry(key, value).map_err(|kind| ContainerError { kind, offset: start })?;
            }
        }
    }

    fn entry(&mut self, key: &[u8], value: &'a [u8]) -> Result<(), ContainerErrorKind> {
        match key {
            b"avro.schema" if self.schema.replace(value).is_some() => Err(ContainerErrorKind::Schema),
            b"avro.codec" if self.codec.replace(value).is_some() => Err(ContainerErrorKind::Codec),
            _ => Ok(()),
        }
    }
}

impl ContainerErrorKind {
    /// Returns a short fixed word for the kind of failure, for metrics and record headers.
    pub fn code(self) -> &'static str {
        match self {
            Self::Magic => "container_magic",
            Self::Header | Self::Entries => "container_header",
            Self::Schema | Self::SchemaTooLong => "container_schema",
            Self::Codec => "container_codec",
            Self::Block => "container_block",
            Self::Sync => "container_sync",
        }
    }
}

impl fmt::Display for ContainerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.kind, self.offset)
    }
}

impl std::error::Error for ContainerError {}
