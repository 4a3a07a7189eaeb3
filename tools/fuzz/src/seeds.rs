//! The initial inputs: valid datums of several schemas, in each form, codec and content encoding.

use std::io::Write;

use apache_avro::Codec;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use rand::Rng;
use rand::RngExt;

use super::Input;
use harness::container::{codecs, file};
use harness::event::{Events, SCHEMA, put_bytes, put_long, put_string};
use harness::paths;

/// The schemas, each with its key field: a flat one, one with most types, one that contains itself, one with items that
/// take no bytes, and one with logical types.
pub const SCHEMAS: [(&str, Option<&str>); 5] = [
    (SCHEMA, Some("event_id")),
    (include_str!("../../../tests/data/avro/interop.avsc"), Some("stringField")),
    (
        r#"{"type":"record","name":"T","fields":[{"name":"c","type":{"type":"array","items":"T"}},{"name":"m","type":{"type":"map","values":["null","T"]}}]}"#,
        None,
    ),
    (r#"{"type":"array","items":"null"}"#, None),
    (LOGICAL, Some("id")),
];

const LOGICAL: &str = r#"{"type":"record","name":"L","fields":[
    {"name":"id","type":["null",{"type":"string","logicalType":"uuid"}]},
    {"name":"d","type":{"type":"bytes","logicalType":"decimal","precision":20,"scale":3}},
    {"name":"b","type":{"type":"bytes","logicalType":"big-decimal"}},
    {"name":"t","type":{"type":"long","logicalType":"timestamp-micros"}},
    {"name":"u","type":{"type":"fixed","name":"D","size":12,"logicalType":"duration"}}]}"#;

/// Returns a valid datum of each schema.
pub(super) fn datums() -> Vec<Vec<u8>> {
    let mut interop = Vec::new();
    put_long(&mut interop, -7);
    put_long(&mut interop, i64::MIN);
    put_string(&mut interop, "text");
    interop.push(1);
    interop.extend_from_slice(&1.5_f32.to_le_bytes());
    interop.extend_from_slice(&f64::NAN.to_le_bytes());
    put_bytes(&mut interop, b"\xff\0");
    interop.extend_from_slice(&[2, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    interop.extend_from_slice(&[1, 8, 2, b'k', 2, b'l', 0]);
    interop.extend_from_slice(&[4, 2, 2, b'x', 0, 4]);
    interop.extend_from_slice(b"sixteen bytes ok");
    interop.extend_from_slice(&[2, b'r', 2, 2, b's', 0, 0]);
    let mut logical = vec![2];
    put_string(&mut logical, "0198c7f2-6b1e-7d3a-9c55-2f41d0a7be13");
    put_bytes(&mut logical, b"\x01\x02\x03");
    put_bytes(&mut logical, &[4, 0x12, 0x34, 4]);
    put_long(&mut logical, 1_767_323_045_678_901);
    logical.extend_from_slice(b"twelve bytes");
    vec![
        Events::new(1, 1_767_323_045_678).event(0).encode(),
        interop,
        vec![4, 0, 0, 2, 0, 0, 0, 0, 0, 2, 2, b'k', 2, 0, 0, 0],
        vec![200, 1, 0],
        logical,
    ]
}

/// Returns an input in each form, codec and encoding for each schema.
///
/// # Errors
/// If a codec fails.
pub fn all() -> anyhow::Result<Vec<Input>> {
    let mut inputs = Vec::new();
    for (schema, datum) in (0..).zip(datums()) {
        let mut bodies = vec![(0, datum.clone()), (1, confluent(&datum)), (2, single_object(&datum))];
        for codec in codecs() {
            bodies.push((3, container(schema, codec, std::slice::from_ref(&datum))?));
        }
        for (content_type, body) in bodies {
            for content_encoding in 0..4 {
                let body = encoded(content_encoding, &body)?;
                inputs.push(Input { content_type, content_encoding, schema, body });
            }
        }
    }
    let file = std::fs::read(paths::in_repository("tests/data/avro/weather.avro"))?;
    inputs.push(Input { content_type: 3, content_encoding: 0, schema: 0, body: file });
    Ok(inputs)
}

pub(super) fn confluent(datum: &[u8]) -> Vec<u8> {
    [b"\0\0\0\0\x07", datum].concat()
}

pub(super) fn single_object(datum: &[u8]) -> Vec<u8> {
    [b"\xc3\x01fingerpr", datum].concat()
}

pub(super) fn container(schema: u8, codec: Codec, datums: &[Vec<u8>]) -> anyhow::Result<Vec<u8>> {
    container_of(SCHEMAS[usize::from(schema) % SCHEMAS.len()].0, codec, datums)
}

/// Returns a file whose header has this text as its schema.
pub(super) fn container_of(schema: &str, codec: Codec, datums: &[Vec<u8>]) -> anyhow::Result<Vec<u8>> {
    file(schema, codec, &[datums])
}

/// Returns `body` in the content encoding with this number.
pub(super) fn encoded(content_encoding: u8, body: &[u8]) -> anyhow::Result<Vec<u8>> {
    match content_encoding {
        1 => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(body)?;
            Ok(encoder.finish()?)
        }
        2 => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(body)?;
            Ok(encoder.finish()?)
        }
        3 => Ok(zstd::stream::encode_all(body, 1)?),
        _ => Ok(body.to_vec()),
    }
}

/// Returns one of the codecs. Those that are slow to set up are rare.
pub(super) fn codec(random: &mut impl Rng) -> Codec {
    let all = codecs();
    let number = match random.random_range(0..40) {
        0 => 4,
        1 => 5,
        other => other % 4,
    };
    all[number]
}
