use super::*;

#[test]
fn a_varint_has_seven_bits_a_byte_and_one_bit_for_the_sign() {
    for (number, len) in [(0, 1), (63, 1), (64, 2), (8_191, 2), (8_192, 3), (1_048_575, 3), (1_048_576, 4)] {
        assert_eq!(varint_len(number), len, "{number}");
    }
}

#[test]
fn the_smallest_topic_counts_and_what_is_not_said_stays() {
    let rules = Rules::default();
    assert_eq!(rules.smallest(), None);
    let rule = |max_bytes| Rule { max_bytes, compacted: false };
    rules.note(HashMap::from([("a".to_owned(), rule(5)), ("b".to_owned(), rule(9))]));
    rules.note(HashMap::from([("a".to_owned(), rule(20))]));
    assert_eq!(rules.smallest(), Some(9));
    assert_eq!(rules.of("a"), Some(rule(20)));
}
