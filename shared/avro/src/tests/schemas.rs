//! Which schemas are accepted, and their properties.

use super::*;

fn refused(json: &str) -> String {
    Schema::parse(json).unwrap_err().to_string()
}

#[test]
fn invalid_schema_texts_are_refused() {
    for json in ["", "{}", "string", r#""no.such.Type""#, r#"{"type":"record","name":"R"}"#, "[]", r#"{"type":"enum"}"#]
    {
        assert!(!refused(json).is_empty());
    }
}

#[test]
fn an_endless_record_is_refused() {
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

/// Thirty records, each with two fields of the next: a billion nulls in a datum without bytes.
#[test]
fn a_schema_with_a_billion_values_in_no_bytes_is_refused() {
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
fn a_record_without_bytes_has_at_most_a_thousand_types() {
    let record = |fields: usize| {
        let fields: Vec<String> =
            (0..fields).map(|number| format!(r#"{{"name":"f{number}","type":"null"}}"#)).collect();
        format!(r#"{{"type":"record","name":"R","fields":[{}]}}"#, fields.join(","))
    };
    assert!(Schema::parse(&record(999)).is_ok());
    assert!(refused(&record(1_000)).contains("takes no bytes"));
}

#[test]
fn the_texts_of_a_schema_have_a_largest_size_together() {
    let longest = format!("\"int\"{}", " ".repeat((4 << 20) - "\"int\"".len()));
    assert!(Schema::parse(&longest).is_ok());
    let error = Schema::parse_with_references(&longest, &[" "]).unwrap_err().to_string();
    assert!(error.contains("references included"), "{error}");
}

#[test]
fn a_schema_takes_more_memory_with_longer_names_and_more_branches() {
    let taken = |json: String| schema(&json).bytes();
    let name = |length: usize| "n".repeat(length);
    let record = |own: usize, field: usize| {
        let (own, field) = (name(own), name(field));
        taken(format!(r#"{{"type":"record","name":"{own}","fields":[{{"name":"{field}","type":"int"}}]}}"#))
    };
    assert_eq!(record(300, 1) - record(100, 1), 200);
    // As it is, in documents, and as JSON.
    assert_eq!(record(1, 300) - record(1, 100), 3 * 200);
    let symbol = |length: usize| taken(format!(r#"{{"type":"enum","name":"E","symbols":["{}"]}}"#, name(length)));
    assert_eq!(symbol(300) - symbol(100), 2 * 200);
    let union = |branches: usize| taken(format!("[{}]", vec!["\"int\""; branches].join(",")));
    assert_eq!(union(20) - union(10), 10 * (size_of::<node::SchemaNode>() + size_of::<node::NodeId>()));
}

#[test]
fn a_schema_nested_too_deep_is_refused_before_parsing() {
    let nested =
        |levels: usize| format!("{}\"null\"{}", r#"{"type":"array","items":"#.repeat(levels), "}".repeat(levels));
    assert!(Schema::parse(&nested(100)).is_ok());
    assert!(refused(&nested(100_000)).contains("levels deep"));
    assert!(Schema::parse(r#"{"type":"string","doc":"[[[[ \" {{{{ \\"}"#).is_ok());
    let quoted = format!(r#"{{"type":"string","doc":"\"{}"}}"#, "[".repeat(200));
    assert!(Schema::parse(&quoted).is_ok(), "brackets in a text do not count");
    let after = format!(r#"{{"doc":"\\","type":{}}}"#, nested(200));
    assert!(refused(&after).contains("levels deep"), "a backslash may end a text");
}

#[test]
fn a_decimal_with_too_large_a_scale_is_refused() {
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
    assert_eq!(refused(json), "record A, field y: type E is defined twice");
    assert!(Schema::parse(&json.replace("\"B\"", "\"A\"")).is_ok(), "the same again");
}

#[test]
fn names_are_resolved_by_namespace_and_alias() {
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
fn a_reference_to_a_named_type_keeps_its_logical_type() {
    let json = r#"{"type":"record","name":"A","fields":[
        {"name":"x","type":{"type":"fixed","name":"D","size":1,"logicalType":"decimal","precision":2,"scale":1}},
        {"name":"y","type":"D"}
    ]}"#;
    assert_eq!(written(&schema(json), &[15, 0xff], LIMITS).unwrap(), r#""x":"1.5","y":"-0.1""#);
}

#[test]
fn references_may_have_any_order_and_use_each_other() {
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
}

/// Each text alone is not nested, and references are not compiled recursively.
#[test]
fn a_long_chain_of_references_is_accepted() {
    let references: Vec<String> = (0..5_000)
        .map(|number| {
            format!(
                r#"{{"type":"record","name":"R{number}","fields":[{{"name":"f","type":["null","R{}"]}}]}}"#,
                if number < 4_999 { number + 1 } else { 0 }
            )
        })
        .collect();
    let references: Vec<&str> = references.iter().map(String::as_str).collect();
    let schema = Schema::parse_with_references(r#""R0""#, &references).unwrap();
    assert_eq!(written(&schema, &[2, 2, 0], LIMITS).unwrap(), r#""f":{"f":{"f":null}}"#);
}

/// The schemas of the Avro project's own tests, with their canonical forms and fingerprints.
#[test]
fn canonical_forms_and_fingerprints_match_the_avro_project() {
    let compiled = |json: &str| compile::compile(&[raw::parse(json).unwrap()]);
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
            match compiled(&input) {
                Ok(compiled) => canonical::write(&compiled, &mut form).unwrap(),
                // No value conforms to it.
                Err(error) if error.0.contains("a union has no branches") => continue,
                Err(error) => panic!("{error}: {input}"),
            }
            assert_eq!(form, expected, "{input}");
        } else if let Some(expected) = line.strip_prefix("<<fingerprint ") {
            let fingerprint = expected.parse::<i64>().unwrap().cast_unsigned();
            let Ok(compiled) = compiled(&input) else { continue };
            assert_eq!(canonical::fingerprint(&compiled), fingerprint, "{input}");
            checked += 1;
        }
    }
    assert!(checked > 10, "{checked}");
}

#[test]
fn attributes_irrelevant_to_reading_keep_the_fingerprint() {
    let plain = r#"{"type":"record","name":"n.R","fields":[{"name":"a","type":"bytes"},{"name":"b","type":"n.R"}]}"#;
    let plain = plain.replace(r#""n.R"}]"#, r#"["null","n.R"]}]"#);
    let adorned = r#"{"name":"R","namespace":"n","type":"record","doc":"d","aliases":["S"],"fields":[
        {"name":"a","order":"ignore","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2},"default":"x"},
        {"type":["null","R"],"name":"b"}]}"#;
    assert_eq!(schema(adorned).fingerprint(), schema(&plain).fingerprint());
    assert_ne!(schema(&plain.replace("bytes", "string")).fingerprint(), schema(&plain).fingerprint());
}

#[test]
fn schemas_mean_the_same_if_readers_get_the_same_values() {
    let record =
        |kind: &str| schema(&format!(r#"{{"type":"record","name":"R","fields":[{{"name":"a","type":{kind}}}]}}"#));
    let decimal = |precision, scale| {
        format!(r#"{{"type":"bytes","logicalType":"decimal","precision":{precision},"scale":{scale}}}"#)
    };
    let fixed = |size, rest: &str| format!(r#"{{"type":"fixed","name":"F","size":{size}{rest}}}"#);
    let groups = [
        vec![r#""bytes""#.to_owned(), decimal(9, 2), decimal(9, 4), decimal(12, 2), logical("bytes", "big-decimal")],
        vec![r#""string""#.to_owned(), logical("string", "uuid")],
        vec![r#""int""#.to_owned(), logical("int", "date"), logical("int", "time-millis")],
        ["time-micros", "timestamp-millis", "timestamp-micros", "timestamp-nanos"]
            .into_iter()
            .chain(["local-timestamp-millis", "local-timestamp-micros", "local-timestamp-nanos", "none"])
            .map(|name| logical("long", name))
            .collect(),
        vec![fixed(12, ""), fixed(12, r#","logicalType":"duration""#)],
        vec![fixed(16, ""), fixed(16, r#","logicalType":"uuid""#)],
        vec![fixed(4, ""), fixed(4, r#","logicalType":"decimal","precision":9,"scale":1"#)],
    ];
    for kinds in groups {
        for (left, right) in kinds.iter().flat_map(|left| kinds.iter().map(move |right| (left, right))) {
            let schemas = [record(left), record(right)];
            assert_eq!(schemas[0].fingerprint(), schemas[1].fingerprint(), "{left} {right}");
            assert_eq!(schemas[0].meaning() == schemas[1].meaning(), left == right, "{left} {right}");
        }
    }
}

#[test]
fn types_within_a_type_belong_to_its_meaning() {
    let kinds = [
        r#"{"type":"array","items":"int"}"#,
        r#"{"type":"array","items":"long"}"#,
        r#"{"type":"map","values":"int"}"#,
        r#"{"type":"map","values":"long"}"#,
        r#"["int","string"]"#,
        r#"["string","int"]"#,
        r#"["int","string","long"]"#,
        r#"["null","int"]"#,
        r#"["null","long"]"#,
        r#"["int","null"]"#,
        r#"{"type":"fixed","name":"F","size":4}"#,
        r#"{"type":"fixed","name":"F","size":5}"#,
    ];
    let meanings = kinds.map(|kind| schema(kind).meaning());
    for (kind, meaning) in kinds.iter().zip(&meanings) {
        assert_eq!(meanings.iter().filter(|other| *other == meaning).count(), 1, "{kind}");
    }
}

#[test]
fn attributes_that_readers_ignore_keep_the_meaning() {
    let plain = schema(
        r#"{"type":"record","name":"n.R","fields":[{"name":"a","type":"bytes"},{"name":"b","type":["null","n.R"]}]}"#,
    );
    let adorned = schema(
        r#"{"name":"R","namespace":"n","type":"record","doc":"d","aliases":["S"],"fields":[
        {"name":"a","order":"ignore","type":{"type":"bytes","logicalType":"unheard-of"},"default":"x"},
        {"type":["null","R"],"name":"b","default":null}]}"#,
    );
    assert_eq!(plain.meaning(), adorned.meaning());
    for other in [
        r#"{"type":"record","name":"n.R","fields":[{"name":"a","type":"bytes"},{"name":"b","type":["n.R","null"]}]}"#,
        r#"{"type":"record","name":"n.R","fields":[{"name":"c","type":"bytes"},{"name":"b","type":["null","n.R"]}]}"#,
        r#"{"type":"record","name":"m.R","fields":[{"name":"a","type":"bytes"},{"name":"b","type":["null","m.R"]}]}"#,
    ] {
        assert_ne!(plain.meaning(), schema(other).meaning(), "{other}");
    }
    let symbols = |list: &str| schema(&format!(r#"{{"type":"enum","name":"E","symbols":{list}}}"#)).meaning();
    assert_ne!(symbols(r#"["A","B"]"#), symbols(r#"["B","A"]"#));
}

#[test]
fn splitting_a_schema_into_references_keeps_its_meaning() {
    let whole = r#"{"type":"record","name":"e.E","fields":[{"name":"t","type":{"type":"enum","name":"t.T","symbols":["A"]}},{"name":"u","type":"t.T"}]}"#;
    let part = r#"{"type":"record","name":"e.E","fields":[{"name":"t","type":"t.T"},{"name":"u","type":"t.T"}]}"#;
    let tag = r#"{"type":"enum","name":"t.T","symbols":["A"]}"#;
    let referring = Schema::parse_with_references(part, &[tag]).unwrap();
    assert_eq!(referring.meaning(), schema(whole).meaning());
    assert_eq!(referring.fingerprint(), schema(whole).fingerprint());
}
