//! The edge cases of each type.

use proptest::prelude::*;

use super::*;

#[test]
fn null_and_booleans_are_written_as_json() {
    assert_eq!(value(r#""null""#, &[]), "null");
    assert_eq!(value(r#""boolean""#, &[0]), "false");
    assert_eq!(value(r#""boolean""#, &[1]), "true");
    for found in [2, 0x80, 0xff] {
        assert_eq!(refusal(r#""boolean""#, &[found]).kind, DecodeErrorKind::NotBoolean { found });
    }
}

#[test]
fn ints_and_longs_are_exact_up_to_their_limits() {
    for number in [0, 1, -1, 63, -64, 64, -65, 8191, -8192, i32::MAX.into(), i32::MIN.into()] {
        assert_eq!(value(r#""int""#, &long(number)), number.to_string());
        assert_eq!(value(r#""long""#, &long(number)), number.to_string());
    }
    for number in [i64::MAX, i64::MIN] {
        assert_eq!(long(number).len(), 10);
        assert_eq!(value(r#""long""#, &long(number)), number.to_string());
    }
}

#[test]
fn an_integer_may_be_padded_but_not_beyond_its_type() {
    assert_eq!(value(r#""int""#, &[0x82, 0x80, 0x80, 0x80, 0x00]), "1");
    assert_eq!(value(r#""long""#, &[0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]), "1");
    let too_long = [0x82, 0x80, 0x80, 0x80, 0x80, 0x00];
    assert_eq!(refusal(r#""int""#, &too_long).kind, DecodeErrorKind::VarintTooLong);
    assert_eq!(refusal(r#""int""#, &[0xff; 5]).kind, DecodeErrorKind::VarintTooLong);
    assert_eq!(refusal(r#""int""#, &[0xff, 0xff, 0xff, 0xff, 0x1f]).kind, DecodeErrorKind::IntegerOutOfRange);
    assert_eq!(refusal(r#""long""#, &[0xff; 11]).kind, DecodeErrorKind::IntegerOutOfRange);
    assert_eq!(refusal(r#""long""#, &[0x80; 11]).kind, DecodeErrorKind::VarintTooLong);
    let cut = DecodeErrorKind::Truncated { wanted: 3, left: 2 };
    assert_eq!(refusal(r#""long""#, &[0x80, 0x80]).kind, cut);
    let ninth = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    assert_eq!(value(r#""long""#, &[&ninth[..], &[0x01]].concat()), i64::MIN.to_string());
    assert_eq!(refusal(r#""long""#, &[&ninth[..], &[0x02]].concat()).kind, DecodeErrorKind::IntegerOutOfRange);
    assert_eq!(refusal(r#""int""#, &long(i64::from(i32::MAX) + 1)).kind, DecodeErrorKind::IntegerOutOfRange);
    assert_eq!(refusal(r#""int""#, &long(i64::from(i32::MIN) - 1)).kind, DecodeErrorKind::IntegerOutOfRange);
}

#[test]
fn floats_are_written_as_the_shortest_exact_text() {
    let cases =
        [(0.1, "0.1"), (1.0, "1.0"), (-0.0, "-0.0"), (16_777_216.0, "16777216.0"), (3.402_823_5e38, "3.4028235e+38")];
    for (number, text) in cases {
        assert_eq!(value(r#""float""#, &f32::to_le_bytes(number)), text);
    }
    let cases = [(0.1, "0.1"), (f64::from(0.1_f32), "0.10000000149011612"), (1e21, "1e+21"), (5e-324, "5e-324")];
    for (number, text) in cases {
        assert_eq!(value(r#""double""#, &f64::to_le_bytes(number)), text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn any_float_reads_back_unchanged(bits in any::<u64>()) {
        let number = f64::from_bits(bits);
        let text = value(r#""double""#, &number.to_le_bytes());
        prop_assert!(number.is_finite() && text.parse() == Ok(number) || !number.is_finite() && text == "null", "{text}");
        let number = f32::from_bits(bits as u32);
        let text = value(r#""float""#, &number.to_le_bytes());
        prop_assert!(number.is_finite() && text.parse() == Ok(number) || !number.is_finite() && text == "null", "{text}");
        prop_assert!(text.bytes().filter(u8::is_ascii_digit).count() <= 17, "{text}");
    }
}

#[test]
fn numbers_that_json_cannot_express_become_null() {
    for number in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        assert_eq!(value(r#""float""#, &number.to_le_bytes()), "null");
        assert_eq!(value(r#""double""#, &f64::from(number).to_le_bytes()), "null");
    }
}

#[test]
fn bytes_and_fixed_are_written_as_base64() {
    for (bytes, text) in [(&b""[..], ""), (b"a", "YQ=="), (b"ab", "YWI="), (b"abc", "YWJj"), (b"\xff\xfe", "//4=")] {
        assert_eq!(value(r#""bytes""#, &counted(bytes)), format!("\"{text}\""));
        let fixed = format!(r#"{{"type":"fixed","name":"F","size":{}}}"#, bytes.len());
        assert_eq!(value(&fixed, bytes), format!("\"{text}\""));
    }
}

#[test]
fn strings_are_escaped_as_little_as_json_allows() {
    let cases = [
        ("", r#""""#),
        ("plain", r#""plain""#),
        ("exactly 8", r#""exactly 8""#),
        ("\"", r#""\"""#),
        ("back\\slash", r#""back\\slash""#),
        ("/ ' <script>", r#""/ ' <script>""#),
        ("\u{8}\t\n\u{c}\r", r#""\b\t\n\f\r""#),
        ("\0\u{1f}", r#""\u0000\u001f""#),
        ("\u{7f}é日本😀\u{2028}\u{ffff}", "\"\u{7f}é日本😀\u{2028}\u{ffff}\""),
        ("long enough for words, and at the very end \"", r#""long enough for words, and at the very end \"""#),
    ];
    for (text, json) in cases {
        assert_eq!(value(r#""string""#, &counted(text.as_bytes())), json);
        assert_eq!(serde_json::from_str::<String>(json).unwrap(), text);
    }
}

#[test]
fn escapes_at_every_position_match_serde_json() {
    for byte in 0..0x80_u8 {
        for (len, place) in (1..=40).flat_map(|len| (0..len).map(move |place| (len, place))) {
            let mut text = vec![b'a'; len];
            text[place] = byte;
            let text = String::from_utf8(text).unwrap();
            assert_eq!(value(r#""string""#, &counted(text.as_bytes())), serde_json::to_string(&text).unwrap());
        }
    }
}

#[test]
fn invalid_utf8_is_refused_at_its_first_wrong_byte() {
    let cases: [(&[u8], usize); 5] = [
        (b"ab\xff", 2),
        (b"0123456789\xc0\x80", 10),
        (b"\xed\xa0\x80", 0), // half of a surrogate pair
        (b"cut off \xf0\x9f\x98", 8),
        (b"\xf4\x90\x80\x80", 0), // beyond U+10FFFF
    ];
    for (text, valid) in cases {
        let error = refusal(r#""string""#, &counted(text));
        assert_eq!((error.kind, error.offset), (DecodeErrorKind::NotUtf8, 1 + valid), "{text:?}");
        assert_eq!(
            refusal(r#"{"type":"map","values":"int"}"#, &[&[2], &*counted(text), &[2, 0]].concat()).offset,
            2 + valid
        );
    }
}

#[test]
fn a_lone_byte_beyond_ascii_is_refused_at_every_position() {
    let schema = schema(r#""string""#);
    for byte in 0x80..=u8::MAX {
        for (len, place) in (1..=40).flat_map(|len| (0..len).map(move |place| (len, place))) {
            let mut text = vec![b'a'; len];
            text[place] = byte;
            let error = validate(&schema, &counted(&text), LIMITS, None).unwrap_err();
            assert_eq!((error.kind, error.offset), (DecodeErrorKind::NotUtf8, 1 + place), "{byte} of {len}");
        }
    }
}

#[test]
fn an_enum_is_written_as_its_symbol() {
    let json = r#"{"type":"enum","name":"E","symbols":["RED","GREEN"]}"#;
    assert_eq!(value(json, &[0]), r#""RED""#);
    assert_eq!(value(json, &[2]), r#""GREEN""#);
    assert_eq!(refusal(json, &[4]).kind, DecodeErrorKind::EnumIndex { index: 2, symbols: 2 });
    assert_eq!(refusal(json, &[1]).kind, DecodeErrorKind::EnumIndex { index: -1, symbols: 2 });
}

#[test]
fn a_union_is_written_as_its_branch_without_a_wrapper() {
    for (json, null, other) in [(r#"["null","int"]"#, 0, 2), (r#"["int","null"]"#, 2, 0)] {
        assert_eq!(value(json, &[null]), "null");
        assert_eq!(value(json, &[other, 14]), "7");
        assert_eq!(refusal(json, &[4]).kind, DecodeErrorKind::UnionIndex { index: 2, branches: 2 });
        assert_eq!(refusal(json, &[1]).kind, DecodeErrorKind::UnionIndex { index: -1, branches: 2 });
    }
    let json = r#"["int","string",{"type":"array","items":"boolean"}]"#;
    assert_eq!(value(json, &[0, 14]), "7");
    assert_eq!(value(json, &[2, 2, b'x']), r#""x""#);
    assert_eq!(value(json, &[4, 2, 1, 0]), "[true]");
    assert_eq!(refusal(json, &[6]).kind, DecodeErrorKind::UnionIndex { index: 3, branches: 3 });
    assert_eq!(value(r#"["int"]"#, &[0, 14]), "7");
}

#[test]
fn a_record_is_an_object_or_members_at_the_root() {
    let json = r#"{"type":"record","name":"R","fields":[
        {"name":"a","type":"int"},
        {"name":"empty","type":{"type":"record","name":"E","fields":[]}},
        {"name":"inner","type":{"type":"record","name":"I","fields":[{"name":"b","type":"int"},{"name":"c","type":"null"}]}}
    ]}"#;
    assert_eq!(written(&schema(json), &[2, 4], LIMITS).unwrap(), r#""a":1,"empty":{},"inner":{"b":2,"c":null}"#);
    assert_eq!(written(&schema(r#"{"type":"record","name":"E","fields":[]}"#), &[], LIMITS).unwrap(), "");
}

#[test]
fn uuids_are_written_in_lowercase() {
    let text = "0198c7f2-6b1e-7d3a-9c55-2f41d0a7be13";
    let quoted = format!("\"{text}\"");
    assert_eq!(value(&logical("string", "uuid"), &counted(text.as_bytes())), quoted);
    assert_eq!(value(&logical("string", "uuid"), &counted(text.to_uppercase().as_bytes())), quoted);
    let fixed = r#"{"type":"fixed","name":"U","size":16,"logicalType":"uuid"}"#;
    let bytes = 0x0198c7f2_6b1e_7d3a_9c55_2f41d0a7be13_u128.to_be_bytes();
    assert_eq!(value(fixed, &bytes), quoted);
    let wrong = [
        "",
        "0198c7f26b1e7d3a9c552f41d0a7be13",
        "0198c7f2-6b1e-7d3a-9c55-2f41d0a7be1",
        "0198c7f2-6b1e-7d3a-9c55-2f41d0a7be1g",
        "zz98c7f2-6b1e-7d3a-9c55-2f41d0a7be13",
        "0198c7f2-6b1e-7d3a-9c552-f41d0a7be13",
        "0198c7f2_6b1e_7d3a_9c55_2f41d0a7be13",
        "{198c7f2-6b1e-7d3a-9c55-2f41d0a7be1}",
        "é198c7f2-6b1e-7d3a-9c55-2f41d0a7be1",
    ];
    for text in wrong {
        let datum = counted(text.as_bytes());
        let error = refusal(
            r#"{"type":"array","items":{"type":"string","logicalType":"uuid"}}"#,
            &[&[2], &*datum, &[0]].concat(),
        );
        let short = matches!(error.kind, DecodeErrorKind::BlockCount { .. });
        assert!(error.kind == DecodeErrorKind::NotUuid || short && text.len() < 36, "{text}: {error}");
    }
}

#[test]
fn a_uuid_on_bytes_stays_bytes() {
    assert_eq!(value(&logical("bytes", "uuid"), &counted(b"abc")), r#""YWJj""#);
}

#[test]
fn a_duration_is_written_as_three_numbers() {
    let json = r#"{"type":"fixed","name":"D","size":12,"logicalType":"duration"}"#;
    let datum = [1, 0, 0, 0, 2, 1, 0, 0, 0xff, 0xff, 0xff, 0xff];
    assert_eq!(value(json, &datum), r#"{"months":1,"days":258,"milliseconds":4294967295}"#);
}

#[test]
fn logical_types_that_do_not_fit_their_type_are_ignored() {
    assert_eq!(value(&logical("string", "date"), &counted(b"x")), r#""x""#);
    assert_eq!(value(&logical("long", "no-such-type"), &long(5)), "5");
    assert_eq!(value(r#"{"type":"fixed","name":"D","size":2,"logicalType":"duration"}"#, b"ab"), r#""YWI=""#);
}

#[test]
fn text_and_times_from_outside_a_datum_follow_the_same_rules() {
    let mut out = Vec::new();
    for text in ["", "plain, and longer than a word", "a \"b\"\n", "日本"] {
        out.clear();
        write_string(text, &mut out);
        assert_eq!(String::from_utf8_lossy(&out), serde_json::to_string(text).unwrap());
    }
    out.clear();
    write_timestamp_millis(1_767_323_045_678, &mut out);
    assert_eq!(String::from_utf8_lossy(&out), r#""2026-01-02T03:04:05.678Z""#);
}
