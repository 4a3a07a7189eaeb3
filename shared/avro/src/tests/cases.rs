//! The schemas of the Avro project's own tests beyond those of `share/test`: of Python (`lang/py/avro/test/`,
//! `test_schema.py` and `test_name.py`) and of C (`lang/c/tests/schema_tests`), all in apache/avro. They are in
//! `tests/data/avro/schema-cases.jsonl`.

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Case {
    /// The language and the part of its tests.
    from: String,
    schema: String,
    valid: bool,
    canonical: Option<String>,
    fingerprint: Option<i64>,
}

/// Parts of schemas that the specification forbids, only because of what does not matter for reading a datum: names,
/// symbols, defaults, and unions with two branches of one type.
const READ_NEVERTHELESS: [&str; 11] = [
    "dr. spaceman",
    "bad_default",
    r#"["AA","AA"]"#,
    "white space",
    r#"["null","null"]"#,
    r#"["long","long"]"#,
    r#"[{"type":"array","items":"long"},{"type":"array","items":"string"}]"#,
    r#""name":"int""#,
    "invalid-name",
    "invalid-ns",
    "2d2",
];

/// Valid schemas of records that contain themselves. No datum conforms to them.
const ENDLESS: [&str; 3] = ["c namespace_fullname", "c namespace_null_record", "c namespace_simple"];

fn cases() -> impl Iterator<Item = Case> {
    let lines = include_str!("../../../../tests/data/avro/schema-cases.jsonl").lines();
    lines.map(|line| serde_json::from_str(line).unwrap())
}

#[test]
fn schemas_of_the_avro_projects_tests_are_read_unless_invalid() {
    let (mut valid, mut invalid) = (0, 0);
    for case in cases() {
        let is_read = if case.valid {
            valid += 1;
            !ENDLESS.contains(&case.from.as_str())
        } else {
            invalid += 1;
            READ_NEVERTHELESS.iter().any(|part| case.schema.contains(part))
        };
        let parsed = Schema::parse(&case.schema);
        assert_eq!(parsed.is_ok(), is_read, "{}: {}: {:?}", case.from, case.schema, parsed.err());
    }
    assert_eq!((valid, invalid), (156, 42));
}

/// Python writes a named type in full at its second use too. The specification and Java write its name then, so the one
/// schema with such a use is left out.
#[test]
fn canonical_forms_and_fingerprints_match_pythons() {
    let (mut forms, mut fingerprints) = (0, 0);
    for case in cases().filter(|case| !case.schema.contains("HandshakeRequest")) {
        let compiled = || compile::compile(&[raw::parse(&case.schema).unwrap()]).unwrap();
        if let Some(expected) = &case.canonical {
            let mut form = String::new();
            canonical::write(&compiled(), &mut form).unwrap();
            assert_eq!(form, *expected, "{}", case.schema);
            forms += 1;
        }
        if let Some(expected) = case.fingerprint {
            assert_eq!(canonical::fingerprint(&compiled()), expected.cast_unsigned(), "{}", case.schema);
            fingerprints += 1;
        }
    }
    assert_eq!((forms, fingerprints), (28, 32));
}
