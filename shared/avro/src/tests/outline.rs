//! The outline of documents: the shape of each type, and the type of its field.

use std::collections::BTreeMap;

use super::*;

fn ids(types: Vec<TypeRef<'_>>) -> Vec<u32> {
    types.into_iter().map(TypeRef::id).collect()
}

#[test]
fn each_type_has_its_kind_and_its_field_type() {
    let plain = |name: &str| format!("\"{name}\"");
    let fixed = |size: usize, name: &str| {
        format!(r#"{{"type":"fixed","name":"F","size":{size},"logicalType":"{name}","precision":4,"scale":1}}"#)
    };
    for (json, kind, field_type) in [
        (plain("boolean"), Kind::Boolean, FieldType::Boolean),
        (plain("int"), Kind::Int, FieldType::Integer),
        (plain("long"), Kind::Long, FieldType::Long),
        (plain("float"), Kind::Float, FieldType::Float),
        (plain("double"), Kind::Double, FieldType::Double),
        (plain("bytes"), Kind::Bytes, FieldType::Binary),
        (fixed(2, "none"), Kind::Bytes, FieldType::Binary),
        (plain("string"), Kind::Text, FieldType::Keyword),
        (r#"{"type":"enum","name":"E","symbols":["A"]}"#.to_owned(), Kind::Symbol, FieldType::Keyword),
        (logical("string", "uuid"), Kind::Uuid, FieldType::Keyword),
        (fixed(16, "uuid"), Kind::Uuid, FieldType::Keyword),
        (fixed(3, "decimal"), Kind::Decimal, FieldType::Keyword),
        (logical("bytes", "big-decimal"), Kind::Decimal, FieldType::Keyword),
        (logical("int", "date"), Kind::Date, FieldType::Date),
        (logical("int", "time-millis"), Kind::Time, FieldType::Keyword),
        (logical("long", "time-micros"), Kind::Time, FieldType::Keyword),
        (logical("long", "timestamp-micros"), Kind::Timestamp, FieldType::Date),
        (fixed(12, "duration"), Kind::Duration, FieldType::Duration),
    ] {
        let schema = schema(&json);
        let Outline::Value(found) = schema.root().outline() else { panic!("{json}") };
        assert_eq!((found, found.field_type(JsonRules::default())), (kind, field_type), "{json}");
    }
    let numbers = JsonRules { decimals: Decimals::Number, ..JsonRules::default() };
    assert_eq!(Kind::Decimal.field_type(numbers), FieldType::WideDouble);
    assert_eq!(Kind::Text.field_type(numbers), FieldType::Keyword);
}

#[test]
fn a_record_within_itself_has_the_same_number() {
    let schema = schema(
        r#"{"type":"record","name":"R","fields":[{"name":"next","type":["null","R"]},
            {"name":"any","type":["null","int","R"]},{"name":"nothing","type":"null"}]}"#,
    );
    let root = schema.root();
    let Outline::Record(fields) = root.outline() else { panic!("no record") };
    let [next, any, nothing] = [0, 1, 2].map(|number: usize| fields[number].1);
    assert!(root.is_record() && !next.is_record());
    assert_ne!(next.id(), root.id());
    assert_eq!(ids(root.branches()), [root.id()]);
    assert_eq!(ids(next.branches()), [root.id()]);
    assert_eq!((ids(any.branches()).len(), ids(any.branches()).last()), (2, Some(&root.id())));
    assert!(nothing.branches().is_empty());
}

#[test]
fn a_type_that_is_always_null_stays_null_when_it_is_hidden() {
    let schema = schema(r#"{"type":"record","name":"R","fields":[{"name":"nothing","type":"null"}]}"#);
    let rules = FieldRules::new(&BTreeMap::from([("nothing".to_owned(), FieldRule::Mask)]), None).unwrap();
    let ruled = schema.with_rules(&rules).unwrap().schema;
    let Outline::Record(fields) = ruled.root().outline() else { panic!("no record") };
    assert!(matches!(fields[0].1.outline(), Outline::Null));
}
