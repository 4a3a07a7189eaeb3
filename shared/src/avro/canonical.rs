//! The parsing canonical form of a schema and its fingerprint ("Parsing Canonical Form for Schemas" and "Schema Fingerprints" in the
//! Avro specification 1.12): what two writers must agree on to find each other's schema.
//!
//! apache-avro's own form keeps `order`, `precision` and `scale`, which the specification strips, so its fingerprints of such schemas are
//! not those of other libraries.

use apache_avro::Schema as AvroSchema;
use apache_avro::schema::{FixedSchema, InnerDecimalSchema, Name, Namespace, UuidSchema};

/// The CRC-64-AVRO fingerprint of the parsing canonical form.
pub(super) fn fingerprint(schema: &AvroSchema) -> u64 {
    let mut form = String::new();
    write(schema, &mut form);
    crc64(form.as_bytes())
}

/// Appends the parsing canonical form.
pub(super) fn write(schema: &AvroSchema, out: &mut String) {
    let primitive = match schema {
        AvroSchema::Ref { name } => return quoted(&fullname(name), out),
        AvroSchema::Fixed(schema) | AvroSchema::Duration(schema) | AvroSchema::Uuid(UuidSchema::Fixed(schema)) => {
            return fixed(schema, out);
        }
        AvroSchema::Decimal(decimal) => match &decimal.inner {
            InnerDecimalSchema::Fixed(schema) => return fixed(schema, out),
            InnerDecimalSchema::Bytes => "bytes",
        },
        AvroSchema::Array(array) => return nested(r#"{"type":"array","items":"#, &array.items, out),
        AvroSchema::Map(map) => return nested(r#"{"type":"map","values":"#, &map.types, out),
        AvroSchema::Union(union) => return list(union.variants(), out, write),
        AvroSchema::Enum(schema) => {
            named(&schema.name, "enum", out);
            out.push_str(r#","symbols":"#);
            list(&schema.symbols, out, |symbol, out| quoted(symbol, out));
            return out.push('}');
        }
        AvroSchema::Record(schema) => {
            named(&schema.name, "record", out);
            out.push_str(r#","fields":"#);
            list(&schema.fields, out, |field, out| {
                out.push_str(r#"{"name":"#);
                quoted(&field.name, out);
                nested(r#","type":"#, &field.schema, out);
            });
            return out.push('}');
        }
        AvroSchema::Null => "null",
        AvroSchema::Boolean => "boolean",
        AvroSchema::Int | AvroSchema::Date | AvroSchema::TimeMillis => "int",
        AvroSchema::Long
        | AvroSchema::TimeMicros
        | AvroSchema::TimestampMillis
        | AvroSchema::TimestampMicros
        | AvroSchema::TimestampNanos
        | AvroSchema::LocalTimestampMillis
        | AvroSchema::LocalTimestampMicros
        | AvroSchema::LocalTimestampNanos => "long",
        AvroSchema::Float => "float",
        AvroSchema::Double => "double",
        AvroSchema::Bytes | AvroSchema::BigDecimal | AvroSchema::Uuid(UuidSchema::Bytes) => "bytes",
        AvroSchema::String | AvroSchema::Uuid(UuidSchema::String) => "string",
    };
    quoted(primitive, out);
}

fn fullname(name: &Name) -> String {
    name.fullname(Namespace::None.as_deref())
}

fn named(name: &Name, kind: &str, out: &mut String) {
    out.push_str(r#"{"name":"#);
    quoted(&fullname(name), out);
    out.push_str(r#","type":"#);
    quoted(kind, out);
}

fn fixed(schema: &FixedSchema, out: &mut String) {
    named(&schema.name, "fixed", out);
    out.push_str(r#","size":"#);
    out.push_str(&schema.size.to_string());
    out.push('}');
}

/// `begin`, the schema within, and a closing brace.
fn nested(begin: &str, schema: &AvroSchema, out: &mut String) {
    out.push_str(begin);
    write(schema, out);
    out.push('}');
}

fn list<T>(items: &[T], out: &mut String, write: impl Fn(&T, &mut String)) {
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(item, out);
    }
    out.push(']');
}

/// Names and symbols hold nothing that JSON would have to escape.
fn quoted(name: &str, out: &mut String) {
    out.push('"');
    out.push_str(name);
    out.push('"');
}

/// The fingerprint of nothing.
const EMPTY: u64 = 0xc15d_213a_a4d7_a795;

fn crc64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(EMPTY, |crc, byte| {
        // The lowest byte.
        let index = (crc as u8) ^ byte;
        (crc >> 8) ^ TABLE[usize::from(index)]
    })
}

const TABLE: [u64; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut entry = index as u64;
        let mut bit = 0;
        while bit < 8 {
            entry = (entry >> 1) ^ (EMPTY & 0_u64.wrapping_sub(entry & 1));
            bit += 1;
        }
        table[index] = entry;
        index += 1;
    }
    table
};
