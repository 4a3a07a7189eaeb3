//! Limits on blocks, depth and items, which keep a small datum from causing much work.

use super::*;

const NULLS: &str = r#"{"type":"array","items":"null"}"#;
const INTS: &str = r#"{"type":"array","items":"int"}"#;
const MAP: &str = r#"{"type":"map","values":"int"}"#;

#[test]
fn blocks_follow_each_other_with_or_without_their_size() {
    assert_eq!(value(INTS, &[0]), "[]");
    assert_eq!(value(INTS, &[4, 2, 4, 0]), "[1,2]");
    assert_eq!(value(INTS, &[3, 4, 2, 4, 0]), "[1,2]");
    assert_eq!(value(INTS, &[2, 2, 3, 4, 4, 6, 2, 8, 0]), "[1,2,3,4]");
    assert_eq!(value(MAP, &[0]), "{}");
    assert_eq!(value(MAP, &[1, 6, 2, b'a', 2, 2, 2, b'b', 4, 0]), r#"{"a":1,"b":2}"#);
}

#[test]
fn a_block_with_a_wrong_size_is_refused() {
    for claimed in [0, 1, 3, 500] {
        let datum = [&[3][..], &long(claimed), &[2, 4, 0]].concat();
        let error = refusal(INTS, &datum);
        assert_eq!(error.kind, DecodeErrorKind::BlockSize { claimed: claimed.unsigned_abs(), actual: 2 });
    }
    assert_eq!(refusal(INTS, &[3, 3, 2, 4, 0]).kind, DecodeErrorKind::NegativeLength { length: -2 });
    assert_eq!(value(INTS, &[3, 4, 2, 4, 0]), "[1,2]");
}

#[test]
fn negative_lengths_are_refused() {
    for json in [r#""string""#, r#""bytes""#] {
        let error = refusal(json, &[1]);
        assert_eq!((error.kind, error.offset), (DecodeErrorKind::NegativeLength { length: -1 }, 0));
        let error = refusal(json, &long(i64::MIN));
        assert_eq!(error.kind, DecodeErrorKind::NegativeLength { length: i64::MIN });
    }
}

#[test]
fn a_huge_claimed_length_allocates_nothing() {
    for json in [r#""string""#, r#""bytes""#] {
        let error = refusal(json, &[&long(i64::MAX)[..], b"abc"].concat());
        assert_eq!(error.kind, DecodeErrorKind::Truncated { wanted: i64::MAX.unsigned_abs(), left: 3 });
    }
    let fixed = r#"{"type":"fixed","name":"F","size":9223372036854775807}"#;
    assert!(matches!(refusal(fixed, b"abc").kind, DecodeErrorKind::Truncated { left: 3, .. }));
}

#[test]
fn an_impossible_item_count_is_refused_before_reading_items() {
    let left = 3;
    for count in [4, 900_000_000, i64::MAX] {
        let datum = [&long(count)[..], &[2, 4, 0]].concat();
        let error = refusal(INTS, &datum);
        assert_eq!((error.kind, error.offset), (DecodeErrorKind::BlockCount { count: count.unsigned_abs(), left }, 0));
        assert!(error.path.is_empty());
    }
    // i64::MIN has no positive counterpart.
    let error = refusal(INTS, &[&long(i64::MIN)[..], &[2, 4, 0]].concat());
    assert_eq!(error.kind, DecodeErrorKind::BlockCount { count: 1 << 63, left: 2 });
    // A map entry takes at least one byte for its key, plus its value.
    assert_eq!(refusal(MAP, &[4, 2, b'a', 2]).kind, DecodeErrorKind::BlockCount { count: 2, left: 3 });
}

#[test]
fn a_claim_of_900_million_nulls_is_refused_at_once() {
    let mut datum = long(900_000_000);
    assert_eq!(datum.len(), 5);
    let too_many = DecodeErrorKind::TooManyItems { limit: LIMITS.max_items };
    assert_eq!(refusal(NULLS, &datum).kind, too_many);
    datum.push(0);
    assert_eq!(refusal(NULLS, &datum).kind, too_many);
    for items in [r#"{"type":"record","name":"E","fields":[]}"#, r#"{"type":"fixed","name":"F","size":0}"#] {
        assert_eq!(refusal(&format!(r#"{{"type":"array","items":{items}}}"#), &datum).kind, too_many);
    }
    assert_eq!(value(NULLS, &[6, 0]), "[null,null,null]");
}

#[test]
fn the_item_limit_covers_all_arrays_and_maps_together() {
    let json = r#"{"type":"array","items":{"type":"map","values":"null"}}"#;
    let datum = [4, 4, 2, b'a', 2, b'b', 0, 2, 2, b'a', 0, 0];
    let limits = |max_items| Limits { max_items, max_values: 16 * max_items, ..LIMITS };
    assert!(written(&schema(json), &datum, limits(5)).is_ok());
    let error = written(&schema(json), &datum, limits(4)).unwrap_err();
    assert_eq!((error.kind, error.offset), (DecodeErrorKind::TooManyItems { limit: 4 }, 7));
    assert_eq!(error.path, "[1]");
    // Many small blocks count the same as one large block.
    let blocks = [vec![2; 60], vec![0]].concat();
    assert!(written(&schema(NULLS), &blocks, limits(60)).is_ok());
    assert!(written(&schema(NULLS), &blocks, limits(59)).is_err());
}

#[test]
fn items_without_bytes_count_once_per_value_in_them() {
    let fields: Vec<String> = (0..99).map(|number| format!(r#"{{"name":"f{number}","type":"null"}}"#)).collect();
    let json = format!(r#"{{"type":"array","items":{{"type":"record","name":"R","fields":[{}]}}}}"#, fields.join(","));
    let limits = Limits { max_items: 1_000, max_values: 16_000, ..LIMITS };
    assert!(written(&schema(&json), &[20, 0], limits).is_ok());
    let error = written(&schema(&json), &[22, 0], limits).unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::TooManyItems { limit: 1_000 });
}

#[test]
fn duplicate_keys_are_refused_in_maps_of_any_size() {
    for count in 1..40_u8 {
        let mut datum = long(i64::from(count) + 1);
        for number in 0..count {
            datum.extend([4, b'k', b'0' + number, 2]);
        }
        let unique = [&datum[..], &[4, b'k', b'0' + count, 2, 0]].concat();
        assert!(written(&schema(MAP), &unique, LIMITS).is_ok());
        for again in 0..count {
            let datum = [&datum[..], &[4, b'k', b'0' + again, 2, 0]].concat();
            assert_eq!(refusal(MAP, &datum).kind, DecodeErrorKind::DuplicateKey, "{again} of {count}");
        }
    }
    let over_blocks = [2, 2, b'a', 2, 2, 2, b'a', 4, 0];
    let error = refusal(MAP, &over_blocks);
    assert_eq!((error.kind, error.offset, &*error.path), (DecodeErrorKind::DuplicateKey, 5, r#"["a"]"#));
    let nested = r#"{"type":"map","values":{"type":"map","values":"null"}}"#;
    assert_eq!(value(nested, &[2, 2, b'a', 2, 2, b'a', 0, 0]), r#"{"a":{"a":null}}"#);
}

/// Encodes a map with one entry: the key, then `value`.
fn entry(key: &[u8], value: &[u8]) -> Vec<u8> {
    [&[2], &*counted(key), value, &[0]].concat()
}

#[test]
fn keys_that_no_index_accepts_are_refused() {
    let error = refusal(MAP, &entry(b"a\0b", &[2]));
    assert_eq!((error.kind, error.offset, error.code()), (DecodeErrorKind::NulInKey, 1, "nul_in_key"));
    for key in [&b""[..], b".", b"a..b", b" ", b"\x01", "\u{2400}".as_bytes()] {
        assert!(written(&schema(MAP), &entry(key, &[2]), LIMITS).is_ok(), "{key:?}");
    }
}

#[test]
fn keys_of_nested_maps_are_counted_together() {
    let nested = r#"{"type":"map","values":{"type":"map","values":"int"}}"#;
    let datum = |outer: usize, inner: usize| entry(&vec![b'o'; outer], &entry(&vec![b'i'; inner], &[2]));
    let (fits, long) = (datum(8_191, 8_191), datum(8_191, 8_192));
    assert!(written(&schema(nested), &fits, LIMITS).is_ok());
    assert_eq!(refusal(nested, &long).kind, DecodeErrorKind::KeysTooLong { limit: 16_384 });
    // Keys next to one another are not added up.
    let beside = [&[4][..], &counted(&[b'a'; 16_000]), &[2], &counted(&[b'b'; 16_000]), &[2, 0]].concat();
    assert!(written(&schema(MAP), &beside, LIMITS).is_ok());
}

#[test]
fn names_of_fields_in_a_map_count_as_keys() {
    let name = "n".repeat(500);
    let list = format!(r#"{{"type":"record","name":"L","fields":[{{"name":"{name}","type":["null","L"]}}]}}"#);
    let map = format!(r#"{{"type":"map","values":{list}}}"#);
    // Each record except the last contains another.
    let records = |count: usize| [vec![2; count - 1], vec![0]].concat();
    let limits = Limits { max_depth: 200, ..LIMITS };
    let datum = |key: usize, count: usize| entry(&vec![b'k'; key], &records(count));
    // 16,384 is 32 times 501 plus 352, with one byte after each name.
    assert!(written(&schema(&map), &datum(351, 32), limits).is_ok());
    let error = written(&schema(&map), &datum(352, 32), limits).unwrap_err();
    assert_eq!(
        (error.kind, error.path.matches('n').count()),
        (DecodeErrorKind::KeysTooLong { limit: 16_384 }, 32 * 500)
    );
    // Neither are names next to one another, nor names outside of maps.
    assert!(written(&schema(&list), &records(150), limits).is_ok());
}

fn list() -> Schema {
    schema(r#"{"type":"record","name":"L","fields":[{"name":"next","type":["null","L"]}]}"#)
}

#[test]
fn a_recursive_datum_is_read_down_to_the_depth_limit() {
    let datum = |depth: usize| [vec![2; depth - 1], vec![0]].concat();
    let limits = Limits { max_depth: 10, ..LIMITS };
    assert!(written(&list(), &datum(10), limits).is_ok());
    let error = written(&list(), &datum(11), limits).unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::TooDeep { limit: 10 });
    assert_eq!((error.offset, &*error.path), (10, "next.next.next.next.next.next.next.next.next.next"));
}

#[test]
fn a_million_levels_never_overflow_the_stack() {
    let limits = Limits { max_depth: u16::MAX, max_items: u32::MAX, max_values: u32::MAX };
    let tree = r#"{"type":"record","name":"T","fields":[{"name":"c","type":{"type":"array","items":"T"}}]}"#;
    let maps =
        r#"{"type":"record","name":"M","fields":[{"name":"c","type":{"type":"map","values":["null","int","M"]}}]}"#;
    for (schema, level) in [(list(), &[2][..]), (schema(tree), &[2]), (schema(maps), &[2, 0, 4])] {
        let datum = level.repeat(1_000_000);
        let error = written(&schema, &datum, limits).unwrap_err();
        assert_eq!(error.kind, DecodeErrorKind::TooDeep { limit: 200 });
        let in_small_stack = std::thread::Builder::new().stack_size(1 << 20);
        let thread = in_small_stack.spawn(move || written(&schema, &datum, limits).unwrap_err().code());
        assert_eq!(thread.unwrap().join().unwrap(), "too_deep");
    }
}

#[test]
fn arrays_maps_and_records_count_as_levels_but_unions_do_not() {
    let json = r#"["null",{"type":"array","items":["null",{"type":"map","values":["null","int"]}]}]"#;
    let datum = [2, 2, 2, 2, 2, b'k', 2, 14, 0, 0];
    let limits = |max_depth| Limits { max_depth, ..LIMITS };
    assert!(written(&schema(json), &datum, limits(2)).is_ok());
    assert_eq!(written(&schema(json), &datum, limits(1)).unwrap_err().kind, DecodeErrorKind::TooDeep { limit: 1 });
    assert_eq!(written(&schema(r#""int""#), &[2], limits(0)).unwrap(), r#""value":1"#);
}

#[test]
fn fields_without_bytes_count_everywhere() {
    // A record with one byte and 900 fields of 900 nulls each: 810,000 values per array item, and each item takes one
    // byte.
    let nulls: Vec<String> = (0..900).map(|number| format!(r#"{{"name":"n{number}","type":"null"}}"#)).collect();
    let empty = format!(r#"{{"type":"record","name":"Empty","fields":[{}]}}"#, nulls.join(","));
    let mut fields =
        vec![r#"{"name":"byte","type":"boolean"}"#.to_owned(), format!(r#"{{"name":"e0","type":{empty}}}"#)];
    fields.extend((1..900).map(|number| format!(r#"{{"name":"e{number}","type":"Empty"}}"#)));
    let json = format!(r#"{{"type":"array","items":{{"type":"record","name":"R","fields":[{}]}}}}"#, fields.join(","));
    let schema = schema(&json);
    let datum = [&long(1_000)[..], &[1; 1_000], &[0]].concat();
    let limits = Limits { max_items: 100_000, max_values: 1_600_000, ..LIMITS };
    let error = written(&schema, &datum, limits).unwrap_err();
    assert_eq!((error.kind, error.offset), (DecodeErrorKind::TooManyValues { limit: 1_600_000 }, 4), "{error}");
    assert_eq!(error.code(), "too_many_values");
    let checked = validate(&schema, &datum, limits, None).unwrap_err();
    assert_eq!((checked.kind, checked.offset), (error.kind, error.offset), "the receiver and the indexer agree");
    assert!(written(&schema, &[&long(1)[..], &[1, 0]].concat(), limits).is_ok());
}

#[test]
fn long_field_names_count_as_more_values() {
    let name = "x".repeat(512);
    let json = format!(
        r#"{{"type":"array","items":{{"type":"record","name":"R","fields":[{{"name":"{name}","type":"boolean"}}]}}}}"#
    );
    let datum = |count: i64| [&long(count)[..], &vec![1; count as usize], &[0]].concat();
    let limits = Limits { max_items: 1_000, max_values: 16_000, ..LIMITS };
    assert!(written(&schema(&json), &datum(941), limits).is_ok());
    let error = written(&schema(&json), &datum(942), limits).unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::TooManyValues { limit: 16_000 });
}

#[test]
fn a_read_reports_how_many_values_it_counted() {
    let json = r#"{"type":"record","name":"R","fields":[
        {"name":"a","type":"int"},{"name":"list","type":{"type":"array","items":"int"}}]}"#;
    let read = validate_whole(&schema(json), &[2, 6, 2, 4, 6, 0], LIMITS, None, Uuids::Any).unwrap();
    assert_eq!((read.values, read.end), (2 + 3, 6));
}
