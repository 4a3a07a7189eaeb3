//! Which schemas are taken, and what is known of them.

use super::*;

fn refused(json: &str) -> String {
    Schema::parse(json).unwrap_err().to_string()
}

#[test]
fn texts_that_are_no_schema_are_refused() {
    for json in ["", "{}", "string", r#""no.such.Type""#, r#"{"type":"record","name":"R"}"#, "[]", r#"{"type":"enum"}"#]
    {
        assert!(!refused(json).is_empty());
    }
}

#[test]
fn a_record_without_end_is_refused() {
    let endless = [
        r#"{"type":"record","name":"A","fields":[{"name":"a","type":"A"}]}"#,
        r#"{"type":"record","name":"A","fields":[{"name":"a","type":["A"]}]}"#,
        r#"{"type":"record","name":"A","fields":[{"name":"i","type":"int"},{"name":"b","type":
            {"type":"record","name":"B","fields":[{"name":"a","type":"A"}]}}]}"#,
    ];
    for json in endless {
        assert!(refused(json).contains("no end"), "{json}");
    }
    let ending = [
        r#"{"type":"record","name":"A","fields":[{"name":"a","type":["null","A"]}]}"#,
        r#"{"type":"record","name":"A","fields":[{"name":"a","type":{"type":"array","items":"A"}}]}"#,
        r#"{"type":"record","name":"A","fields":[{"name":"b","type":
            {"type":"record","name":"B","fields":[{"name":"a","type":["string","A"]}]}}]}"#,
    ];
    for json in ending {
        assert!(Schema::parse(json).is_ok(), "{json}");
    }
}

/// Thirty records, each of two fields of the next: a billion nulls in a datum without bytes.
#[test]
fn a_schema_that_holds_a_billion_values_in_no_bytes_is_refused() {
    let mut json = r#""null""#.to_owned();
    for number in 0..30 {
        json = format!(
            r#"{{"type":"record","name":"R{number}","fields":[{{"name":"a","type":{json}}},{{"name":"b","type":"{}"}}]}}"#,
            if number == 0 { "null".to_owned() } else { format!("R{}", number - 1) },
        );
    }
    assert!(refused(&json).contains("takes no bytes"), "{}", refused(&json));
}

#[test]
fn a_schema_nested_too_deep_is_refused_and_not_parsed() {
    let nested =
        |levels: usize| format!("{}\"null\"{}", r#"{"type":"array","items":"#.repeat(levels), "}".repeat(levels));
    assert!(Schema::parse(&nested(100)).is_ok());
    assert!(refused(&nested(100_000)).contains("levels deep"));
    assert!(Schema::parse(r#"{"type":"string","doc":"[[[[ \" {{{{ \\"}"#).is_ok());
}

#[test]
fn a_decimal_of_too_many_digits_after_the_point_is_refused() {
    let json = |scale| format!(r#"{{"type":"bytes","logicalType":"decimal","precision":900000000,"scale":{scale}}}"#);
    assert!(Schema::parse(&json(1_000)).is_ok());
    assert!(refused(&json(1_001)).contains("scale is 1001"));
}

#[test]
fn a_type_defined_twice_is_refused() {
    let json = r#"{"type":"record","name":"A","fields":[
        {"name":"x","type":{"type":"enum","name":"E","symbols":["A"]}},
        {"name":"y","type":{"type":"enum","name":"E","symbols":["B"]}}
    ]}"#;
    assert_eq!(refused(json), "type E is defined twice");
}

#[test]
fn names_are_looked_up_with_their_namespace_and_by_alias() {
    let json = r#"{"type":"record","name":"a.A","fields":[
        {"name":"x","type":{"type":"fixed","name":"F","size":1,"aliases":["Old"]}},
        {"name":"y","type":"a.F"},
        {"name":"z","type":{"type":"record","name":"b.B","fields":[{"name":"w","type":"a.F"}]}},
        {"name":"v","type":"b.B"},
        {"name":"u","type":"Old"}
    ]}"#;
    let schema = schema(json);
    assert_eq!(schema.fullname(), Some("a.A"));
    let text = written(&schema, b"abcde", LIMITS).unwrap();
    assert_eq!(text, r#""x":"YQ==","y":"Yg==","z":{"w":"Yw=="},"v":{"w":"ZA=="},"u":"ZQ==""#);
}

#[test]
fn a_named_logical_type_is_the_same_where_it_is_named_again() {
    let json = r#"{"type":"record","name":"A","fields":[
        {"name":"x","type":{"type":"fixed","name":"D","size":1,"logicalType":"decimal","precision":2,"scale":1}},
        {"name":"y","type":"D"}
    ]}"#;
    assert_eq!(written(&schema(json), &[15, 0xff], LIMITS).unwrap(), r#""x":"1.5","y":"-0.1""#);
}

#[test]
fn references_are_given_in_any_order_and_may_use_each_other() {
    let event = r#"{"type":"record","name":"Event","namespace":"e","fields":[
        {"name":"tag","type":"t.Tag"},{"name":"color","type":"t.Color"},{"name":"money","type":["null","t.Money"]},
        {"name":"cents","type":"t.Cents"}]}"#;
    let tag = r#"{"type":"record","name":"t.Tag","fields":[{"name":"color","type":"t.Color"},{"name":"next","type":["null","t.Tag"]}]}"#;
    let color = r#"{"type":"enum","name":"t.Color","symbols":["RED","BLUE"]}"#;
    let money = r#"{"type":"record","name":"t.Money","fields":[{"name":"cents","type":
        {"type":"fixed","name":"t.Cents","size":1,"logicalType":"decimal","precision":2,"scale":2}}]}"#;
    let mut fingerprints = Vec::new();
    for references in [[tag, color, money], [money, color, tag], [color, money, tag]] {
        let schema = Schema::parse_with_references(event, &references).unwrap();
        let text = written(&schema, &[2, 2, 0, 0, 0, 2, 7, 9], LIMITS).unwrap();
        let expected = r#""tag":{"color":"BLUE","next":{"color":"RED","next":null}},"color":"RED","money":{"cents":"0.07"},"cents":"0.09""#;
        assert_eq!(text, expected);
        assert_eq!(schema.fullname(), Some("e.Event"));
        fingerprints.push(schema.fingerprint());
    }
    assert!(fingerprints.iter().all(|fingerprint| *fingerprint == fingerprints[0]));
    assert!(Schema::parse_with_references(event, &[color, money]).is_err());
    assert!(Schema::parse_with_references(event, &[tag, color, money, color]).is_err());
}

#[test]
fn a_reference_that_defines_no_type_is_refused() {
    for reference in
        [r#""string""#, "[]", "{}", "no json", r#"{"type":{"type":"record","name":"Y","fields":[]},"name":"X"}"#]
    {
        assert!(Schema::parse_with_references(r#""int""#, &[reference]).is_err(), "{reference}");
    }
}

#[test]
fn references_together_may_not_be_nested_too_deep() {
    let references: Vec<String> = (0..50)
        .map(|number| {
            format!(
                r#"{{"type":"record","name":"R{number}","fields":[{{"name":"f","type":["null","R{}"]}}]}}"#,
                number + 1
            )
        })
        .collect();
    let references: Vec<&str> = references.iter().map(String::as_str).collect();
    let error = Schema::parse_with_references(r#""int""#, &references).unwrap_err();
    assert!(error.to_string().contains("levels deep"));
}

/// The schemas of the Avro project's own tests, with their canonical forms and fingerprints.
#[test]
fn canonical_forms_and_fingerprints_are_those_of_the_avro_project() {
    // Not through ours, which refuses a union without branches.
    let avro = |json: &str| apache_avro::Schema::parse_str(json).unwrap();
    const TESTS: &str = include_str!("../../../../tests/data/avro/schema-tests.txt");
    let (mut input, mut checked) = (String::new(), 0);
    let mut lines = TESTS.lines();
    while let Some(line) = lines.next() {
        if line == "<<INPUT" {
            input = lines.by_ref().take_while(|line| *line != "INPUT").collect();
        } else if let Some(schema) = line.strip_prefix("<<INPUT ") {
            schema.clone_into(&mut input);
        } else if let Some(expected) = line.strip_prefix("<<canonical ") {
            let mut form = String::new();
            canonical::write(&avro(&input), &mut form);
            assert_eq!(form, expected, "{input}");
        } else if let Some(expected) = line.strip_prefix("<<fingerprint ") {
            let fingerprint = expected.parse::<i64>().unwrap().cast_unsigned();
            assert_eq!(canonical::fingerprint(&avro(&input)), fingerprint, "{input}");
            checked += 1;
        }
    }
    assert!(checked > 10, "{checked}");
}

#[test]
fn what_does_not_change_how_a_datum_is_read_does_not_change_the_fingerprint() {
    let plain = r#"{"type":"record","name":"n.R","fields":[{"name":"a","type":"bytes"},{"name":"b","type":"n.R"}]}"#;
    let plain = plain.replace(r#""n.R"}]"#, r#"["null","n.R"]}]"#);
    let adorned = r#"{"name":"R","namespace":"n","type":"record","doc":"d","aliases":["S"],"fields":[
        {"name":"a","order":"ignore","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2},"default":"x"},
        {"type":["null","R"],"name":"b"}]}"#;
    assert_eq!(schema(adorned).fingerprint(), schema(&plain).fingerprint());
    assert_ne!(schema(&plain.replace("bytes", "string")).fingerprint(), schema(&plain).fingerprint());
}

#[test]
fn the_tree_can_be_seen() {
    let schema = schema(r#"{"type":"record","name":"A","fields":[{"name":"x","type":"int"}]}"#);
    let apache_avro::Schema::Record(record) = schema.avro() else { panic!("not a record") };
    assert_eq!(record.fields[0].name, "x");
    assert!(format!("{schema:?}").contains("\"A\""));
}
