use super::*;

#[test]
fn a_template_is_parsed_into_text_and_placeholders() {
    let text = |text: &str| SignedPart::Text(text.to_owned());
    let header = |name: &str| SignedPart::Header(name.to_owned());
    assert_eq!(signed_parts("{body}"), Ok(vec![SignedPart::Body]));
    assert_eq!(
        signed_parts("v0:{timestamp}:{body}"),
        Ok(vec![text("v0:"), SignedPart::Timestamp, text(":"), SignedPart::Body])
    );
    let all = "{method} {path} {content_type}{content_encoding}{header:X-Schema-Id}{body}";
    assert_eq!(
        signed_parts(all),
        Ok(vec![
            SignedPart::Method,
            text(" "),
            SignedPart::Path,
            text(" "),
            header("content-type"),
            header("content-encoding"),
            header("x-schema-id"),
            SignedPart::Body
        ])
    );
}

#[test]
fn a_template_must_hold_the_body_exactly_once() {
    for wrong in [
        "",
        "{timestamp}",
        "{body}{body}",
        "{timestamp}{timestamp}{body}",
        "{boby}{body}",
        "{body} {",
        "{header:a b}{body}",
    ] {
        assert!(signed_parts(wrong).is_err(), "{wrong}");
    }
}
