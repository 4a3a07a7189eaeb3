//! Extreme values for the servers, each in a record whose other fields are plain.

use std::collections::HashMap;

use apache_avro::Decimal;
use apache_avro::types::Value as Avro;

/// A field of each type with extreme values that servers treat differently.
pub(super) const SCHEMA: &str = r#"{"type":"record","name":"Edges","fields":[
    {"name":"text","type":"string"},
    {"name":"bytes","type":"bytes"},
    {"name":"texts","type":{"type":"map","values":"string"}},
    {"name":"maps","type":{"type":"map","values":{"type":"map","values":"string"}}},
    {"name":"byte_map","type":{"type":"map","values":"bytes"}},
    {"name":"lists","type":{"type":"map","values":{"type":"array","items":["null","string","double"]}}},
    {"name":"decimal","type":{"type":"bytes","logicalType":"decimal","precision":3000,"scale":2}},
    {"name":"decimals","type":{"type":"map","values":{"type":"bytes","logicalType":"decimal","precision":3000,"scale":2}}},
    {"name":"big","type":{"type":"bytes","logicalType":"big-decimal"}},
    {"name":"date","type":{"type":"int","logicalType":"date"}},
    {"name":"micros","type":{"type":"long","logicalType":"timestamp-micros"}},
    {"name":"nanos","type":{"type":"long","logicalType":"local-timestamp-nanos"}},
    {"name":"double","type":"double"},
    {"name":"float","type":"float"}]}"#;

/// Returns the record of plain values, with this one replaced.
fn record(name: &str, value: Avro) -> Avro {
    let fields = [
        ("text", Avro::String("t".to_owned())),
        ("bytes", Avro::Bytes(vec![1])),
        ("texts", map([("k".to_owned(), Avro::String("v".to_owned()))])),
        ("maps", map([])),
        ("byte_map", map([])),
        ("lists", map([])),
        ("decimal", Avro::Decimal(Decimal::from(vec![1_u8]))),
        ("decimals", map([])),
        ("big", big("1")),
        ("date", Avro::Date(0)),
        ("micros", Avro::TimestampMicros(0)),
        ("nanos", Avro::LocalTimestampNanos(0)),
        ("double", Avro::Double(0.5)),
        ("float", Avro::Float(0.5)),
    ];
    let choose = |(field, plain): (&str, Avro)| (field.to_owned(), if field == name { value.clone() } else { plain });
    Avro::Record(fields.into_iter().map(choose).collect())
}

fn big(text: &str) -> Avro {
    text.parse().map_or(Avro::Null, Avro::BigDecimal)
}

fn map<const N: usize>(entries: [(String, Avro); N]) -> Avro {
    Avro::Map(HashMap::from(entries))
}

/// Returns texts as long as the limits of a Lucene term, a keyword and a flattened field, and one longer, with
/// characters of one to four bytes.
fn texts() -> impl Iterator<Item = String> {
    let lengths = [0, 1, 255, 4_096, 4_097, 8_191, 8_192, 12_288, 12_289, 32_765, 32_766, 32_767, 40_000, 200_000];
    let long = lengths.into_iter().flat_map(|length| ["x", "é", "€", "😀"].map(|unit| unit.repeat(length)));
    let odd = ["\0", "\u{1}", "\u{7f}", "\u{2028}", "\u{fffe}", " ", "2026-01-02", "1", "true", "null", "{}", "="];
    long.chain(odd.map(str::to_owned))
}

fn keys() -> impl Iterator<Item = String> {
    let odd = [
        "", " ", ".", "..", "a.", ".a", "a..b", "a.b.c", "_id", "_source", "a=b", "*", "\u{1}", "\0", "a\0b", "é",
        "\"", "\\",
    ];
    let lengths = [255, 4_096, 8_191, 16_383, 16_384, 20_478, 32_766, 60_000];
    let long = lengths.into_iter().flat_map(|length| ["k".repeat(length), "€".repeat(length / 3)]);
    odd.map(str::to_owned).into_iter().chain(long)
}

fn scalars() -> Vec<Avro> {
    let mut values = Vec::new();
    for days in [i32::MIN, -719_529, -719_528, -1, 2_932_896, 2_932_897, i32::MAX] {
        values.push(record("date", Avro::Date(days)));
    }
    for time in [i64::MIN, -1, 253_402_300_799_999_999, 253_402_300_800_000_000, i64::MAX] {
        values.push(record("micros", Avro::TimestampMicros(time)));
        values.push(record("nanos", Avro::LocalTimestampNanos(time)));
    }
    for double in [f64::MAX, f64::MIN, f64::MIN_POSITIVE, 5e-324, -0.0, f64::NAN, f64::INFINITY] {
        values.push(record("double", Avro::Double(double)));
    }
    for float in [f32::MAX, f32::MIN, f32::MIN_POSITIVE, f32::NAN, f32::NEG_INFINITY] {
        values.push(record("float", Avro::Float(float)));
    }
    for length in [1, 8, 16, 200, 415, 416, 417, 418, 1_024] {
        let decimal = || Avro::Decimal(Decimal::from(vec![0x7f_u8; length]));
        values.push(record("decimal", decimal()));
        values.push(record("decimals", map([("k".to_owned(), decimal())])));
    }
    for text in ["0", "1e-1000", "1e-1001", "1e1000", "1e400", "-1e9000000000", "1e-9000000000", "123456789e-40"] {
        values.push(record("big", big(text)));
    }
    values
}

/// Returns all of these records.
pub(super) fn values() -> impl Iterator<Item = Avro> {
    let of_texts = texts().flat_map(|text| {
        let value = || Avro::String(text.clone());
        let list = Avro::Array(vec![Avro::Union(1, Box::new(value())), Avro::Union(0, Box::new(Avro::Null))]);
        [
            record("text", value()),
            record("bytes", Avro::Bytes(text.clone().into_bytes())),
            record("texts", map([("k".to_owned(), value())])),
            record("texts", map([("k".repeat(16_383), value())])),
            record("byte_map", map([("k".to_owned(), Avro::Bytes(text.clone().into_bytes()))])),
            record("lists", map([("k".to_owned(), list)])),
        ]
    });
    let of_keys = keys().flat_map(|key| {
        let value = || Avro::String("v".repeat(4_096));
        let inner = map([(key.clone(), value())]);
        [
            record("texts", inner.clone()),
            record("maps", map([("outer".to_owned(), inner.clone())])),
            record("maps", map([(key, inner)])),
        ]
    });
    of_texts.chain(of_keys).chain(scalars())
}
