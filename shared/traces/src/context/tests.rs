use super::*;

const HEADER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
fn a_valid_header_is_parsed_and_written_unchanged() {
    let read = Traceparent::parse(HEADER.as_bytes()).unwrap();
    assert!(read.is_sampled());
    assert_eq!(header(&read.remote()), HEADER);
    let unsampled = Traceparent::parse(HEADER.replace("-01", "-00").as_bytes()).unwrap();
    assert!(!unsampled.is_sampled());
}

#[test]
fn flags_without_a_meaning_are_dropped() {
    let read = Traceparent::parse(HEADER.replace("-01", "-ff").as_bytes()).unwrap();
    assert_eq!(header(&read.remote()), HEADER);
}

#[test]
fn a_later_version_may_be_longer() {
    let later = HEADER.replacen("00", "cc", 1);
    assert!(Traceparent::parse(later.as_bytes()).is_some());
    assert!(Traceparent::parse(format!("{later}-what-the-future-will-be").as_bytes()).is_some());
    assert_eq!(Traceparent::parse(format!("{later}x").as_bytes()), None);
}

#[test]
fn an_invalid_header_is_ignored() {
    for odd in [
        "",
        "00",
        &HEADER[..54],
        &format!("{HEADER}-more"),
        &format!("{HEADER} "),
        &HEADER.to_uppercase(),
        "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
        "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ] {
        assert_eq!(Traceparent::parse(odd.as_bytes()), None, "{odd}");
    }
    assert_eq!(Traceparent::parse(&[0xff; LEN]), None);
}
