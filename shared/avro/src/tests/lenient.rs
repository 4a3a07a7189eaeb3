//! Faults that reading does not depend on leave a schema usable; missing properties that reading needs are named.

use super::*;

/// Returns a record with this field after an event id.
fn record(field: &str) -> String {
    format!(
        r#"{{"type":"record","name":"Event","fields":[{{"name":"event_id","type":"string"}},{{"name":"x",{field}}}]}}"#
    )
}

fn reads(json: &str, datum: &[u8], expected: &str) {
    let schema = Schema::parse(json).unwrap_or_else(|error| panic!("{error}: {json}"));
    assert_eq!(written(&schema, datum, LIMITS).unwrap(), expected, "{json}");
}

#[test]
fn type_names_may_be_any_text() {
    for (name, namespace) in
        [("Envelope", "abc-123.inventory"), ("detail-type", "a b"), ("Änderung", "é"), ("1", "2.3")]
    {
        let json = format!(
            r#"{{"type":"record","name":"{name}","namespace":"{namespace}","fields":[
                {{"name":"event_id","type":"string"}},
                {{"name":"again","type":["null","{namespace}.{name}","{name}"]}}]}}"#
        );
        reads(&json, b"\x02a\x02\x02b\0", r#""event_id":"a","again":{"event_id":"b","again":null}"#);
    }
}

/// confluentinc/schema-registry#2038, tchiotludo/akhq#89, redpanda-data/redpanda#20811: registries hold schemas whose
/// defaults have the wrong type.
#[test]
fn defaults_are_ignored() {
    let fields = [
        (
            r#""type":{"type":"string","logicalType":"uuid"},"default":"""#,
            &b"H0198c7f2-6b1e-7d3a-9c55-2f41d0a7be13"[..],
            r#""0198c7f2-6b1e-7d3a-9c55-2f41d0a7be13""#,
        ),
        (r#""type":{"type":"bytes","logicalType":"big-decimal"},"default":"""#, &[6, 2, 5, 2], r#""0.5""#),
        (
            r#""type":{"type":"bytes","logicalType":"decimal","precision":4,"scale":2},"default":7"#,
            &[2, 5],
            r#""0.05""#,
        ),
        (
            r#""type":{"type":"fixed","name":"D","size":12,"logicalType":"duration"},"default":"\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000""#,
            &[0; 12],
            r#"{"months":0,"days":0,"milliseconds":0}"#,
        ),
        (r#""type":{"type":"enum","name":"E","symbols":["A","B"]},"default":"""#, &[2], r#""B""#),
        (r#""type":{"type":"enum","name":"E","symbols":["A","B"],"default":"C"}"#, &[2], r#""B""#),
        (r#""type":"string","default":null"#, b"\x02a", r#""a""#),
        (r#""type":["null","string"],"default":"a""#, &[0], "null"),
        (r#""type":"int","default":{"a":[]}"#, &[2], "1"),
        (r#""type":"float","default":"NaN""#, &[0, 0, 0xc0, 0x3f], "1.5"),
        (r#""type":{"type":"array","items":"int"},"default":{}"#, &[0], "[]"),
        (r#""type":"int","order":"sideways","aliases":7,"doc":[]"#, &[2], "1"),
    ];
    for (field, value, expected) in fields {
        let datum = [b"\x02a", value].concat();
        reads(&record(field), &datum, &format!(r#""event_id":"a","x":{expected}"#));
    }
}

#[test]
fn a_logical_type_that_does_not_fit_is_ignored() {
    let fields = [
        (r#"{"type":"enum","name":"N","symbols":["A"],"logicalType":"uuid"}"#, &[0][..], r#""A""#),
        (r#"{"type":"array","items":"string","logicalType":"decimal"}"#, &[2, 2, b'a', 0], r#"["a"]"#),
        (r#"{"type":"map","values":"int","logicalType":"date"}"#, &[2, 2, b'a', 4, 0], r#"{"a":2}"#),
        (r#"{"type":"record","name":"R","fields":[],"logicalType":"date"}"#, &[], "{}"),
        (r#"{"type":"fixed","name":"F","size":2,"logicalType":"uuid"}"#, b"ab", r#""YWI=""#),
        (r#"{"type":"fixed","name":"F","size":2,"logicalType":"timestamp-millis"}"#, b"ab", r#""YWI=""#),
        (r#"{"type":"int","logicalType":5}"#, &[4], "2"),
        (r#"{"type":"int","logicalType":null}"#, &[4], "2"),
        (r#"{"type":"int","logicalType":["date"]}"#, &[4], "2"),
        (r#"{"type":"int","logicalType":"timestamp-millis"}"#, &[4], "2"),
        (r#"{"type":"double","logicalType":"decimal","precision":4,"scale":2}"#, &[0; 8], "0.0"),
        (r#"{"type":"bytes","logicalType":"decimal","precision":"4","scale":2}"#, &[2, 5], r#""BQ==""#),
        (r#"{"type":"bytes","logicalType":"decimal","precision":4,"scale":-2}"#, &[2, 5], r#""BQ==""#),
        (r#"{"type":"bytes","logicalType":"decimal","precision":4,"scale":5}"#, &[2, 5], r#""BQ==""#),
        (r#"{"type":"bytes","logicalType":"decimal"}"#, &[2, 5], r#""BQ==""#),
        (r#"{"type":{"type":"string"},"logicalType":"uuid"}"#, b"\x02a", r#""a""#),
    ];
    for (kind, value, expected) in fields {
        let datum = [b"\x02a", value].concat();
        reads(&record(&format!(r#""type":{kind}"#)), &datum, &format!(r#""event_id":"a","x":{expected}"#));
    }
}

#[test]
fn aliases_may_be_anything() {
    for aliases in
        [r#"["detail-type"]"#, r#"["string"]"#, r#"[7,null,{}]"#, r#"{}"#, r#""Old""#, r#"["Other"]"#, r#"[""]"#]
    {
        let json = format!(
            r#"{{"type":"record","name":"Event","aliases":{aliases},"fields":[
                {{"name":"event_id","type":"string","aliases":["a-b"]}},
                {{"name":"other","type":{{"type":"record","name":"Other","aliases":{aliases},"fields":[]}}}},
                {{"name":"again","type":"Other"}}]}}"#
        );
        reads(&json, b"\x02a", r#""event_id":"a","other":{},"again":{}"#);
    }
}

#[test]
fn a_type_may_be_used_before_it_is_defined() {
    let json = r#"{"type":"record","name":"Event","namespace":"n","fields":[
        {"name":"event_id","type":"string"},
        {"name":"failure","type":["null","Failure"]},
        {"name":"last","type":["null",{"type":"error","name":"Failure","fields":[{"name":"code","type":"int"}]}]}]}"#;
    reads(json, b"\x02a\x02\x04\x02\x06", r#""event_id":"a","failure":{"code":2},"last":{"code":3}"#);
}

#[test]
fn simple_names_are_resolved_in_the_enclosing_namespace_first() {
    let outer = r#"{"type":"record","name":"n.E","fields":[{"name":"t","type":"T"}]}"#;
    let global = r#"{"type":"enum","name":"T","symbols":["GLOBAL"]}"#;
    let inner = r#"{"type":"enum","name":"n.T","symbols":["INNER"]}"#;
    let written_by = |references: &[&str]| {
        written(&Schema::parse_with_references(outer, references).unwrap(), &[0], LIMITS).unwrap()
    };
    assert_eq!(written_by(&[global]), r#""t":"GLOBAL""#);
    assert_eq!(written_by(&[global, inner]), r#""t":"INNER""#);
}

#[test]
fn references_may_be_unions_and_repeat_or_add_types() {
    let event = r#"{"type":"record","name":"e.Event","fields":[{"name":"a","type":"x.A"},{"name":"b","type":"x.B"}]}"#;
    let common =
        r#"[{"type":"enum","name":"x.A","symbols":["P","Q"]},{"type":"enum","name":"x.B","symbols":["R","S"]}]"#;
    let second = r#"{"type":"enum","name":"x.A","symbols":["P","Q","NEW"]}"#;
    let broken = r#"{"type":"record","name":"x.C","fields":[{"name":"a","type":"no.such.Type"}]}"#;
    for references in
        [&[common][..], &[common, second], &[common, common], &[common, broken], &[broken, common, r#""int""#]]
    {
        let schema = Schema::parse_with_references(event, references).unwrap();
        assert_eq!(written(&schema, &[2, 2], LIMITS).unwrap(), r#""a":"Q","b":"S""#);
    }
    let first = Schema::parse_with_references(event, &[second, common]).unwrap();
    assert_eq!(written(&first, &[4, 2], LIMITS).unwrap(), r#""a":"NEW","b":"S""#, "the first of two counts");
}

/// As where two references lead to two versions of one subject.
#[test]
fn a_type_that_a_reference_repeats_within_another_is_the_first_of_them() {
    let event = r#"{"type":"record","name":"Event","fields":[{"name":"a","type":"x.A"},{"name":"b","type":"x.B"}]}"#;
    let first = r#"{"type":"record","name":"x.A","fields":[{"name":"p","type":"int"}]}"#;
    let second = r#"{"type":"record","name":"x.A","fields":[{"name":"p","type":"int"},{"name":"q","type":"int"}]}"#;
    let around = format!(r#"{{"type":"record","name":"x.B","fields":[{{"name":"a","type":{second}}}]}}"#);
    let schema = Schema::parse_with_references(event, &[first, &around]).unwrap();
    assert_eq!(written(&schema, &[2, 4], LIMITS).unwrap(), r#""a":{"p":1},"b":{"a":{"p":2}}"#);
}

#[test]
fn unusual_unions_symbols_and_field_names_are_accepted() {
    reads(&record(r#""type":["string","string"]"#), b"\x02a\x02\x02b", r#""event_id":"a","x":"b""#);
    reads(
        &record(r#""type":{"type":"enum","name":"E","symbols":["a-b","1","1"]}"#),
        b"\x02a\x04",
        r#""event_id":"a","x":"1""#,
    );
    let json = r#"{"type":"record","name":"R","fields":[{"name":"detail-type","type":"int"},{"name":"a.b","type":"int"},{"name":"a_b","type":"int"}]}"#;
    reads(json, &[2, 4, 6], r#""detail-type":1,"a_b_":2,"a_b":3"#);
    let json = r#"{"type":"record","name":"R","fields":[{"name":"x.y_z","type":"int"},{"name":"x_y.z","type":"int"}]}"#;
    reads(json, &[2, 4], r#""x_y_z":1,"x_y_z_":2"#);
}

#[test]
fn a_missing_property_is_reported_with_its_place() {
    let cases = [
        (r#"{"type":"array"}"#, "an array has no items"),
        (r#"{"type":"map"}"#, "a map has no values"),
        (r#"{"type":"fixed","name":"F"}"#, "F: a fixed has no size"),
        (r#"{"type":"fixed","name":"F","size":-1}"#, "F: a fixed has no size"),
        (r#"{"type":"fixed","name":"F","size":"4"}"#, "F: a fixed has no size"),
        (r#"{"type":"enum","name":"E"}"#, "E: an enum has no list of symbols"),
        (r#"{"type":"enum","name":"E","symbols":[1]}"#, "E: a symbol of an enum is not text"),
        (r#"{"type":"record","fields":[]}"#, "has no name"),
        (r#"{"type":"record","name":"R"}"#, "record R has no list of fields"),
        (r#""No""#, "type No is used but not defined"),
        (r#"["null",["int"]]"#, "a union is a branch of a union"),
        (r#"["null",{"type":["int"]}]"#, "a union is a branch of a union"),
        ("7", "a type is a name"),
        ("{}", "a type has no \"type\""),
        ("[]", "a union has no branches"),
    ];
    for (kind, reason) in cases {
        let error = Schema::parse(&record(&format!(r#""type":{kind}"#))).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}, not {reason}");
        assert!(
            error.contains("field x") || error.contains("F: ") || error.contains("E: ") || error.contains("record R"),
            "{error}"
        );
    }
    let twice = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}"#;
    assert_eq!(
        Schema::parse(twice).unwrap_err().to_string(),
        "record R, field number 2: another field is called a too"
    );
}

/// Returns 13 dots and underscores, different for each number.
fn dotted(number: usize) -> String {
    (0..13).map(|bit| if number >> bit & 1 == 1 { '.' } else { '_' }).collect()
}

/// Returns texts of 200 to 256 KiB that try to waste time or memory.
fn hungry_texts() -> [String; 11] {
    let many = |part: &dyn Fn(usize) -> String, count: usize| (0..count).map(part).collect::<Vec<_>>().join(",");
    let aliases = many(&|number| format!("\"a{number}\""), 3_000);
    let record = |rest: &str, fields: &str| format!(r#"{{"type":"record","name":"R"{rest},"fields":[{fields}]}}"#);
    let long = "n".repeat(400);
    [
        record(
            &format!(r#","aliases":[{aliases}]"#),
            &many(&|number| format!(r#"{{"name":"f{number}","type":"R"}}"#), 6_000),
        ),
        record(
            &format!(r#","namespace":"{long}""#),
            &many(
                &|number| format!(r#"{{"name":"f{number}","type":{{"type":"fixed","name":"F{number}","size":1}}}}"#),
                3_500,
            ),
        ),
        record(
            &format!(r#","namespace":"{long}","aliases":[{aliases}]"#),
            &many(&|number| format!(r#"{{"name":"f{number}","type":["null","a{}"]}}"#, number % 3_000), 5_000),
        ),
        record(
            "",
            &format!(
                r#"{{"name":"f","type":"int","default":{}}}"#,
                "[1,".repeat(50) + &"1,".repeat(100_000) + "1" + &"]".repeat(50)
            ),
        ),
        format!(r#"{{"type":"enum","name":"E","symbols":[{}]}}"#, many(&|number| format!("\"s{number}\""), 28_000)),
        format!("[{}]", many(&|_| "\"int\"".to_owned(), 40_000)),
        format!(r#"{{"type":"string","doc":"{}"}}"#, "d".repeat(250_000)),
        record("", &many(&|_| r#"{"name":"f","type":"int"}"#.to_owned(), 9_000)),
        record(
            "",
            &many(
                &|number| {
                    format!(
                        r#"{{"name":"f{number}","type":["null",{{"type":"record","name":"S{number}","fields":[{{"name":"x","type":["null","R"]}}]}}]}}"#
                    )
                },
                2_000,
            ),
        ),
        format!("[{}]", "{},".repeat(80_000) + "{}"),
        // In a document, all names would be the same except for underscores.
        record("", &many(&|number| format!(r#"{{"name":"{}","type":"int"}}"#, dotted(number)), 6_500)),
    ]
}

#[test]
fn hostile_schemas_take_time_and_memory_linear_in_their_length() {
    for text in hungry_texts() {
        assert!(text.len() <= 260_000, "{}", text.len());
        match Schema::parse(&text) {
            Ok(schema) => assert!(schema.bytes() <= text.len() * 40, "{} of {}", schema.bytes(), text.len()),
            Err(error) => assert!(error.0.len() <= 1_500, "{}", error.0.len()),
        }
    }
}

/// Fastavro writes such texts.
#[test]
fn invalid_uuid_text_is_kept_and_counted_or_refused() {
    let schema = schema(&record(r#""type":{"type":"string","logicalType":"uuid"}"#));
    for (text, is_odd) in [
        ("0198c7f2-6b1e-7d3a-9c55-2f41d0a7be13", false),
        ("0198C7F2-6B1E-7D3A-9C55-2F41D0A7BE13", false),
        ("", true),
        ("0198c7f26b1e7d3a9c552f41d0a7be13", true),
        ("{0198c7f2-6b1e-7d3a-9c55-2f41d0a7be13}", true),
        ("no \"uuid\" é", true),
        ("0198c7f2-6b1e-7d3a-9c55-2f41d0a7be1g", true),
    ] {
        let datum = [b"\x02a".to_vec(), counted(text.as_bytes())].concat();
        let kept = if is_odd { text.to_owned() } else { text.to_lowercase() };
        let members = format!(r#""event_id":"a","x":{}"#, serde_json::json!(kept));
        assert_eq!(written(&schema, &datum, LIMITS).unwrap(), members);
        let path = schema.field("x").unwrap();
        let read = validate_whole(&schema, &datum, LIMITS, Some(&path), Uuids::Any).unwrap();
        assert_eq!((read.key.as_deref(), read.odd_uuids), (Some(&*kept), u32::from(is_odd)));
        let strict = strictly(&schema, &datum, LIMITS);
        assert_eq!(strict.is_err_and(|error| error.code() == "not_uuid" && error.path == "x"), is_odd, "{text}");
    }
    assert_eq!(written(&schema, &[&b"\x02a"[..], &counted(b"\xff")].concat(), LIMITS).unwrap_err().code(), "not_utf8");
}

#[test]
fn invalid_uuid_text_is_refused_with_its_position() {
    let schema = schema(&record(r#""type":{"type":"string","logicalType":"uuid"}"#));
    let error = strictly(&schema, &[&b"\x02a"[..], &counted(b"no uuid")].concat(), LIMITS).unwrap_err();
    assert_eq!((error.code(), error.offset), ("not_uuid", 3));
    let error = written(&schema, &[&b"\x02a"[..], &counted(b"ab\xff")].concat(), LIMITS).unwrap_err();
    assert_eq!((error.code(), error.offset), ("not_utf8", 5));
}
