//! Several event types in one schema: a union of records at the root.

use super::*;

const CALL: &str = r#"{"type":"record","name":"a.Call","fields":[
    {"name":"agent","type":"string"},{"name":"event_id","type":"string"},{"name":"at","type":"long"}]}"#;
const CHAT: &str = r#"{"type":"record","name":"b.Chat","fields":[
    {"name":"event_id","type":["null","long"]},{"name":"meta","type":{"type":"record","name":"Meta","fields":[
        {"name":"id","type":"string"}]}}]}"#;

fn events(union: &str) -> Schema {
    Schema::parse_with_references(union, &[CALL, CHAT]).unwrap()
}

/// Returns the key, and the members of the document.
fn read(schema: &Schema, key: &str, datum: &[u8]) -> (Option<String>, String) {
    let path = schema.field(key).unwrap();
    let found = validate(schema, datum, LIMITS, Some(&path)).unwrap().map(Cow::into_owned);
    (found, written(schema, datum, LIMITS).unwrap())
}

#[test]
fn key_and_fields_come_from_the_present_branch() {
    let schema = events(r#"["a.Call","b.Chat"]"#);
    let call = [&[0][..], b"\x02x\x06c-1\x04"].concat();
    let chat = [&[2][..], b"\x02\x0e\x06m-1"].concat();
    assert_eq!(read(&schema, "event_id", &call), (Some("c-1".into()), r#""agent":"x","event_id":"c-1","at":2"#.into()));
    assert_eq!(read(&schema, "event_id", &chat), (Some("7".into()), r#""event_id":7,"meta":{"id":"m-1"}"#.into()));
    assert_eq!(read(&schema, "event_id", &[&[2][..], b"\0\x06m-1"].concat()).0, None);
    let path = schema.field("event_id").unwrap();
    let both = [call.clone(), chat].concat();
    let first = validate_first(&schema, &both, LIMITS, Some(&path), Uuids::Any).unwrap();
    assert_eq!((first.end, first.key.as_deref()), (call.len(), Some("c-1")));
    assert_eq!(key_of_invalid(&schema, &call[..7], LIMITS, &path).as_deref(), Some("c-1"));
    assert_eq!(written(&schema, &[4], LIMITS).unwrap_err().code(), "union_index");
}

#[test]
fn an_unsuitable_branch_is_named_in_the_error() {
    let schema = events(r#"["a.Call","b.Chat"]"#);
    let error = |schema: &Schema, key: &str| schema.field(key).unwrap_err().to_string();
    assert_eq!(
        error(&schema, "agent"),
        "field agent: in the branch b.Chat: no field is called agent; the fields are event_id, meta"
    );
    assert!(error(&schema, "meta.id").contains("in the branch a.Call"));
    assert!(error(&events(r#"["a.Call","string"]"#), "event_id").contains("in the branch no record"));
    assert!(error(&events(r#"["string","int"]"#), "event_id").contains("in the branch no record"));
}

#[test]
fn a_null_branch_is_an_event_without_key_and_fields() {
    for (union, null, call) in
        [(r#"["null","a.Call"]"#, 0, 2), (r#"["null","a.Call","b.Chat"]"#, 0, 2), (r#"["a.Call","null"]"#, 2, 0)]
    {
        let schema = events(union);
        assert_eq!(read(&schema, "event_id", &[null]), (None, String::new()), "{union}");
        let datum = [&[call][..], b"\x02x\x06c-1\x04"].concat();
        assert_eq!(read(&schema, "event_id", &datum).0.as_deref(), Some("c-1"), "{union}");
    }
    assert_eq!(written(&events(r#"["null","string"]"#), &[0], LIMITS).unwrap(), r#""value":null"#);
    assert_eq!(written(&events(r#"["a.Call","string"]"#), b"\x02\x02a", LIMITS).unwrap(), r#""value":"a""#);
}

#[test]
fn a_path_may_lead_through_a_union_of_records() {
    let envelope = r#"{"type":"record","name":"Envelope","fields":[{"name":"n","type":"int"},{"name":"payload","type":["null","a.Call","b.Chat"]}]}"#;
    let schema = events(envelope);
    assert_eq!(read(&schema, "payload.event_id", b"\x02\x02\x02x\x06c-1\x04").0.as_deref(), Some("c-1"));
    assert_eq!(read(&schema, "payload.event_id", b"\x02\x04\x02\x0e\x06m-1").0.as_deref(), Some("7"));
    assert_eq!(read(&schema, "payload.event_id", b"\x02\0").0, None);
}

#[test]
fn the_time_is_found_in_branches_that_have_it() {
    let schema = events(r#"["a.Call","b.Chat"]"#);
    let path = schema.time_field("at").unwrap();
    let found = |datum: &'static [u8]| {
        write_members_and_find(&schema, datum, LIMITS, JsonRules::default(), Some(&path), &mut Vec::new()).unwrap()
    };
    assert_eq!(found(b"\0\x02x\x06c-1\x04"), Some(FoundField::Integer(2)));
    assert_eq!(found(b"\x02\0\x06m-1"), None);
    assert!(schema.time_field("later").is_err());
}

#[test]
fn the_type_name_becomes_a_field_if_configured() {
    let written_as = |schema: &Schema, event_type, datum: &[u8]| {
        let (mut out, rules) = (Vec::new(), JsonRules { event_type, ..JsonRules::default() });
        write_members_and_find(schema, datum, LIMITS, rules, None, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let union = events(r#"["a.Call","b.Chat"]"#);
    let chat = b"\x02\0\x06m-1";
    let expected = r#""_event_type":"Chat","event_id":null,"meta":{"id":"m-1"}"#;
    assert_eq!(written_as(&union, EventType::Name, chat), expected);
    assert_eq!(written_as(&union, EventType::Fullname, chat), expected.replace("Chat", "b.Chat"));
    assert_eq!(written_as(&events(r#""b.Chat""#), EventType::Name, &chat[1..]), expected);
    let empty = schema(r#"{"type":"record","name":"E","fields":[]}"#);
    assert_eq!(written_as(&empty, EventType::Name, b""), r#""_event_type":"E""#);
    let taken = schema(r#"{"type":"record","name":"E","fields":[{"name":"_event_type","type":"int"}]}"#);
    assert_eq!(written_as(&taken, EventType::Name, &[2]), r#""_event_type":"E","_event_type_":1"#);
    assert_eq!(written_as(&schema(r#""int""#), EventType::Name, &[2]), r#""value":1"#);
}

/// Records whose fields are unions of all records: each step of the path multiplies the ways.
#[test]
fn a_path_through_nested_unions_takes_bounded_work() {
    let names: Vec<String> = (0..300).map(|number| format!("\"R{number}\"")).collect();
    let records: Vec<String> = (0..300)
        .map(|number| format!(r#"{{"type":"record","name":"R{number}","fields":[{{"name":"id","type":"int"}},{{"name":"a","type":["null",{}]}}]}}"#, names.join(",")))
        .collect();
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    let schema = Schema::parse_with_references(&format!("[{}]", names.join(",")), &records).unwrap();
    assert!(schema.field("a.a.a.a.a.id").unwrap_err().to_string().contains("too many paths"));
}
