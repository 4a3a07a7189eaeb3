use super::*;

fn record(fields: &str) -> String {
    format!(r#"{{"type": "record", "name": "E", "fields": [{fields}]}}"#)
}

#[test]
fn without_a_reason_the_comparison_names_field_and_direction() {
    let a = r#"{"name": "a", "type": "string"}"#;
    let (one, two) = (record(a), record(&format!(r#"{a}, {{"name": "b", "type": "int"}}"#)));
    let reason = compared(&one, &two);
    assert!(reason.starts_with("events of the old schema") && reason.contains('b'), "{reason}");
    let reason = compared(&two, &one);
    assert!(reason.starts_with("events of the new schema") && reason.contains('b'), "{reason}");
    assert!(compared(&one, &one).contains("nothing wrong"));
    assert!(compared("nonsense", &one).contains("does not say why"));
}

/// The cases of confluentinc/schema-registry (`AvroCompatibilityTest`) and Apicurio/apicurio-registry
/// (`compatibility-test-data.json`). Both directions are possible: `both`, only the new schema reads events of the old
/// one: `backward`, or not even that.
#[test]
fn the_cases_of_confluent_and_apicurio_have_their_direction() {
    let f1 = r#"{"name": "f1", "type": "string"}"#;
    let one = record(f1);
    let default = record(&format!(r#"{f1}, {{"name": "f2", "type": "string", "default": "foo"}}"#));
    let required = record(&format!(r#"{f1}, {{"name": "f2", "type": "string"}}"#));
    let renamed = record(r#"{"name": "f1_new", "type": "string", "aliases": ["f1"]}"#);
    let nullable = record(r#"{"name": "f1", "type": ["null", "string"], "doc": "doc of f1"}"#);
    let three = record(r#"{"name": "f1", "type": ["null", "string", "int"], "doc": "doc of f1"}"#);
    let other = one.replace(r#""E""#, r#""F""#);
    let symbols = |list: &str| {
        record(&format!(
            r#"{{"name": "fuelType", "type": {{"type": "enum", "name": "FuelType", "symbols": [{list}]}}}}"#
        ))
    };
    let (two, more) = (symbols(r#""GASOLINE", "DIESEL""#), symbols(r#""GASOLINE", "DIESEL", "TEST""#));
    let (both, backward, none) =
        ("the registry does not say why; compared", "events of the new schema", "events of the old schema");
    for (old, new, expected) in [
        (&one, &default, both),
        (&one, &required, none),
        (&one, &renamed, backward),
        (&one, &nullable, backward),
        (&nullable, &one, none),
        (&nullable, &three, backward),
        (&three, &nullable, none),
        (&default, &required, both),
        (&required, &default, both),
        (&default, &one, both),
        (&required, &one, backward),
        (&one, &other, none),
        (&two, &more, backward),
        (&more, &two, none),
    ] {
        let reason = compared(old, new);
        assert!(reason.starts_with(expected), "{old} to {new}: {reason}");
    }
}
