//! Decimals, compared with num-bigint.

use num_bigint::BigInt;
use proptest::prelude::*;

use super::*;

fn decimal(scale: usize) -> String {
    format!(r#"{{"type":"bytes","logicalType":"decimal","precision":{},"scale":{scale}}}"#, scale.max(1))
}

fn big(unscaled: &[u8], scale: i64) -> Vec<u8> {
    counted(&[counted(unscaled), long(scale)].concat())
}

#[test]
fn decimals_are_exact_and_have_all_digits_of_their_scale() {
    let cases: [(&[u8], usize, &str); 16] = [
        (&[], 2, "0.00"),
        (&[0], 0, "0"),
        (&[0], 2, "0.00"),
        (&[5], 2, "0.05"),
        (&[100], 2, "1.00"),
        (&[0xff], 2, "-0.01"),
        (&[0xcf, 0xcc], 3, "-12.340"),
        (&[0, 0, 0, 0x30, 0x34], 3, "12.340"),
        (&[0xff, 0xff, 0xff, 0xcf, 0xcc], 3, "-12.340"),
        (&[0x80], 0, "-128"),
        (&[0, 0x80], 0, "128"),
        (&[0xff, 0x7f], 0, "-129"),
        (&[0x7f], 3, "0.127"),
        (&[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 0, "-170141183460469231731687303715884105728"),
        (&[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 1, "-4355614296588012332331194975126633106636.8"),
        (&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 0, "340282366920938463463374607431768211456"),
    ];
    for (bytes, scale, text) in cases {
        assert_eq!(value(&decimal(scale), &counted(bytes)), format!("\"{text}\""), "{bytes:?}");
        let fixed = format!(
            r#"{{"type":"fixed","name":"F","size":{},"logicalType":"decimal","precision":9,"scale":{scale}}}"#,
            bytes.len()
        );
        assert_eq!(value(&fixed, bytes), value(&decimal(scale), &counted(bytes)));
    }
}

#[test]
fn a_long_decimal_is_refused_unless_it_is_sign_extension() {
    let json = decimal(0);
    assert_eq!(value(&json, &counted(&[0; 100_000])), r#""0""#);
    assert_eq!(value(&json, &counted(&[0xff; 100_000])), r#""-1""#);
    assert_eq!(value(&json, &counted(&[1; 1024])).len(), 2466);
    let error = refusal(&json, &counted(&[&[0; 9][..], &[1; 1025]].concat()));
    assert_eq!((error.kind, error.offset), (DecodeErrorKind::DecimalTooLong { bytes: 1025, limit: 1024 }, 11));
}

#[test]
fn decimals_as_numbers_have_the_same_digits() {
    let rules = JsonRules { decimals: Decimals::Number, ..JsonRules::default() };
    let mut out = Vec::new();
    write_members_and_find(&schema(&decimal(3)), &counted(&[0xcf, 0xcc]), LIMITS, rules, None, &mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), r#""value":-12.340"#);
}

#[test]
fn a_decimal_too_long_for_a_json_number_is_text() {
    let rules = JsonRules { decimals: Decimals::Number, ..JsonRules::default() };
    let written = |bytes: &[u8]| {
        let mut out = Vec::new();
        write_members_and_find(&schema(&decimal(0)), &counted(bytes), LIMITS, rules, None, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let (number, text) = (written(&[1; 415]), written(&[1; 417]));
    assert!(number.len() <= "\"value\":".len() + 1_000 && !number.ends_with('"'), "{number}");
    assert!(text.starts_with("\"value\":\"") && text.ends_with('"'), "{text}");
    let of_digits = |count: u32| written(&BigInt::from(10).pow(count - 1).to_signed_bytes_be());
    assert_eq!(of_digits(1_000).len(), "\"value\":".len() + 1_000);
    assert_eq!(of_digits(1_001).len(), "\"value\":\"\"".len() + 1_001);
}

#[test]
fn big_decimals_are_printed_with_their_own_scale() {
    let json = logical("bytes", "big-decimal");
    let cases = [
        (0, "12340"),
        (3, "12.340"),
        (6, "0.012340"),
        (-2, "12340E2"),
        (1_001, "12340E-1001"),
        (i64::MAX, "12340E-9223372036854775807"),
        (i64::MIN, "12340E9223372036854775808"),
    ];
    for (scale, text) in cases {
        assert_eq!(value(&json, &big(&[0x30, 0x34], scale)), format!("\"{text}\""));
    }
    let zeros = value(&json, &big(&[1], 1_000));
    assert_eq!(zeros, format!("\"0.{}1\"", "0".repeat(999)));
}

#[test]
fn an_invalid_big_decimal_is_refused() {
    let json = logical("bytes", "big-decimal");
    for inner in [&[][..], &[2], &[2, 1], &[2, 1, 0, 0], &[1, 0], &[40, 1, 0]] {
        // A valid value has at least three bytes, so shorter ones may be refused for their length.
        let error = refusal(&json, &counted(inner));
        assert_eq!((error.kind, error.offset), (DecodeErrorKind::NotBigDecimal, 1), "{inner:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn any_decimal_equals_that_of_num_bigint(bytes in proptest::collection::vec(any::<u8>(), 1..80), scale in 0..100_usize) {
        let digits = BigInt::from_signed_bytes_be(&bytes).to_string();
        prop_assert_eq!(value(&decimal(0), &counted(&bytes)), format!("\"{digits}\""));
        let (sign, digits) = digits.strip_prefix('-').map_or(("", &*digits), |digits| ("-", digits));
        let padded = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = padded.split_at(padded.len() - scale);
        let point = if scale == 0 { "" } else { "." };
        prop_assert_eq!(value(&decimal(scale), &counted(&bytes)), format!("\"{sign}{whole}{point}{fraction}\""));
    }
}
