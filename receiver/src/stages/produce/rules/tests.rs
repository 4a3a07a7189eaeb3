use super::*;

#[test]
fn a_varint_has_seven_bits_per_byte_and_one_sign_bit() {
    for (number, len) in [(0, 1), (63, 1), (64, 2), (8_191, 2), (8_192, 3), (1_048_575, 3), (1_048_576, 4)] {
        assert_eq!(varint_len(number), len, "{number}");
    }
}

#[test]
fn the_smallest_limit_counts_and_unreported_rules_stay() {
    let rules = Rules::default();
    assert_eq!(rules.smallest(), None);
    let rule = |max_bytes| Rule { max_bytes, compacted: false };
    rules.note(HashMap::from([("a".to_owned(), rule(5)), ("b".to_owned(), rule(9))]));
    rules.note(HashMap::from([("a".to_owned(), rule(20))]));
    assert_eq!(rules.smallest(), Some(9));
    assert_eq!(rules.of("a"), Some(rule(20)));
}
