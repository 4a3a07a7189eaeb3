//! Finding a field during a walk.

use super::*;

fn event(kind: &str) -> Schema {
    schema(&format!(
        r#"{{"type":"record","name":"Event","fields":[
            {{"name":"before","type":"string"}},
            {{"name":"meta","type":["null",{{"type":"record","name":"Meta","fields":[
                {{"name":"skipped","type":{{"type":"array","items":"int"}}}},
                {{"name":"id","type":{kind}}}
            ]}}]}},
            {{"name":"again","type":["null","Meta"]}}
        ]}}"#
    ))
}

fn datum(id: &[u8]) -> Vec<u8> {
    [&[2, b'x', 2, 2, 14, 0], id, &[0]].concat()
}

fn key(kind: &str, id: &[u8]) -> Option<String> {
    let schema = event(kind);
    let path = schema.field("meta.id").unwrap();
    validate(&schema, &datum(id), LIMITS, Some(&path)).unwrap().map(Cow::into_owned)
}

#[test]
fn a_key_may_have_any_suitable_type() {
    assert_eq!(key(r#""string""#, &counted(b"id-1")).unwrap(), "id-1");
    assert_eq!(key(r#""int""#, &long(-7)).unwrap(), "-7");
    assert_eq!(key(r#""long""#, &long(i64::MAX)).unwrap(), i64::MAX.to_string());
    assert_eq!(key(r#"{"type":"enum","name":"E","symbols":["A","B"]}"#, &[2]).unwrap(), "B");
    assert_eq!(key(r#"{"type":"fixed","name":"F","size":3}"#, &[0, 0xab, 0xff]).unwrap(), "00abff");
    let uuid = "0198c7f2-6b1e-7d3a-9c55-2f41d0a7be13";
    assert_eq!(key(&logical("string", "uuid"), &counted(uuid.as_bytes())).unwrap(), uuid);
    assert_eq!(key(&logical("string", "uuid"), &counted(uuid.to_uppercase().as_bytes())).unwrap(), uuid);
    let fixed = r#"{"type":"fixed","name":"U","size":16,"logicalType":"uuid"}"#;
    assert_eq!(key(fixed, &0x0198c7f2_6b1e_7d3a_9c55_2f41d0a7be13_u128.to_be_bytes()).unwrap(), uuid);
}

#[test]
fn a_key_that_is_null_or_not_present_is_none() {
    assert_eq!(key(r#"["null","string"]"#, &[0]), None);
    assert_eq!(key(r#"["string","null"]"#, &[2]), None);
    assert_eq!(key(r#"["string","null"]"#, &[&[0][..], &counted(b"id")].concat()).unwrap(), "id");
    let schema = event(r#""string""#);
    let path = schema.field("meta.id").unwrap();
    assert_eq!(validate(&schema, &[2, b'x', 0, 0], LIMITS, Some(&path)).unwrap(), None);
    // The same record in another place is another field.
    let elsewhere = [&[2, b'x', 0, 2, 0][..], &counted(b"id")].concat();
    assert_eq!(validate(&schema, &elsewhere, LIMITS, Some(&path)).unwrap(), None);
    let path = schema.field("again.id").unwrap();
    assert_eq!(validate(&schema, &elsewhere, LIMITS, Some(&path)).unwrap().unwrap(), "id");
}

#[test]
fn a_string_key_is_borrowed_from_the_datum() {
    let schema = event(r#""string""#);
    let path = schema.field("meta.id").unwrap();
    let datum = datum(&counted("id \"é\"".as_bytes()));
    let key = validate(&schema, &datum, LIMITS, Some(&path)).unwrap().unwrap();
    assert!(matches!(key, Cow::Borrowed("id \"é\"")));
}

#[test]
fn the_time_is_found_while_the_json_is_written() {
    let cases = [
        (logical("long", "timestamp-millis"), long(-5), Some(FoundField::Millis(-5))),
        (logical("long", "timestamp-micros"), long(-5), Some(FoundField::Millis(-1))),
        (logical("long", "timestamp-nanos"), long(1_999_999), Some(FoundField::Millis(1))),
        (logical("long", "local-timestamp-millis"), long(7), Some(FoundField::Millis(7))),
        (logical("int", "date"), long(2), Some(FoundField::Millis(172_800_000))),
        (r#""long""#.to_owned(), long(7), Some(FoundField::Integer(7))),
        (r#""string""#.to_owned(), counted(b"2026"), Some(FoundField::Text("2026".into()))),
        (r#"["null","long"]"#.to_owned(), vec![0], None),
    ];
    for (kind, bytes, found) in cases {
        let schema = event(&kind);
        let path = schema.time_field("meta.id").unwrap();
        let datum = datum(&bytes);
        let (mut out, mut plain) = (Vec::new(), Vec::new());
        let rules = JsonRules::default();
        assert_eq!(write_members_and_find(&schema, &datum, LIMITS, rules, Some(&path), &mut out).unwrap(), found);
        write_members(&schema, &datum, LIMITS, &mut plain).unwrap();
        assert_eq!(out, plain);
    }
}

/// Returns the values of both fields of `schema`, the time at `time` and the route at `route`.
fn both<'a>(schema: &Schema, time: &str, route: &str, datum: &'a [u8]) -> [Option<FoundField<'a>>; 2] {
    let (time, route) = (schema.time_field(time).ok(), schema.route_field(route).ok());
    let path = FieldPath::both(time, route);
    let (mut out, mut plain) = (Vec::new(), Vec::new());
    let rules = JsonRules::default();
    let found = write_members_and_find_both(schema, datum, LIMITS, rules, path.as_ref(), &mut out).unwrap();
    write_members(schema, datum, LIMITS, &mut plain).unwrap();
    assert_eq!(out, plain);
    found
}

#[test]
fn two_fields_are_found_in_one_walk() {
    let text = |text: &'static str| Some(FoundField::Text(text.into()));
    let schema = event(r#""string""#);
    let datum = datum(&counted(b"id-1"));
    assert_eq!(both(&schema, "before", "meta.id", &datum), [text("x"), text("id-1")]);
    assert_eq!(both(&schema, "meta.id", "before", &datum), [text("id-1"), text("x")]);
    assert_eq!(both(&schema, "meta.id", "meta.id", &datum), [text("id-1"), text("id-1")]);
    // Beside each other in one record, in a branch, and one of them null.
    assert_eq!(both(&schema, "meta.id", "again.id", &datum), [text("id-1"), None]);
    // Only one of them is looked for.
    assert_eq!(both(&schema, "nowhere", "before", &datum), [None, text("x")]);
    assert_eq!(both(&schema, "before", "nowhere", &datum), [text("x"), None]);
    assert_eq!(both(&schema, "nowhere", "nowhere", &datum), [None, None]);
}

#[test]
fn two_fields_are_found_in_the_branch_that_is_there() {
    let schema = schema(
        r#"[{"type":"record","name":"A","fields":[{"name":"t","type":"long"},{"name":"k","type":"string"}]},
            {"type":"record","name":"B","fields":[{"name":"k","type":"int"}]}]"#,
    );
    let [text, number] = [FoundField::Text("v".into()), FoundField::Integer(-3)];
    assert_eq!(both(&schema, "t", "k", &[0, 14, 2, b'v']), [Some(FoundField::Integer(7)), Some(text)]);
    assert_eq!(both(&schema, "t", "k", &[2, 5]), [None, Some(number)]);
}

#[test]
fn the_field_of_a_route_is_a_text_a_symbol_a_boolean_or_a_whole_number() {
    let found = |kind: &str, bytes: &[u8]| {
        let schema = event(kind);
        let path = FieldPath::both(None, Some(schema.route_field("meta.id").unwrap()));
        let (datum, mut out) = (datum(bytes), Vec::new());
        let found = write_members_and_find_both(&schema, &datum, LIMITS, JsonRules::default(), path.as_ref(), &mut out);
        found.unwrap()[1].clone().map(|found| found.into_text().into_owned())
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(found(r#""string""#, &counted("é".as_bytes())), some("é"));
    assert_eq!(found(r#"{"type":"enum","name":"E","symbols":["A","B"]}"#, &[2]), some("B"));
    assert_eq!(found(r#""boolean""#, &[1]), some("true"));
    assert_eq!(found(r#"["null","boolean"]"#, &[2, 0]), some("false"));
    assert_eq!(found(r#""int""#, &long(-7)), some("-7"));
    assert_eq!(found(r#""long""#, &long(i64::MIN)), some(&i64::MIN.to_string()));
    assert_eq!(found(r#"["null","string"]"#, &[0]), None);
    for kind in [logical("long", "timestamp-millis"), r#""double""#.to_owned(), r#""bytes""#.to_owned()] {
        assert!(event(&kind).route_field("meta.id").is_err(), "{kind}");
    }
    let text = event(r#""string""#);
    assert!(text.route_field("meta.skipped").unwrap_err().to_string().contains("its type is not a string, enum"));
    assert!(text.route_field("meta.skipped.x").unwrap_err().to_string().contains("the type before it is not a record"));
}

#[test]
fn an_unsuitable_field_is_refused_with_its_name() {
    let error = |schema: &Schema, dotted: &str| schema.field(dotted).unwrap_err().to_string();
    let text = event(r#""string""#);
    assert_eq!(error(&text, "meta.ids"), "field meta.ids: no field is called ids; the fields are skipped, id");
    assert_eq!(error(&text, ""), "field : no field is called ; the fields are before, meta, again");
    assert!(error(&text, "before.x").starts_with("field before.x: x has no parent record"));
    assert!(error(&text, "meta.skipped").starts_with("field meta.skipped: its type is not a string, uuid"));
    assert!(error(&text, "meta").starts_with("field meta: its type is not"));
    let kinds = [r#""double""#, r#""bytes""#, r#""boolean""#, r#""null""#, r#"["int","string"]"#];
    for kind in kinds.map(str::to_owned).into_iter().chain([logical("long", "timestamp-millis")]) {
        assert!(event(&kind).field("meta.id").is_err(), "{kind}");
    }
    assert!(event(r#""boolean""#).time_field("meta.id").is_err());
    assert!(schema(r#""string""#).field("value").is_err());
}

#[test]
fn an_error_lists_at_most_twenty_fields() {
    let error = |count: usize| {
        let fields: Vec<String> = (0..count).map(|number| format!(r#"{{"name":"f{number}","type":"int"}}"#)).collect();
        let json = format!(r#"{{"type":"record","name":"R","fields":[{}]}}"#, fields.join(","));
        schema(&json).field("id").unwrap_err().to_string()
    };
    assert!(error(20).ends_with("f18, f19"), "{}", error(20));
    assert!(error(21).ends_with("f19, …"), "{}", error(21));
}

#[test]
fn a_path_from_another_schema_finds_nothing() {
    let path = event(r#""string""#).field("meta.id").unwrap();
    let other =
        schema(r#"{"type":"record","name":"O","fields":[{"name":"a","type":"null"},{"name":"b","type":"boolean"}]}"#);
    assert_eq!(validate(&other, &[1], LIMITS, Some(&path)).unwrap(), None);
}
