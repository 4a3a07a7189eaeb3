use super::*;

/// Bytes that would need escapes, or are not UTF-8, if they belonged to the text.
const FOLLOWING: [u8; 40] = {
    let mut bytes = [b'"'; 40];
    bytes[1] = 0;
    bytes[2] = 0xff;
    bytes[3] = b'\\';
    bytes
};

/// Writes `bytes` as a string of a datum in which `following` bytes follow.
fn written(bytes: &[u8], following: usize) -> Result<Vec<u8>, usize> {
    let datum = [b"x", bytes, &FOLLOWING[..following]].concat();
    let onward = &datum[1..];
    let mut out = b"before ".to_vec();
    let escapes = write_stored(Stored { bytes: &onward[..bytes.len()], onward }, &mut out)?;
    let json = out.strip_prefix(b"before ").unwrap().to_vec();
    if escapes == Escapes::None {
        assert_eq!(json, [b"\"", bytes, b"\""].concat());
    }
    Ok(json)
}

fn assert_written(bytes: &[u8]) {
    let expected = match std::str::from_utf8(bytes) {
        Ok(text) => Ok(serde_json::to_vec(text).unwrap()),
        Err(error) => Err(error.valid_up_to()),
    };
    for following in [0, 1, 2, 15, 16, 17, 31, 32, 33, 40] {
        assert_eq!(written(bytes, following), expected, "{bytes:?} before {following} bytes");
    }
}

#[test]
fn a_string_of_any_length_is_written_like_by_serde_json() {
    for length in 0..=140 {
        let text: Vec<u8> = (0..length).map(|index| b'a' + (index % 26) as u8).collect();
        assert_written(&text);
    }
}

#[test]
fn one_odd_byte_is_found_at_any_position_of_a_string() {
    for length in 1..=100 {
        for at in 0..length {
            let mut text = vec![b'~'; length];
            for odd in [b'"', b'\\', 0, 0x1f, b'\n', 0x7f, 0x80, 0xff] {
                text[at] = odd;
                assert_written(&text);
            }
        }
    }
}

#[test]
fn a_character_of_several_bytes_is_found_at_any_position_of_a_string() {
    for length in 0..=70 {
        for at in 0..=length {
            for character in ["ö", "€", "😀"] {
                assert_written(["a".repeat(at).as_str(), character, &"b".repeat(length - at)].concat().as_bytes());
            }
        }
    }
}
