//! The differences from apache-avro, one per test: what apache-avro accepts and Penstock refuses, with the error code.
//! The comparison tests check that there are no others.

use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::schema::Schema as AvroSchema;
use apache_avro::util::max_allocation_bytes;

use super::*;

/// Checks that apache-avro reads a value from the beginning of `datum`, and that it is refused here with `code`.
fn only_we_refuse(json: &str, datum: &[u8], code: &str) {
    max_allocation_bytes(1 << 20);
    let avro = AvroSchema::parse_str(json).unwrap();
    let reader = GenericDatumReader::builder(&avro).build().unwrap();
    let theirs = reader.read_value(&mut &*datum);
    assert!(theirs.is_ok(), "{json} {datum:?}: {theirs:?}");
    let limits = Limits { max_depth: 4, max_items: 100, max_values: 1_600 };
    assert_eq!(strictly(&schema(json), datum, limits).unwrap_err().code(), code, "{json} {datum:?}");
}

const INTS: &str = r#"{"type":"array","items":"int"}"#;

#[test]
fn apache_avro_ignores_trailing_bytes() {
    only_we_refuse(r#""int""#, &[2, 0], "trailing_bytes");
}

#[test]
fn apache_avro_takes_the_end_of_the_bytes_for_null() {
    let nullable =
        r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":["null","string"]}]}"#;
    only_we_refuse(nullable, &[2], "truncated");
}

#[test]
fn apache_avro_ignores_the_size_of_a_block() {
    only_we_refuse(INTS, &[3, 10, 2, 4, 0], "block_size");
    only_we_refuse(INTS, &[3, 3, 2, 4, 0], "negative_length");
}

#[test]
fn apache_avro_accepts_an_int_of_ten_bytes() {
    only_we_refuse(r#""int""#, &[0x82, 0x80, 0x80, 0x80, 0x80, 0x00], "varint_too_long");
}

#[test]
fn apache_avro_keeps_the_last_of_duplicate_keys() {
    only_we_refuse(r#"{"type":"map","values":"int"}"#, &[4, 2, b'a', 2, 2, b'a', 4, 0], "duplicate_key");
}

#[test]
fn apache_avro_accepts_other_forms_of_uuids() {
    let json = logical("string", "uuid");
    only_we_refuse(&json, &counted(b"0198c7f26b1e7d3a9c552f41d0a7be13"), "not_uuid");
    only_we_refuse(&json, &counted(b"{0198c7f2-6b1e-7d3a-9c55-2f41d0a7be13}"), "not_uuid");
}

#[test]
fn apache_avro_ignores_bytes_after_a_big_decimal() {
    only_we_refuse(&logical("bytes", "big-decimal"), &counted(&[2, 5, 2, 0]), "not_big_decimal");
}

#[test]
fn apache_avro_does_not_limit_depth_items_or_digits() {
    let list = r#"{"type":"record","name":"L","fields":[{"name":"next","type":["null","L"]}]}"#;
    only_we_refuse(list, &[2, 2, 2, 2, 2, 0], "too_deep");
    only_we_refuse(INTS, &[long(101), vec![0; 102]].concat(), "too_many_items");
    let decimal = r#"{"type":"bytes","logicalType":"decimal","precision":4000,"scale":2}"#;
    only_we_refuse(decimal, &counted(&[1; 1_100]), "decimal_too_long");
}

#[test]
fn apache_avro_reads_a_uuid_from_bytes() {
    let json = logical("bytes", "uuid");
    let avro = AvroSchema::parse_str(&json).unwrap();
    let reader = GenericDatumReader::builder(&avro).build().unwrap();
    assert!(reader.read_value(&mut &*counted(b"abc")).is_err());
    assert_eq!(value(&json, &counted(b"abc")), r#""YWJj""#);
}
