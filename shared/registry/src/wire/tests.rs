use super::*;

#[test]
fn a_frame_can_be_removed_again() {
    let mut bytes = frame(SchemaId(0x0102_0304)).to_vec();
    bytes.extend_from_slice(b"datum");
    assert_eq!(bytes[..FRAME_LEN], [0, 1, 2, 3, 4]);
    assert_eq!(unframe(&bytes), Ok((SchemaId(0x0102_0304), b"datum".as_slice())));
}

#[test]
fn an_id_is_written_as_a_number() {
    assert_eq!(format!("{} {:>3}", SchemaId(4_294_967_295), SchemaId(7)), "4294967295   7");
}

#[test]
fn an_empty_datum_is_accepted() {
    assert_eq!(unframe(&[0, 0, 0, 0, 7]), Ok((SchemaId(7), [].as_slice())));
}

#[test]
fn bytes_without_a_frame_are_refused_with_the_reason() {
    assert_eq!(unframe(&[0, 0, 0, 1]), Err(FrameError::TooShort { len: 4 }));
    assert_eq!(unframe(b"{\"a\":1}"), Err(FrameError::WrongMagic { found: b'{' }));
}
