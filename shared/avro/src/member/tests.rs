use super::*;

#[test]
fn a_member_of_any_length_is_written_with_or_without_its_comma() {
    for length in 0..=70 {
        let name = "n".repeat(length);
        for (is_first, expected) in [(true, format!("{{\"{name}\":")), (false, format!("{{,\"{name}\":"))] {
            let mut out = b"{".to_vec();
            Member::of(&name).write(is_first, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
    let mut out = Vec::new();
    Member::omitted().write(false, &mut out);
    assert!(out.is_empty(), "an omitted member is written: {out:?}");
}
