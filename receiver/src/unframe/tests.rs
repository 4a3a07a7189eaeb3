use axum::http::HeaderValue;

use super::*;

fn head(headers: &[(&'static str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, HeaderValue::from_str(value).unwrap());
    }
    map
}

fn typed(content_type: &str, body: &[u8]) -> Result<Form, UnframeError> {
    unframe(&head(&[("content-type", content_type)]), body)
}

#[test]
fn every_plain_type_of_avro_may_hold_a_bare_datum() {
    for content_type in [
        "application/avro",
        "avro/binary",
        "application/vnd.apache.avro+binary",
        "Application/AVRO",
        "avro/binary; charset=binary",
        "avro/binary ;x=y",
    ] {
        assert_eq!(typed(content_type, b"\x02a"), Ok(Form::Bare), "{content_type}");
    }
}

#[test]
fn other_types_are_refused() {
    for content_type in ["application/json", "application/avro+json", "application/avrox", "avro", "", ";", "*/*"] {
        assert_eq!(typed(content_type, b"\x02a"), Err(UnframeError::ContentType), "{content_type}");
    }
    assert_eq!(unframe(&HeaderMap::new(), b"\x02a"), Err(UnframeError::ContentType));
    let two = head(&[("content-type", "application/avro"), ("content-type", "application/json")]);
    assert_eq!(unframe(&two, b"\x02a"), Err(UnframeError::ContentType));
}

#[test]
fn compressed_bodies_are_refused_rather_than_read_as_avro() {
    let avro = ("content-type", "application/avro");
    assert_eq!(unframe(&head(&[avro, ("content-encoding", "gzip")]), b"\x1f"), Err(UnframeError::ContentEncoding));
    assert_eq!(unframe(&head(&[avro, ("content-encoding", "identity")]), b"\x02a"), Ok(Form::Bare));
}

#[test]
fn a_leading_zero_leaves_the_form_of_a_plain_type_open() {
    assert_eq!(typed("application/avro", b"\0\0\0\0\x07\x02a"), Ok(Form::BareOrFramed(SchemaId(7))));
    assert_eq!(typed("application/avro", b"\0\0\0\x07"), Ok(Form::Bare), "too short for a frame");
}

#[test]
fn the_confluent_type_must_hold_a_frame() {
    let confluent = "application/vnd.confluent.avro";
    assert_eq!(typed(confluent, b"\0\0\0\x01\x02\x02a"), Ok(Form::Framed(SchemaId(258))));
    assert_eq!(typed(confluent, b"\x02a"), Err(UnframeError::Frame(FrameError::TooShort { len: 2 })));
    assert_eq!(typed(confluent, b"\x02abcdef"), Err(UnframeError::Frame(FrameError::WrongMagic { found: 2 })));
}

#[test]
fn a_named_schema_makes_the_datum_bare() {
    let avro = ("content-type", "application/avro");
    assert_eq!(
        unframe(&head(&[avro, ("x-schema-id", "9")]), b"\0\0\0\0\x07\x02a"),
        Ok(Form::BareOf(SchemaId(9))),
        "a leading zero does not matter"
    );
    for odd in ["", "-1", "4294967296", "seven"] {
        assert_eq!(unframe(&head(&[avro, ("x-schema-id", odd)]), b"a"), Err(UnframeError::SchemaIdHeader), "{odd}");
    }
    let two = head(&[avro, ("x-schema-id", "9"), ("x-schema-id", "9")]);
    assert_eq!(unframe(&two, b"a"), Err(UnframeError::SchemaIdHeader));
}

#[test]
fn an_empty_body_is_no_event() {
    assert_eq!(typed("application/avro", b""), Err(UnframeError::Empty));
    assert_eq!(typed("application/vnd.confluent.avro", b""), Err(UnframeError::Empty));
}
