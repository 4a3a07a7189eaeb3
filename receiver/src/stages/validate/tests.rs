use std::sync::Arc;

use avro::Schema;

use super::*;

const SCHEMA: &str = r#"{"type": "record", "name": "Event", "fields": [
    {"name": "event_id", "type": ["null", "string"]}, {"name": "agent", "type": "string"}]}"#;

const LIMITS: Limits = Limits { max_depth: 8, max_items: 8, max_values: 128 };

fn writer() -> Writer {
    let schema = Arc::new(Schema::parse(SCHEMA).unwrap());
    let key = Some(schema.field("event_id").unwrap());
    Writer { id: SchemaId(7), schema, key, uuids: avro::Uuids::Any }
}

fn framed(datum: &[u8]) -> Vec<u8> {
    [&wire::frame(SchemaId(7)), datum].concat()
}

#[test]
fn a_datum_becomes_an_event_with_its_key_and_unchanged_bytes() {
    let bytes = framed(b"\x02\x04e1\x06amy");
    let event = validate(&bytes, &writer(), LIMITS).unwrap();
    assert_eq!(event.key(), Some("e1"));
    assert_eq!(event.value(), bytes);
}

#[test]
fn an_event_with_a_null_key_has_no_key() {
    let bytes = framed(b"\x00\x06amy");
    assert_eq!(validate(&bytes, &writer(), LIMITS).unwrap().key(), None);
}

#[test]
fn a_truncated_or_overlong_datum_reports_where() {
    let cut = validate(&framed(b"\x02\x04e1\x06am"), &writer(), LIMITS).unwrap_err();
    assert_eq!((cut.schema, cut.error.path.as_str()), (SchemaId(7), "agent"));
    let long = validate(&framed(b"\x02\x04e1\x06amy!"), &writer(), LIMITS).unwrap_err();
    assert_eq!((long.error.code(), long.error.offset), ("trailing_bytes", 8));
}
