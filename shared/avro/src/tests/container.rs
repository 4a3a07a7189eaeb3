//! What a header may have. Whole files are read by the receiver's tests.

use crate::{CONTAINER_MAGIC, Container, ContainerErrorKind};

/// Bytes of a header's schema, at most.
const MAX_SCHEMA: usize = 256 * 1024;

/// A file without blocks whose header has a schema of so many bytes.
fn file(schema: usize) -> Vec<u8> {
    let length = |bytes: usize| {
        let mut left = bytes << 1;
        let mut written = Vec::new();
        while left > 0x7f {
            written.push((left & 0x7f) as u8 | 0x80);
            left >>= 7;
        }
        written.push(left as u8);
        written
    };
    let key = b"avro.schema";
    let text = vec![b' '; schema];
    [&CONTAINER_MAGIC[..], &length(1), &length(key.len()), key, &length(schema), &text, &[0], &[7; 16]].concat()
}

#[test]
fn a_schema_has_a_longest_text() {
    assert_eq!(Container::open(&file(MAX_SCHEMA)).unwrap().schema().len(), MAX_SCHEMA);
    let refused = Container::open(&file(MAX_SCHEMA + 1)).unwrap_err();
    assert_eq!(refused.kind, ContainerErrorKind::SchemaTooLong);
}
