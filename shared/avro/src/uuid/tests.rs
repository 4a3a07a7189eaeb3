use super::*;

#[test]
fn the_fast_check_agrees_for_every_changed_byte() {
    let text = *b"0198c7f2-6b1e-7d3a-9c55-2f41d0a7be13";
    assert!(is_small(&text));
    for index in 0..TEXT_LEN {
        for byte in 0..=u8::MAX {
            let mut text = text;
            text[index] = byte;
            let small = parse(&text).is_some() && !text.iter().any(u8::is_ascii_uppercase);
            assert_eq!(is_small(&text), small, "byte {byte} at {index}");
        }
    }
}
