//! Tests of reading Avro: tables for each type and limit, and comparisons with apache-avro over generated schemas and
//! data.

mod bytes;
mod cases;
mod container;
mod corpus;
mod decimals;
mod differences;
mod errors;
mod fields;
mod generate;
mod judge;
mod lenient;
mod limits;
mod outline;
mod pieces;
mod rules;
mod schemas;
mod times;
mod types;
mod unions;

use sha2::{Digest, Sha256};

use super::*;

const LIMITS: Limits = Limits { max_depth: 64, max_items: 10_000, max_values: 160_000 };

fn schema(json: &str) -> Schema {
    Schema::parse(json).unwrap()
}

/// Returns the members of the datum, after checking that validation alone has the same outcome.
fn written(schema: &Schema, datum: &[u8], limits: Limits) -> Result<String, DecodeError> {
    written_by(schema, datum, limits, Uuids::Any)
}

/// Does the same with strict UUIDs.
fn strictly(schema: &Schema, datum: &[u8], limits: Limits) -> Result<String, DecodeError> {
    written_by(schema, datum, limits, Uuids::Strict)
}

fn written_by(schema: &Schema, datum: &[u8], limits: Limits, uuids: Uuids) -> Result<String, DecodeError> {
    let (mut out, rules) = (b"before ".to_vec(), JsonRules { uuids, ..JsonRules::default() });
    let result = write_members_and_find(schema, datum, limits, rules, None, &mut out).map(|_| ());
    let checked = validate_whole(schema, datum, limits, None, uuids).map(|_| ());
    assert_eq!(checked, result, "checking and writing differ in {datum:?}");
    let text = String::from_utf8(out).unwrap();
    let members = text.strip_prefix("before ").unwrap();
    if uuids == Uuids::Any {
        let digest = digest_members(schema, datum, limits);
        assert_eq!(
            digest,
            result.clone().map(|()| Sha256::digest(members).into()),
            "the digest is of another document"
        );
    }
    match result {
        Ok(()) => Ok(members.to_owned()),
        Err(error) => {
            assert_eq!(members, "", "a failure leaves something behind");
            Err(error)
        }
    }
}

/// Returns the JSON of a datum whose schema is not a record.
fn value(json: &str, datum: &[u8]) -> String {
    let members = written(&schema(json), datum, LIMITS).unwrap();
    members.strip_prefix("\"value\":").unwrap().to_owned()
}

/// Returns the error for an invalid datum.
fn refusal(json: &str, datum: &[u8]) -> DecodeError {
    strictly(&schema(json), datum, LIMITS).unwrap_err()
}

/// Returns the schema of a logical type.
fn logical(base: &str, name: &str) -> String {
    format!(r#"{{"type":"{base}","logicalType":"{name}"}}"#)
}

/// Encodes a long.
fn long(value: i64) -> Vec<u8> {
    let mut raw = ((value << 1) ^ (value >> 63)).cast_unsigned();
    let mut bytes = Vec::new();
    while raw >= 0x80 {
        bytes.push(raw as u8 | 0x80);
        raw >>= 7;
    }
    bytes.push(raw as u8);
    bytes
}

/// Encodes bytes or a string.
fn counted(bytes: &[u8]) -> Vec<u8> {
    [long(bytes.len() as i64), bytes.to_vec()].concat()
}
