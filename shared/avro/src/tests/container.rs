//! What a header may have, and how a file is split into its blocks. Whole files are read by the receiver's tests.

use super::{counted, long};
use crate::{Block, CONTAINER_MAGIC, Container, ContainerError, ContainerErrorKind};

/// Bytes of a header's schema, at most.
const MAX_SCHEMA: usize = 256 * 1024;

/// The smallest header that is valid.
const SCHEMA: (&[u8], &[u8]) = (b"avro.schema", b"\"int\"");

/// Returns a file with these entries in its header, and with blocks of a count and data.
fn file(entries: &[(&[u8], &[u8])], blocks: &[(i64, &[u8])]) -> Vec<u8> {
    let mut file = CONTAINER_MAGIC.to_vec();
    if !entries.is_empty() {
        file.extend(long(entries.len() as i64));
    }
    for (key, value) in entries {
        file.extend([counted(key), counted(value)].concat());
    }
    file.push(0);
    file.extend([7; 16]);
    for (count, data) in blocks {
        file.extend([long(*count), counted(data), vec![7; 16]].concat());
    }
    file
}

/// Returns what is wrong with a header of these entries.
fn refused(entries: &[(&[u8], &[u8])]) -> ContainerErrorKind {
    Container::open(&file(entries, &[])).unwrap_err().kind
}

#[test]
fn a_schema_has_a_longest_text() {
    let with = |length: usize| file(&[(b"avro.schema", &vec![b' '; length])], &[]);
    assert_eq!(Container::open(&with(MAX_SCHEMA)).unwrap().schema().len(), MAX_SCHEMA);
    let refused = Container::open(&with(MAX_SCHEMA + 1)).unwrap_err();
    assert_eq!(refused.kind, ContainerErrorKind::SchemaTooLong);
}

#[test]
fn a_file_is_split_into_its_blocks() {
    let header: [(&[u8], &[u8]); 3] = [SCHEMA, (b"avro.codec", b"deflate"), (b"anything", b"\xff")];
    let blocks: [(i64, &[u8]); 2] = [(2, b"ab"), (1, b"")];
    let file = file(&header, &blocks);
    let mut container = Container::open(&file).unwrap();
    assert_eq!((container.schema(), container.codec()), ("\"int\"", "deflate"));
    // The last block takes 18 bytes, the first one 20.
    let [first, last] = [file.len() - 38, file.len() - 18].map(|begin| begin + 2);
    assert_eq!(container.next_block().unwrap(), Some(Block { count: 2, data: b"ab", offset: first }));
    assert_eq!(container.next_block().unwrap(), Some(Block { count: 1, data: b"", offset: last }));
    assert_eq!(container.next_block().unwrap(), None);
}

#[test]
fn the_codec_may_be_absent_and_the_header_in_blocks() {
    assert_eq!(Container::open(&file(&[SCHEMA], &[])).unwrap().codec(), "null");
    let schema = [counted(SCHEMA.0), counted(SCHEMA.1)].concat();
    let codec = [counted(b"avro.codec"), counted(b"snappy")].concat();
    let header = [long(-1), long(schema.len() as i64), schema, long(1), codec, long(0), vec![7; 16]].concat();
    let file = [&CONTAINER_MAGIC[..], &header].concat();
    assert_eq!(Container::open(&file).unwrap().codec(), "snappy");
}

#[test]
fn a_header_has_one_schema_at_most_one_codec_and_few_entries() {
    let codec: (&[u8], &[u8]) = (b"avro.codec", b"null");
    assert_eq!(refused(&[]), ContainerErrorKind::Schema);
    assert_eq!(refused(&[SCHEMA, SCHEMA]), ContainerErrorKind::Schema);
    assert_eq!(refused(&[(b"avro.schema", b"\xff")]), ContainerErrorKind::Schema);
    assert_eq!(refused(&[SCHEMA, codec, codec]), ContainerErrorKind::Codec);
    assert_eq!(refused(&[SCHEMA, (b"avro.codec", b"\xff")]), ContainerErrorKind::Codec);
    let other = (&b"k"[..], &b""[..]);
    let mut entries = vec![other; 999];
    entries.push(SCHEMA);
    assert!(Container::open(&file(&entries, &[])).is_ok());
    entries.push(other);
    assert_eq!(refused(&entries), ContainerErrorKind::Entries);
}

#[test]
fn a_header_that_is_cut_off_is_refused() {
    let file = file(&[SCHEMA], &[]);
    for len in 0..file.len() {
        let kind = if len < CONTAINER_MAGIC.len() { ContainerErrorKind::Magic } else { ContainerErrorKind::Header };
        assert_eq!(Container::open(&file[..len]).unwrap_err().kind, kind, "cut off at {len}");
    }
}

#[test]
fn a_wrong_block_is_refused_with_its_position() {
    let header = file(&[SCHEMA], &[]);
    let error = |block: &[u8]| {
        let file = [&header[..], block].concat();
        Container::open(&file).unwrap().next_block().unwrap_err()
    };
    let offset = header.len();
    for block in [&[1][..], &[2, 1], &[2, 4, b'a'], &[2, 2, b'a', 7, 7]] {
        assert_eq!(error(block), ContainerError { kind: ContainerErrorKind::Block, offset }, "{block:?}");
    }
    let marker = [&[2, 2, b'a'][..], &[8; 16]].concat();
    assert_eq!(error(&marker), ContainerError { kind: ContainerErrorKind::Sync, offset: offset + 3 });
}

#[test]
fn each_fault_of_a_file_has_a_code_and_a_sentence() {
    for (kind, code) in [
        (ContainerErrorKind::Magic, "container_magic"),
        (ContainerErrorKind::Header, "container_header"),
        (ContainerErrorKind::Entries, "container_header"),
        (ContainerErrorKind::Schema, "container_schema"),
        (ContainerErrorKind::SchemaTooLong, "container_schema"),
        (ContainerErrorKind::Codec, "container_codec"),
        (ContainerErrorKind::Block, "container_block"),
        (ContainerErrorKind::Sync, "container_sync"),
    ] {
        assert_eq!(kind.code(), code);
    }
    let error = Container::open(b"PK").unwrap_err();
    assert_eq!(error.to_string(), "the file does not begin with Obj and 0x01 at byte 0");
}
