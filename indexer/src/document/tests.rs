use avro::{Decimals, EventType, Timestamps, Uuids};
use kafka::headers::HEADER_REDRIVE_ORIGIN;
use kafka::position::{Offset, Partition};

use super::*;
use crate::message::record::Headers;
use crate::message::record::headers::tests::headers;

const SCHEMA: &str = r#"{"type":"record","name":"E","fields":[{"name":"event_id","type":"string"}]}"#;
const RULES: Rules = Rules {
    limits: Limits { max_depth: 8, max_items: 8, max_values: 128 },
    json: JsonRules {
        timestamps: Timestamps::Rfc3339,
        decimals: Decimals::String,
        event_type: EventType::None,
        pieces_in_maps: false,
        uuids: Uuids::Any,
    },
    time_unit: TimeUnit::Millis,
    at_timestamp: false,
};

const AT: i64 = 1_767_323_045_678;

fn record(key: Option<&[u8]>) -> Record<'_> {
    Record {
        partition: Partition(3),
        offset: Offset(42),
        timestamp: Some(AT),
        key,
        value: None,
        headers: Headers::default(),
    }
}

fn action_of(record: &Record<'_>, on_duplicate: OnDuplicate) -> serde_json::Value {
    let mut body = Vec::new();
    write_action("events", record, on_duplicate, &mut body);
    serde_json::from_slice(&body).unwrap()
}

fn id_of(record: &Record<'_>) -> String {
    action_of(record, OnDuplicate::KeepFirst)["create"]["_id"].as_str().unwrap().to_owned()
}

fn id(key: Option<&[u8]>) -> String {
    id_of(&record(key))
}

#[test]
fn the_id_is_the_key() {
    let mut body = Vec::new();
    write_action("events", &record(Some(b"a-1")), OnDuplicate::KeepFirst, &mut body);
    assert_eq!(body, b"{\"create\":{\"_id\":\"a-1\"}}\n");
}

#[test]
fn a_scope_in_the_headers_qualifies_the_key() {
    let scoped = |scope: Option<&[u8]>, key: &[u8]| {
        let bytes = headers(&[("source", Some(b"calls")), ("id-scope", scope)]);
        id_of(&Record { headers: Headers::from_bytes(&bytes), ..record(Some(key)) })
    };
    assert_eq!(scoped(Some(b"calls"), b"1"), "calls:1");
    assert_eq!(scoped(Some(b"chats"), b"1"), "chats:1");
    assert_eq!(scoped(Some(b"a\"b"), b"1"), "a\"b:1");
    for nothing in [None, Some(&b""[..])] {
        assert_eq!(scoped(nothing, b"1"), "1");
    }
    assert_eq!(scoped(Some(b"calls"), b""), "events-3-42-1767323045678", "there is no key to qualify");
    for hashed in [scoped(Some(b"calls"), &[b'k'; 507]), scoped(Some(&[0xff]), b"1")] {
        assert_eq!(hashed.len(), 64, "{hashed}");
    }
    assert_eq!(scoped(Some(b"calls"), &[b'k'; 506]).len(), 512);
}

#[test]
fn with_keep_last_the_version_grows_with_time_and_offset() {
    let versioned = |timestamp, offset| {
        let record = Record { timestamp, offset: Offset(offset), ..record(Some(b"a-1")) };
        let action = action_of(&record, OnDuplicate::KeepLast);
        assert_eq!(action["index"]["version_type"], "external_gte");
        action["index"]["version"].as_u64().unwrap()
    };
    assert!(versioned(Some(AT), 0) > versioned(Some(AT - 1), 1_000), "of a re-created topic");
    assert!(versioned(Some(AT), 43) > versioned(Some(AT), 42), "of the same millisecond");
    assert!(versioned(Some(AT), 0) > versioned(Some(AT - 1), i64::MAX), "time counts more than any offset");
    assert_eq!(versioned(Some(AT), 42), versioned(Some(AT), 42));
    assert_eq!(versioned(None, 42), 42);
    for timestamp in [i64::MIN, -1, i64::MAX] {
        assert!(i64::try_from(versioned(Some(timestamp), i64::MAX)).is_ok(), "elasticsearch accepts no other version");
    }
}

#[test]
fn without_a_key_the_id_is_the_records_position_and_time() {
    assert_eq!(id(None), "events-3-42-1767323045678");
    assert_eq!(id(Some(b"")), "events-3-42-1767323045678");
    assert_eq!(id_of(&Record { timestamp: None, ..record(None) }), "events-3-42");
}

#[test]
fn a_redriven_record_keeps_its_first_id_and_version() {
    let bytes = headers(&[("source", Some(b"calls")), (HEADER_REDRIVE_ORIGIN, Some(b"events:1:7:1767000000000"))]);
    let redriven = |key| Record { headers: Headers::from_bytes(&bytes), ..record(key) };
    assert_eq!(id_of(&redriven(None)), "events-1-7-1767000000000");
    assert_eq!(id_of(&redriven(Some(b"a-1"))), "a-1");
    let first = Record { offset: Offset(7), timestamp: Some(1_767_000_000_000), ..record(Some(b"a-1")) };
    let version = |record: &Record<'_>| action_of(record, OnDuplicate::KeepLast)["index"]["version"].clone();
    assert_eq!(version(&redriven(Some(b"a-1"))), version(&first));
    // A header from another topic is ignored.
    let bytes = headers(&[(HEADER_REDRIVE_ORIGIN, Some(b"others:1:7:1767000000000"))]);
    let copied = Record { headers: Headers::from_bytes(&bytes), ..record(None) };
    assert_eq!(id_of(&copied), "events-3-42-1767323045678");
}

#[test]
fn any_text_of_512_bytes_is_an_id() {
    for key in ["/a/b?c#d", "ключ", "\"quoted\"\n", &"x".repeat(512)] {
        assert_eq!(id(Some(key.as_bytes())), key);
    }
}

#[test]
fn a_key_that_is_not_a_valid_id_is_hashed() {
    let long = "x".repeat(513);
    assert_eq!(id(Some(long.as_bytes())), hex::encode(Sha256::digest(long.as_bytes())));
    assert_eq!(id(Some(b"\xff\xfe")), hex::encode(Sha256::digest(b"\xff\xfe")));
}

#[test]
fn the_document_contains_the_fields_and_the_time_of_ingestion() {
    let schema = Schema::parse(SCHEMA).unwrap();
    let mut body = b"before".to_vec();
    write_document(&schema, b"\x06abc", RULES, Some(1_700_000_000_123), &mut body).unwrap();
    assert_eq!(
        String::from_utf8(body).unwrap(),
        "before{\"event_id\":\"abc\",\"_ingested_at\":\"2023-11-14T22:13:20.123Z\"}\n"
    );
}

#[test]
fn a_record_without_fields_is_still_a_document() {
    let schema = Schema::parse(r#"{"type":"record","name":"E","fields":[]}"#).unwrap();
    let mut body = Vec::new();
    write_document(&schema, b"", RULES, Some(0), &mut body).unwrap();
    assert_eq!(String::from_utf8(body).unwrap(), "{\"_ingested_at\":\"1970-01-01T00:00:00.000Z\"}\n");
}

#[test]
fn a_data_stream_document_has_a_timestamp() {
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
fn times_and_decimals_are_written_as_configured() {
    let schema = Schema::parse(
        r#"{"type":"record","name":"E","fields":[
            {"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},
            {"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}}]}"#,
    )
    .unwrap();
    let other = JsonRules { timestamps: Timestamps::Epoch, decimals: Decimals::Number, ..JsonRules::default() };
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
fn an_unreadable_datum_leaves_the_body_unchanged() {
    let schema = Schema::parse(SCHEMA).unwrap();
    let mut body = b"before".to_vec();
    write_document(&schema, b"\x06ab", RULES, Some(0), &mut body).unwrap_err();
    assert_eq!(body, b"before");
}

#[test]
fn an_event_may_hold_as_much_as_the_config_says() {
    let schema = Schema::parse(SCHEMA).unwrap();
    let written = |max_values| {
        let mut config = Config::default();
        config.indexer.max_values = max_values;
        write_document(&schema, b"\x06a-1", Rules::of(&config), Some(AT), &mut Vec::new())
    };
    assert!(written(1).is_ok());
    let refused = written(0).unwrap_err();
    assert_eq!(refused.code(), "too_many_values", "{refused}");
}

#[test]
fn the_id_of_an_action_line_is_returned_as_written() {
    for (line, expected) in [
        (r#"{"create":{"_id":"a"}}"#, r#""a""#),
        (r#"{"create":{"_index":"x-000001","_id":"a"}}"#, r#""a""#),
        (r#"{"index":{"_id":"a","version":7,"version_type":"external_gte"}}"#, r#""a""#),
        (r#"{"create":{"_id":"\"_id\":\"\\"}}"#, r#""\"_id\":\"\\""#),
        (r#"{"create":{"_id":""}}"#, r#""""#),
    ] {
        let lines = format!("{line}\n{{\"_id\":\"other\"}}\n");
        assert_eq!(std::str::from_utf8(id_in(lines.as_bytes())), Ok(expected), "{line}");
    }
}
