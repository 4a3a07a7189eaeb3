//! Long text in maps, for a server that accepts it only in pieces.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;

const PIECE: usize = 12_288;
const RULES: JsonRules = JsonRules {
    timestamps: Timestamps::Rfc3339,
    decimals: Decimals::String,
    event_type: EventType::None,
    pieces_in_maps: true,
    uuids: Uuids::Any,
};

/// Returns the value of the single entry `k` of a map of `values`.
fn in_map(values: &str, value: &[u8]) -> Json {
    let schema = schema(&format!(r#"{{"type":"map","values":{values}}}"#));
    let datum = [&[2, 2, b'k'], value, &[0]].concat();
    let mut out = b"{".to_vec();
    write_members_and_find(&schema, &datum, LIMITS, RULES, None, &mut out).unwrap();
    out.push(b'}');
    serde_json::from_slice::<Json>(&out).unwrap()["value"]["k"].take()
}

#[test]
fn long_text_in_maps_becomes_a_list_of_pieces() {
    let text = |length: usize| in_map(r#""string""#, &counted(&vec![b'x'; length]));
    assert!(text(PIECE).is_string());
    assert_eq!(text(PIECE + 1).as_array().map(Vec::len), Some(2));
    let nested =
        r#"["null",{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"array","items":"string"}}]}]"#;
    let datum = [&[2, 2], &*counted(&[b'x'; 30_000]), &[0]].concat();
    assert_eq!(in_map(nested, &datum)["a"][0].as_array().map(Vec::len), Some(3));
}

#[test]
fn bytes_in_maps_become_a_list_only_beyond_one_piece() {
    let bytes = |length: usize| in_map(r#""bytes""#, &counted(&vec![7; length]));
    assert!(bytes(PIECE / 4 * 3).is_string());
    assert_eq!(bytes(PIECE / 4 * 3 + 1).as_array().map(Vec::len), Some(2));
}

#[test]
fn text_outside_of_maps_is_never_split() {
    let long = counted(&[b'x'; 100_000]);
    let mut out = Vec::new();
    write_members_and_find(&schema(r#""string""#), &long, LIMITS, RULES, None, &mut out).unwrap();
    assert_eq!(out.len(), "\"value\":\"\"".len() + 100_000);
    let map = [&[2, 2, b'k'], &*long, &[0]].concat();
    assert!(!written(&schema(r#"{"type":"map","values":"string"}"#), &map, LIMITS).unwrap().contains('['));
}

proptest! {
    #[test]
    fn pieces_of_text_concatenate_to_the_whole(unit in "[a\"\\\\\u{1f}é日😀]{1,9}", times in 2_000_usize..12_000) {
        let text = unit.repeat(times);
        let Json::Array(pieces) = in_map(r#""string""#, &counted(text.as_bytes())) else {
            prop_assert!(text.len() <= PIECE);
            return Ok(());
        };
        let pieces: Vec<&str> = pieces.iter().map(|piece| piece.as_str().unwrap()).collect();
        prop_assert!(pieces.iter().all(|piece| piece.len() <= PIECE));
        prop_assert_eq!(pieces.concat(), text);
    }

    #[test]
    fn pieces_of_bytes_concatenate_to_valid_base64(bytes in proptest::collection::vec(any::<u8>(), 9_217..30_000)) {
        let value = in_map(r#""bytes""#, &counted(&bytes));
        let pieces: Vec<&str> = value.as_array().unwrap().iter().map(|piece| piece.as_str().unwrap()).collect();
        prop_assert!(pieces.iter().all(|piece| piece.len() <= PIECE));
        prop_assert_eq!(pieces.concat(), STANDARD.encode(&bytes));
    }
}
