use super::*;

fn head(headers: &[(&'static str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, HeaderValue::from_str(value).unwrap());
    }
    map
}

fn typed(content_type: &str, body: &[u8]) -> Result<Form, UnframeError> {
    unframe(&head(&[("content-type", content_type)]), body, &Reading::default())
}

#[test]
fn every_plain_avro_type_may_hold_a_bare_datum() {
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
fn other_content_types_are_refused() {
    for content_type in ["application/json", "application/avro+json", "application/avrox", "avro", "", ";", "*/*"] {
        assert_eq!(typed(content_type, b"\x02a"), Err(UnframeError::ContentType), "{content_type}");
    }
    assert_eq!(unframe(&HeaderMap::new(), b"\x02a", &Reading::default()), Err(UnframeError::ContentType));
    let two = head(&[("content-type", "application/avro"), ("content-type", "application/json")]);
    assert_eq!(unframe(&two, b"\x02a", &Reading::default()), Err(UnframeError::ContentType));
}

/// SlinkyProject/slurm-operator#244, istio/istio#30470, envoyproxy/envoy#9019: a client sets the header twice, and a proxy
/// joins both.
#[test]
fn a_content_type_that_a_proxy_has_joined_with_itself_is_accepted() {
    for content_type in [
        "application/avro,application/avro",
        "application/avro, Application/Avro;charset=utf-8",
        "application/avro;v=\"1,2\"",
    ] {
        assert_eq!(typed(content_type, b"\x02a"), Ok(Form::Bare), "{content_type}");
    }
    for content_type in ["application/avro,application/json", "application/json,application/avro", "application/avro,"]
    {
        assert_eq!(typed(content_type, b"\x02a"), Err(UnframeError::ContentType), "{content_type}");
    }
}

#[test]
fn a_leading_zero_leaves_the_form_of_a_plain_type_open() {
    assert_eq!(
        typed("application/avro", b"\0\0\0\0\x07\x02a"),
        Ok(Form::BareOrFramed(Framing::Confluent(SchemaId(7))))
    );
    assert_eq!(typed("application/avro", b"\0\0\0\x07"), Ok(Form::Bare), "too short for a frame");
}

#[test]
fn the_confluent_type_must_hold_a_frame() {
    let confluent = "application/vnd.confluent.avro";
    assert_eq!(typed(confluent, b"\0\0\0\x01\x02\x02a"), Ok(Form::Framed(Framing::Confluent(SchemaId(258)))));
    assert_eq!(typed(confluent, b"\x02a"), Err(UnframeError::Frame(FrameError::TooShort { len: 2 })));
    assert_eq!(typed(confluent, b"\x02abcdef"), Err(UnframeError::Frame(FrameError::WrongMagic { found: 2 })));
}

#[test]
fn a_named_schema_makes_the_datum_bare() {
    let avro = ("content-type", "application/avro");
    assert_eq!(
        unframe(&head(&[avro, ("x-schema-id", "9")]), b"\0\0\0\0\x07\x02a", &Reading::default()),
        Ok(Form::BareOf(SchemaId(9))),
        "a leading zero does not matter"
    );
    for odd in ["", "-1", "4294967296", "seven"] {
        assert_eq!(
            unframe(&head(&[avro, ("x-schema-id", odd)]), b"a", &Reading::default()),
            Err(UnframeError::SchemaIdHeader),
            "{odd}"
        );
    }
    let two = head(&[avro, ("x-schema-id", "9"), ("x-schema-id", "9")]);
    assert_eq!(unframe(&two, b"a", &Reading::default()), Err(UnframeError::SchemaIdHeader));
}

#[test]
fn an_empty_body_is_refused() {
    assert_eq!(typed("application/avro", b""), Err(UnframeError::Empty));
    assert_eq!(typed("application/vnd.confluent.avro", b""), Err(UnframeError::Empty));
}

const SINGLE_OBJECT: &[u8] = b"\xc3\x01\x01\x02\x03\x04\x05\x06\x07\x08\x02a";

#[test]
fn a_fingerprint_or_file_header_leaves_a_plain_type_open() {
    let single = Framing::SingleObject(0x0807_0605_0403_0201);
    assert_eq!(typed("avro/binary", SINGLE_OBJECT), Ok(Form::BareOrFramed(single)));
    assert_eq!(typed("avro/binary", &SINGLE_OBJECT[..9]), Ok(Form::Bare), "too short for a fingerprint");
    assert_eq!(typed("avro/binary", b"Obj\x01"), Ok(Form::BareOrFramed(Framing::Container)));
    assert_eq!(typed("avro/binary", b"Obj\x02"), Ok(Form::Bare));
}

#[test]
fn the_content_types_of_other_forms_must_match_the_body() {
    let single = "application/vnd.apache.avro+single-object";
    assert_eq!(typed(single, SINGLE_OBJECT), Ok(Form::Framed(Framing::SingleObject(0x0807_0605_0403_0201))));
    assert_eq!(typed(single, &SINGLE_OBJECT[..9]), Err(UnframeError::SingleObject));
    assert_eq!(typed(single, b"\0\0\0\0\x07\x02abcdefgh"), Err(UnframeError::SingleObject));
    let container = "Application/vnd.apache.avro+container";
    assert_eq!(typed(container, b"Obj\x01\0"), Ok(Form::Framed(Framing::Container)));
    assert_eq!(typed(container, b"Obj"), Err(UnframeError::Container));
}

#[test]
fn a_schema_version_makes_the_datum_bare_but_excludes_an_id() {
    let avro = ("content-type", "application/avro");
    assert_eq!(
        unframe(&head(&[avro, ("x-schema-version", "3")]), SINGLE_OBJECT, &Reading::default()),
        Ok(Form::BareOfVersion(3))
    );
    for odd in ["", "0", "-1", "latest"] {
        let head = head(&[avro, ("x-schema-version", odd)]);
        assert_eq!(unframe(&head, b"a", &Reading::default()), Err(UnframeError::SchemaVersionHeader), "{odd}");
    }
    let both = head(&[avro, ("x-schema-id", "9"), ("x-schema-version", "3")]);
    assert_eq!(unframe(&both, b"a", &Reading::default()), Err(UnframeError::SchemaHeaders));
}

#[test]
fn headers_that_a_signature_does_not_cover_do_not_count() {
    let unsigned = Reading { content_types: Vec::new(), unsigned: DECISIVE.to_vec() };
    let frame = b"\0\0\0\0\x07\x02a";
    let confluent = Framing::Confluent(SchemaId(7));
    let read = |headers: &[(&'static str, &str)]| unframe(&head(headers), frame, &unsigned);
    // Whichever type of Avro the header names, only the bytes count.
    for (content_type, _) in MEDIA_TYPES {
        assert_eq!(read(&[("content-type", content_type)]), Ok(Form::BareOrFramed(confluent)), "{content_type}");
    }
    assert_eq!(read(&[("content-type", "text/plain")]), Err(UnframeError::ContentType));
    for (name, said) in [("x-schema-id", "X-Schema-Id"), ("x-schema-version", "X-Schema-Version")] {
        let headers = [("content-type", "application/avro"), (name, "7")];
        assert_eq!(read(&headers), Err(UnframeError::Unsigned(said)));
    }
}

#[test]
fn additional_content_types_can_be_listed() {
    let listed = Reading { content_types: vec!["application/octet-stream".to_owned()], unsigned: Vec::new() };
    let read = |content_type: &str| unframe(&head(&[("content-type", content_type)]), b"\x02a", &listed);
    for content_type in ["application/octet-stream", "Application/Octet-Stream; charset=utf-8", "application/avro"] {
        assert_eq!(read(content_type), Ok(Form::Bare), "{content_type}");
    }
    assert_eq!(read("application/json"), Err(UnframeError::ContentType));
}

#[test]
fn a_repeated_content_type_is_accepted_if_it_is_the_same() {
    let twice = |other: &'static str| {
        let mut head = head(&[("content-type", "application/avro")]);
        head.append("content-type", other.parse().unwrap());
        unframe(&head, b"\x02a", &Reading::default())
    };
    assert_eq!(twice("Application/Avro ; charset=utf-8"), Ok(Form::Bare));
    assert_eq!(twice("application/vnd.confluent.avro"), Err(UnframeError::ContentType));
}
