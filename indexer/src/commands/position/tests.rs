use super::*;

#[test]
fn a_printed_position_is_parsed_again_and_other_text_is_refused() {
    let position = RecordPosition { topic: "cxone.events-1_x".to_owned(), partition: 3, offset: 12_345 };
    assert_eq!(position.to_string().parse(), Ok(position));
    for text in ["", "a", "a:1", ":1:2", "a:b:2", "a:1:", "a:-1:2", "a:1:-2", "a:1:2:3", "a:1:2 "] {
        assert!(text.parse::<RecordPosition>().is_err(), "{text}");
    }
}
