//! The contents of an error: field, byte and code.

use super::*;

const EVENT: &str = r#"{"type":"record","name":"Event","fields":[
    {"name":"id","type":"string"},
    {"name":"metadata","type":{"type":"record","name":"Metadata","fields":[
        {"name":"tags","type":{"type":"array","items":{"type":"record","name":"Tag","fields":[
            {"name":"name","type":"string"},
            {"name":"on","type":["null","boolean"]}
        ]}}},
        {"name":"labels","type":{"type":"map","values":{"type":"array","items":"int"}}}
    ]}}
]}"#;

/// The id `a`, two tags, one label: each value at a known position.
const DATUM: [u8; 18] = [2, b'a', 4, 2, b'x', 0, 2, b'y', 2, 1, 0, 2, 2, b'k', 2, 14, 0, 0];

#[test]
fn an_error_names_the_field_and_the_byte() {
    assert!(written(&schema(EVENT), &DATUM, LIMITS).is_ok());
    let cases = [
        (0, 1, 0, "id", "negative_length"),
        (1, 0xff, 1, "id", "not_utf8"),
        (2, 200, 2, "metadata.tags", "block_count"),
        (3, 100, 4, "metadata.tags[0].name", "truncated"),
        (5, 4, 5, "metadata.tags[0].on", "union_index"),
        (7, 0xc0, 7, "metadata.tags[1].name", "not_utf8"),
        (9, 7, 9, "metadata.tags[1].on", "not_boolean"),
        (13, 0x80, 13, "metadata.labels", "not_utf8"),
        (14, 50, 14, r#"metadata.labels["k"]"#, "block_count"),
        (15, 0x80, 18, "metadata.labels", "truncated"),
        (17, 2, 17, "metadata.labels", "block_count"),
    ];
    for (place, byte, offset, path, code) in cases {
        let mut datum = DATUM;
        datum[place] = byte;
        let error = refusal(EVENT, &datum);
        assert_eq!((error.offset, &*error.path, error.code()), (offset, path, code), "byte {place} is {byte}: {error}");
    }
}

#[test]
fn an_error_reads_as_a_sentence() {
    let mut datum = DATUM;
    datum[9] = 7;
    let error = refusal(EVENT, &datum).to_string();
    assert_eq!(error, "a boolean is 0x07, neither 0 nor 1 at byte 9, field metadata.tags[1].on");
    let error = refusal(r#""int""#, &[2, 3, 4]).to_string();
    assert_eq!(error, "2 bytes are left over after the datum at byte 1");
}

#[test]
fn a_path_shows_a_map_key_quoted_and_cut() {
    let json = r#"{"type":"map","values":"boolean"}"#;
    let error = refusal(json, &[&[2][..], &counted(b"a \"quoted\"\nkey"), &[9, 0]].concat());
    assert_eq!(error.path, r#"["a \"quoted\"\nkey"]"#);
    let error = refusal(json, &[&[2][..], &counted("é".repeat(1_000).as_bytes()), &[9, 0]].concat());
    assert_eq!(error.path, format!("[\"{}\"]", "é".repeat(64)));
}

#[test]
fn an_error_in_a_root_array_has_the_path_of_its_item() {
    let error = refusal(r#"{"type":"array","items":{"type":"array","items":"boolean"}}"#, &[2, 4, 1, 5, 0, 0]);
    assert_eq!((&*error.path, error.offset), ("[0][1]", 3));
}
