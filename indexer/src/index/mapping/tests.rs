use std::collections::BTreeMap;

use avro::{Decimals, Timestamps};
use serde_json::json;

use super::compare::{Conflict, compare, merge};
use super::*;
use crate::config::{Mapping, Maps};
use crate::index::mapping::limits::MAX_FIELDS;

const DECIMAL: &str = r#"{"type":"bytes","logicalType":"decimal","precision":40,"scale":2}"#;

fn rules() -> MappingRules {
    MappingRules {
        json: JsonRules::default(),
        fields: FieldRules::default(),
        config: Mapping::default(),
        at_timestamp: false,
    }
}

fn record(fields: &str) -> Schema {
    Schema::parse(&format!(r#"{{"type":"record","name":"E","fields":[{fields}]}}"#)).unwrap()
}

fn of(field_type: &str) -> Value {
    made(field_type, &rules()).0
}

fn made(field_type: &str, rules: &MappingRules) -> (Value, Vec<Note>) {
    let mut generated = generate(&record(&format!(r#"{{"name":"f","type":{field_type}}}"#)), rules);
    (generated.mapping["properties"]["f"].take(), generated.notes)
}

fn overridden(path: &str, text: &str) -> MappingRules {
    let wanted = serde_json::from_str(text).unwrap();
    MappingRules {
        config: Mapping { fields: BTreeMap::from([(path.to_owned(), wanted)]), ..Mapping::default() },
        ..rules()
    }
}

#[test]
fn each_avro_type_has_the_field_type_of_the_table() {
    let logical = |base: &str, name: &str| format!(r#"{{"type":{base},"logicalType":"{name}"}}"#);
    let fixed = |size: u32| format!(r#"{{"type":"fixed","name":"F","size":{size}}}"#);
    for (field_type, expected) in [
        (r#""null""#.to_owned(), "keyword"),
        (r#""boolean""#.to_owned(), "boolean"),
        (r#""int""#.to_owned(), "integer"),
        (r#""long""#.to_owned(), "long"),
        (r#""float""#.to_owned(), "float"),
        (r#""double""#.to_owned(), "double"),
        (r#""bytes""#.to_owned(), "binary"),
        (fixed(3), "binary"),
        (r#""string""#.to_owned(), "keyword"),
        (r#"{"type":"enum","name":"N","symbols":["A"]}"#.to_owned(), "keyword"),
        (r#"{"type":"array","items":"long"}"#.to_owned(), "long"),
        (r#"{"type":"array","items":{"type":"array","items":"int"}}"#.to_owned(), "integer"),
        (r#"{"type":"map","values":"long"}"#.to_owned(), "flattened"),
        (r#"["null","double"]"#.to_owned(), "double"),
        (r#"{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}"#.to_owned(), "keyword"),
        (logical(r#""bytes""#, "big-decimal"), "keyword"),
        (logical(r#""string""#, "uuid"), "keyword"),
        (logical(r#""int""#, "date"), "date"),
        (logical(r#""int""#, "time-millis"), "keyword"),
        (logical(r#""long""#, "time-micros"), "keyword"),
        (logical(r#""long""#, "timestamp-millis"), "date"),
        (logical(r#""long""#, "timestamp-nanos"), "date"),
        (logical(r#""long""#, "local-timestamp-micros"), "date"),
        (logical(r#""string""#, "unheard-of"), "keyword"),
    ] {
        assert_eq!(of(&field_type)["type"], expected, "{field_type}");
    }
    let duration = of(r#"{"type":"fixed","name":"D","size":12,"logicalType":"duration"}"#);
    assert_eq!(duration["properties"]["milliseconds"], json!({ "type": "long" }));
}

#[test]
fn documents_and_mapping_follow_the_same_rules() {
    let decimal = r#"{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}"#;
    let json = JsonRules { decimals: Decimals::Number, timestamps: Timestamps::Epoch, ..JsonRules::default() };
    let (field, _) = made(decimal, &MappingRules { json, ..rules() });
    assert_eq!(field, json!({ "type": "double", "ignore_malformed": true }));
}

#[test]
fn a_document_that_is_not_a_record_has_one_field() {
    let generated = generate(&Schema::parse(r#""long""#).unwrap(), &rules());
    assert_eq!(generated.mapping["properties"]["value"], json!({ "type": "long" }));
    assert_eq!(generated.mapping["properties"]["_ingested_at"]["type"], "date");
}

#[test]
fn a_data_stream_has_a_timestamp_field() {
    let mapping = without_fields(&MappingRules { at_timestamp: true, ..rules() });
    assert_eq!(mapping["properties"]["@timestamp"], json!({ "type": "date" }));
}

#[test]
fn names_reserved_by_elasticsearch_are_renamed_as_in_the_document() {
    let schema = record(r#"{"name":"_id","type":"string"},{"name":"_ingested_at","type":"long"}"#);
    let properties = generate(&schema, &rules()).mapping["properties"].take();
    assert_eq!(properties["_id_"]["type"], "keyword");
    assert_eq!(
        (&properties["_ingested_at"]["type"], &properties["_ingested_at_"]["type"]),
        (&json!("date"), &json!("long"))
    );
}

#[test]
fn records_and_arrays_of_records_are_objects() {
    let inner = r#"{"type":"record","name":"I","fields":[{"name":"x","type":"int"}]}"#;
    let expected = json!({ "properties": { "x": { "type": "integer" } } });
    assert_eq!(of(inner), expected);
    assert_eq!(of(&format!(r#"{{"type":"array","items":{inner}}}"#)), expected);
    assert_eq!(of(r#"{"type":"record","name":"I","fields":[]}"#), json!({ "type": "object" }));
}

#[test]
fn a_recursive_record_is_followed_as_often_as_the_config_says() {
    let schema = record(r#"{"name":"child","type":["null","E"]},{"name":"x","type":"int"}"#);
    let config = Mapping { recursion: 1, ..Mapping::default() };
    let generated = generate(&schema, &MappingRules { config, ..rules() });
    let child = &generated.mapping["properties"]["child"];
    assert_eq!(child["properties"]["x"]["type"], "integer");
    assert_eq!(child["properties"]["child"], json!({ "type": "object", "enabled": false }));
    assert_eq!(generated.notes, [Note { path: "child.child".to_owned(), kind: NoteKind::Recursive }]);
}

#[test]
fn records_that_contain_themselves_in_many_ways_stay_within_the_limit() {
    let fields: Vec<String> = (0..12).map(|n| format!(r#"{{"name":"f{n}","type":["null","E"]}}"#)).collect();
    let generated = generate(&record(&fields.join(",")), &rules());
    assert!(count_fields(&generated.mapping) <= MAX_FIELDS + 1, "{}", count_fields(&generated.mapping));
    assert!(generated.notes.iter().any(|note| note.kind == NoteKind::TooMany));
}

#[test]
fn fields_beyond_the_limit_are_left_out_and_documents_are_accepted() {
    let duration = |n| json!({ "type": "fixed", "size": 12, "logicalType": "duration", "name": format!("D{n}") });
    let fields: Vec<String> =
        (0..MAX_FIELDS).map(|n| json!({ "name": format!("f{n}"), "type": duration(n) }).to_string()).collect();
    let mapping = generate(&record(&fields.join(",")), &rules()).mapping;
    assert_eq!(mapping["dynamic"], "false");
    assert!((MAX_FIELDS - 4..=MAX_FIELDS + 4).contains(&count_fields(&mapping)), "{}", count_fields(&mapping));
    // A strict mapping becomes one that accepts them, and is then left unchanged.
    let mut live = mapping.clone();
    live["dynamic"] = json!("strict");
    assert_eq!(compare(&mapping, &live).addition, Some(json!({ "dynamic": "false" })));
    assert_eq!(compare(&live, &mapping), compare::Difference::default());
}

#[test]
fn a_map_whose_path_is_too_long_is_not_indexed() {
    let nested = |levels: usize| {
        let name = "n".repeat(500);
        let map = r#"{"type":"map","values":"string"}"#.to_owned();
        (1..levels).fold(map, |inner, level| {
            format!(r#"{{"type":"record","name":"R{level}","fields":[{{"name":"{name}","type":{inner}}}]}}"#)
        })
    };
    // Each name has 501 bytes with its dot, except the first, which is `f`.
    assert!(made(&nested(4), &rules()).1.is_empty());
    assert_eq!(made(&nested(5), &rules()).1[0].kind, NoteKind::TooLong);
}

#[test]
fn nothing_is_nested_deeper_than_elasticsearch_allows() {
    let mut inner = r#""int""#.to_owned();
    for depth in 0..30 {
        inner = format!(r#"{{"type":"record","name":"R{depth}","fields":[{{"name":"f","type":{inner}}}]}}"#);
    }
    let (_, notes) = made(&inner, &rules());
    assert!(notes.iter().any(|note| note.kind == NoteKind::TooDeep), "{notes:?}");
}

#[test]
fn a_union_becomes_the_narrowest_type_that_accepts_all_branches() {
    for (union, expected) in [
        (r#"["int","long"]"#, "long"),
        (r#"["null","float","double"]"#, "double"),
        (r#"["int","float"]"#, "double"),
        (r#"["string","long"]"#, "keyword"),
        (r#"["boolean","double"]"#, "keyword"),
        (r#"["int",{"type":"array","items":"long"}]"#, "long"),
        (r#"["null"]"#, "keyword"),
    ] {
        assert_eq!(of(union)["type"], expected, "{union}");
    }
    // A decimal may exceed a double, whatever the other type is.
    let numbers = JsonRules { decimals: Decimals::Number, ..JsonRules::default() };
    for other in ["double", "long"] {
        for union in [format!(r#"["{other}",{DECIMAL}]"#), format!(r#"["null",{DECIMAL},"{other}"]"#)] {
            let (field, _) = made(&union, &MappingRules { json: numbers, ..rules() });
            assert_eq!(field, json!({ "type": "double", "ignore_malformed": true }), "{union}");
        }
    }
    let records = r#"[{"type":"record","name":"A","fields":[{"name":"x","type":"int"},{"name":"y","type":"string"}]},
        {"type":"record","name":"B","fields":[{"name":"x","type":"long"},{"name":"z","type":"boolean"}]}]"#;
    let common = of(records);
    assert_eq!(common["properties"]["x"]["type"], "long");
    assert_eq!(common["properties"].as_object().unwrap().len(), 3);
}

#[test]
fn a_union_without_a_common_type_is_noted_and_not_indexed() {
    let union = r#"["string",{"type":"record","name":"A","fields":[]}]"#;
    let (field, notes) = made(union, &rules());
    assert_eq!(field, json!({ "type": "object", "enabled": false }));
    let said = notes[0].to_string();
    assert!(said.contains("field f") && said.contains("keyword and object") && said.contains("fields.f"), "{said}");
    let (field, notes) = made(union, &overridden("f", r#"{"type":"object","enabled":false}"#));
    assert_eq!((field, notes), (json!({ "type": "object", "enabled": false }), Vec::new()));
}

#[test]
fn the_config_can_change_the_type_of_a_field() {
    let text = json!({ "type": "text", "analyzer": "english", "fields": { "keyword": { "type": "keyword", "ignore_above": 256 } } });
    assert_eq!(made(r#""string""#, &overridden("f", r#"{"type":"text","analyzer":"english"}"#)).0, text);
    let scaled = json!({ "type": "scaled_float", "scaling_factor": 100.0 });
    assert_eq!(made(r#""double""#, &overridden("f", r#"{"type":"scaled_float","scaling_factor":100}"#)).0, scaled);
    let records = r#"{"type":"array","items":{"type":"record","name":"I","fields":[{"name":"x","type":"int"}]}}"#;
    assert_eq!(
        made(records, &overridden("f", r#"{"type":"nested"}"#)).0,
        json!({ "type": "nested", "properties": { "x": { "type": "integer" } } })
    );
    assert_eq!(made(records, &overridden("f.x", r#"{"type":"long"}"#)).0["properties"]["x"], json!({ "type": "long" }));
    let (_, notes) = made(r#""int""#, &overridden("g", r#"{"type":"long"}"#));
    assert_eq!(notes, [Note { path: "g".to_owned(), kind: NoteKind::Unused }]);
}

#[test]
fn a_map_as_an_object_accepts_any_key_with_typed_values() {
    let config = Mapping { maps: Maps::Object, ..Mapping::default() };
    let schema = record(r#"{"name":"m","type":{"type":"map","values":"double"}}"#);
    let mapping = generate(&schema, &MappingRules { config, ..rules() }).mapping;
    assert_eq!(mapping["properties"]["m"], json!({ "type": "object", "dynamic": "true" }));
    assert_eq!(mapping["dynamic_templates"][0]["values_of_m"]["path_match"], "m.*");
    assert_eq!(mapping["dynamic_templates"][0]["values_of_m"]["mapping"], json!({ "type": "double" }));
}

fn mapping(properties: Value) -> Value {
    json!({ "properties": properties })
}

#[test]
fn only_missing_fields_are_added_to_a_live_mapping() {
    let wanted = mapping(json!({
        "a": { "type": "long" }, "new": { "type": "keyword" },
        "o": { "properties": { "x": { "type": "date" }, "y": { "type": "date" } } },
        "t": { "type": "text", "fields": { "keyword": { "type": "keyword" } } },
    }));
    let live = mapping(json!({
        "a": { "type": "long" }, "o": { "properties": { "x": { "type": "date" } } }, "theirs": { "type": "ip" },
        "t": { "type": "text", "analyzer": "english" },
    }));
    let difference = compare(&wanted, &live);
    let missing: Vec<&str> = difference.missing.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(missing, ["new", "o.y", "t.keyword"]);
    assert_eq!(
        difference.addition.unwrap(),
        mapping(json!({
            "new": { "type": "keyword" }, "o": { "properties": { "y": { "type": "date" } } },
            "t": { "type": "text", "analyzer": "english", "fields": { "keyword": { "type": "keyword" } } },
        }))
    );
    assert!(difference.conflicts.is_empty());
    assert_eq!(compare(&live, &live), compare::Difference::default());
}

#[test]
fn a_conflict_names_both_types_and_a_wider_number_is_accepted() {
    let field = |name: &str| mapping(json!({ "f": { "type": name } }));
    for (wanted, live, conflicts) in
        [("long", "integer", true), ("integer", "long", false), ("float", "double", false), ("keyword", "long", true)]
    {
        let expected = Conflict { path: "f".to_owned(), wanted: wanted.to_owned(), live: live.to_owned() };
        let found = compare(&field(wanted), &field(live));
        assert_eq!(found.conflicts, if conflicts { vec![expected] } else { Vec::new() });
        assert_eq!(found.addition, None);
    }
    let object = mapping(json!({ "f": { "properties": { "x": { "type": "long" } } } }));
    assert_eq!(compare(&object, &field("long")).conflicts[0].wanted, "object");
}

#[test]
fn merging_keeps_existing_fields_and_takes_the_wider_type() {
    let base = json!({ "dynamic": "strict", "properties": {
        "a": { "type": "integer" }, "o": { "properties": { "x": { "type": "date" } } }, "s": { "type": "ip" }, "c": { "type": "keyword" }
    } });
    let added = json!({ "dynamic": "false", "properties": {
        "a": { "type": "long" }, "o": { "properties": { "y": { "type": "date" } } }, "s": { "type": "keyword" }, "n": { "type": "date" },
        "c": { "type": "text" }
    } });
    let chosen = BTreeMap::from([("c".to_owned(), serde_json::from_str(r#"{"type":"text"}"#).unwrap())]);
    let expected = json!({ "dynamic": "strict", "properties": {
        "a": { "type": "long" }, "o": { "properties": { "x": { "type": "date" }, "y": { "type": "date" } } },
        "s": { "type": "ip" }, "n": { "type": "date" }, "c": { "type": "text" }
    } });
    assert_eq!(merge(&base, &added, &chosen), expected);
    assert_eq!(merge(&expected, &added, &chosen), expected);
}

#[test]
fn a_union_of_records_at_the_root_has_the_fields_of_all_records() {
    let call = r#"{"type":"record","name":"Call","fields":[
        {"name":"event_id","type":"string"},{"name":"seconds","type":"int"},{"name":"who","type":"string"},
        {"name":"meta","type":{"type":"record","name":"M","fields":[{"name":"a","type":"int"}]}}]}"#;
    let chat = r#"{"type":"record","name":"Chat","fields":[
        {"name":"event_id","type":"string"},{"name":"seconds","type":["null","long"]},{"name":"who","type":{"type":"map","values":"int"}},
        {"name":"meta","type":["null",{"type":"record","name":"N","fields":[{"name":"b","type":"boolean"}]}]}]}"#;
    let schema = Schema::parse(&format!(r#"["null",{call},{chat},"double"]"#)).unwrap();
    let Generated { mapping, notes } = generate(&schema, &rules());
    let field = |path: &str| mapping.pointer(&format!("/properties/{path}/type")).cloned().unwrap_or_default();
    assert_eq!(
        (field("event_id"), field("seconds"), field("value")),
        (json!("keyword"), json!("long"), json!("double"))
    );
    assert_eq!((field("meta/properties/a"), field("meta/properties/b")), (json!("integer"), json!("boolean")));
    assert_eq!(mapping["properties"]["who"], json!({ "type": "object", "enabled": false }));
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(matches!(&notes[0], Note { path, kind: NoteKind::Ambiguous(_) } if path == "who"), "{notes:?}");
    assert_eq!(mapping["properties"].get("_event_type"), None);
    let named = MappingRules { json: JsonRules { event_type: EventType::Name, ..JsonRules::default() }, ..rules() };
    assert_eq!(generate(&schema, &named).mapping["properties"]["_event_type"]["type"], "keyword");
}

/// Five fields, each a union of all records, each with five such fields: 5 × 200 × 5 × 200 × … paths.
#[test]
fn nested_unions_of_records_take_bounded_work() {
    let names: Vec<String> = (0..200).map(|number| format!("\"R{number}\"")).collect();
    let fields: Vec<String> =
        (0..5).map(|number| format!(r#"{{"name":"f{number}","type":["null",{}]}}"#, names.join(","))).collect();
    let records: Vec<String> = (0..200)
        .map(|number| format!(r#"{{"type":"record","name":"R{number}","fields":[{}]}}"#, fields.join(",")))
        .collect();
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    let schema = Schema::parse_with_references("\"R0\"", &records).unwrap();
    let Generated { mapping, notes } = generate(&schema, &rules());
    assert!(notes.iter().any(|note| note.kind == NoteKind::TooMany), "{notes:?}");
    assert!(count_fields(&mapping) <= MAX_FIELDS + 10);
}

#[test]
fn the_mapping_follows_the_rules_for_fields() {
    let fields = |text: &str| FieldRules::new(&serde_json::from_str(text).unwrap(), Some(&[7; 16])).unwrap();
    let schema = record(
        r#"{"name":"a","type":"long"},{"name":"b","type":"bytes"},{"name":"c","type":"int"},
        {"name":"d","type":{"type":"map","values":"long"}},{"name":"e","type":"boolean"}"#,
    );
    let given = r#"{"a":"hash","b":"drop","c":{"rename":"f"},"d":"mask","e":{"keep_last":1}}"#;
    let generated = generate(&schema, &MappingRules { fields: fields(given), ..rules() });
    let found: BTreeMap<&str, &str> = generated.mapping["properties"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, field)| (name.as_str(), field["type"].as_str().unwrap()))
        .collect();
    let expected = [("_ingested_at", "date"), ("a", "keyword"), ("d", "keyword"), ("e", "keyword"), ("f", "integer")];
    assert_eq!(found, expected.into());

    let clash = generate(&schema, &MappingRules { fields: fields(r#"{"a":{"rename":"b"}}"#), ..rules() });
    assert_eq!(clash.mapping, without_fields(&rules()));
    assert!(matches!(&clash.notes[..], [Note { kind: NoteKind::Unruly(why), .. }] if why.contains("called b")));
}

/// What Elasticsearch takes and `OpenSearch` refuses, wherever it stands.
#[test]
fn opensearch_has_booleans_and_maps_without_parameters() {
    let boolean = json!({ "type": "boolean", "ignore_malformed": true });
    let date = json!({ "type": "date", "ignore_malformed": true });
    let of = |boolean: &Value, map: &Value| {
        json!({
            "dynamic_templates": [{ "values_of_m": { "path_match": "m.*", "mapping": boolean } }],
            "properties": { "a": boolean, "d": date, "o": { "properties": { "b": boolean, "m": map } } },
        })
    };
    let there = of(&boolean, &fragment::flattened());
    let here = of(&json!({ "type": "boolean" }), &json!({ "type": "flat_object" }));
    assert_eq!(flavour::for_opensearch(there), here);
}
