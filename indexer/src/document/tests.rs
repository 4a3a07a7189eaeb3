use shared::avro::{Decimals, Timestamps};

use super::*;

const SCHEMA: &str = r#"{"type":"record","name":"E","fields":[{"name":"event_id","type":"string"}]}"#;
const RULES: Rules = Rules {
    limits: Limits { max_depth: 8, max_items: 8 },
    json: JsonRules { timestamps: Timestamps::Rfc3339, decimals: Decimals::String },
    at_timestamp: false,
};

fn action(key: Option<&[u8]>) -> String {
    let record = Record { partition: Partition(3), offset: Offset(42), timestamp: Some(0), key, value: None };
    let mut body = Vec::new();
    write_action("events", &record, OnDuplicate::KeepFirst, &mut body);
    String::from_utf8(body).unwrap()
}

fn id(key: Option<&[u8]>) -> String {
    let action: serde_json::Value = serde_json::from_str(&action(key)).unwrap();
    action["create"]["_id"].as_str().unwrap().to_owned()
}

#[test]
fn the_id_is_the_key() {
    assert_eq!(action(Some(b"a-1")), "{\"create\":{\"_id\":\"a-1\"}}\n");
}

#[test]
fn to_keep_the_last_event_the_offset_is_the_version() {
    let record =
        Record { partition: Partition(3), offset: Offset(42), timestamp: Some(0), key: Some(b"a-1"), value: None };
    let mut body = Vec::new();
    write_action("events", &record, OnDuplicate::KeepLast, &mut body);
    assert_eq!(
        String::from_utf8(body).unwrap(),
        "{\"index\":{\"_id\":\"a-1\",\"version\":42,\"version_type\":\"external_gte\"}}\n"
    );
}

#[test]
fn without_a_key_the_id_is_the_records_position() {
    assert_eq!(id(None), "events-3-42");
    assert_eq!(id(Some(b"")), "events-3-42");
}

#[test]
fn any_text_of_512_bytes_is_an_id() {
    for key in ["/a/b?c#d", "ключ", "\"quoted\"\n", &"x".repeat(512)] {
        assert_eq!(id(Some(key.as_bytes())), key);
    }
}

#[test]
fn a_key_that_cannot_be_an_id_is_hashed() {
    let long = "x".repeat(513);
    assert_eq!(id(Some(long.as_bytes())), hex::encode(Sha256::digest(long.as_bytes())));
    assert_eq!(id(Some(b"\xff\xfe")), hex::encode(Sha256::digest(b"\xff\xfe")));
}

#[test]
fn the_document_holds_the_fields_and_when_it_was_ingested() {
    let schema = Schema::parse(SCHEMA).unwrap();
    let mut body = b"before".to_vec();
    write_document(&schema, b"\x06abc", RULES, Some(1_700_000_000_123), &mut body).unwrap();
    assert_eq!(
        String::from_utf8(body).unwrap(),
        "before{\"event_id\":\"abc\",\"_ingested_at\":\"2023-11-14T22:13:20.123Z\"}\n"
    );
}

#[test]
fn a_record_without_fields_is_a_document_all_the_same() {
    let schema = Schema::parse(r#"{"type":"record","name":"E","fields":[]}"#).unwrap();
    let mut body = Vec::new();
    write_document(&schema, b"", RULES, Some(0), &mut body).unwrap();
    assert_eq!(String::from_utf8(body).unwrap(), "{\"_ingested_at\":\"1970-01-01T00:00:00.000Z\"}\n");
}

#[test]
fn a_data_stream_gets_the_timestamp_that_it_wants() {
    let schema = Schema::parse(r#"{"type":"record","name":"E","fields":[]}"#).unwrap();
    let mut body = Vec::new();
    write_document(&schema, b"", Rules { at_timestamp: true, ..RULES }, Some(0), &mut body).unwrap();
    let text = "1970-01-01T00:00:00.000Z";
    assert_eq!(
        String::from_utf8(body).unwrap(),
        format!("{{\"_ingested_at\":\"{text}\",\"@timestamp\":\"{text}\"}}\n")
    );
}

#[test]
fn times_and_decimals_are_written_as_the_config_says_and_the_same_each_time() {
    let schema = Schema::parse(
        r#"{"type":"record","name":"E","fields":[
            {"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},
            {"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}}]}"#,
    )
    .unwrap();
    let other = JsonRules { timestamps: Timestamps::Epoch, decimals: Decimals::Number };
    for (json, expected) in
        [(RULES.json, r#"{"at":"1970-01-01T00:00:00.001Z","price":"0.50"}"#), (other, r#"{"at":1,"price":0.50}"#)]
    {
        for _ in 0..2 {
            let mut body = Vec::new();
            write_document(&schema, b"\x02\x02\x32", Rules { json, ..RULES }, None, &mut body).unwrap();
            assert_eq!(String::from_utf8(body).unwrap(), format!("{expected}\n"));
        }
    }
}

#[test]
fn a_datum_that_cannot_be_read_leaves_the_body_as_it_was() {
    let schema = Schema::parse(SCHEMA).unwrap();
    let mut body = b"before".to_vec();
    write_document(&schema, b"\x06ab", RULES, Some(0), &mut body).unwrap_err();
    assert_eq!(body, b"before");
}
