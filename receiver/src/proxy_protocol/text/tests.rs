use std::time::Duration;

use proptest::prelude::*;

use super::super::read;
use super::*;
use crate::config::ProxyProtocol;

/// Returns what is read of `bytes`, and what is left.
fn read_of(versions: ProxyProtocol, bytes: &[u8]) -> (Result<Origin, Refusal>, Vec<u8>) {
    let mut rest = bytes;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let origin = runtime.block_on(read(&mut rest, versions, Duration::from_secs(5)));
    (origin, rest.to_vec())
}

fn text(bytes: &[u8]) -> Result<Origin, Refusal> {
    read_of(ProxyProtocol::V1, bytes).0
}

/// The longest lines are those of the specification.
#[test]
fn the_address_of_the_client_is_read_and_nothing_behind_the_line() {
    for (line, address) in [
        ("PROXY TCP4 192.0.2.7 10.0.0.1 49152 8080", "192.0.2.7"),
        ("PROXY TCP4 1.1.1.1 1.1.1.1 0 1", "1.1.1.1"),
        ("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535", "255.255.255.255"),
        ("PROXY TCP6 2001:db8::7 ::1 49152 8080", "2001:db8::7"),
        ("PROXY TCP6 ::ffff:192.0.2.7 ::1 49152 8080", "192.0.2.7"),
        (
            "PROXY TCP6 fffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535",
            "fffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        ),
    ] {
        for versions in [ProxyProtocol::V1, ProxyProtocol::Any] {
            let expected = Ok(Origin::Address(address.parse().unwrap()));
            for rest in ["", "\r", "\r\n", "GET / HTTP/1.1\r\n"] {
                let read = read_of(versions, format!("{line}\r\n{rest}").as_bytes());
                assert_eq!(read, (expected, rest.as_bytes().to_vec()), "{line}");
            }
        }
    }
}

#[test]
fn an_unknown_client_counts_as_the_proxy_itself() {
    let longest = format!("PROXY UNKNOWN {}", "f".repeat(MAX - 16));
    for line in ["PROXY UNKNOWN", "PROXY UNKNOWN ", "PROXY UNKNOWN any thing", &longest] {
        let read = read_of(ProxyProtocol::V1, format!("{line}\r\nGET").as_bytes());
        assert_eq!(read, (Ok(Origin::Proxy), b"GET".to_vec()), "{line}");
    }
}

#[test]
fn a_line_that_is_not_by_the_specification_is_refused() {
    for line in [
        "PROXY TCP4 192.0.2.7 10.0.0.1 49152",
        "PROXY TCP4 192.0.2.7 10.0.0.1 49152 8080 1",
        "PROXY TCP4 192.0.2.7 10.0.0.1 49152 8080 ",
        "PROXY  TCP4 192.0.2.7 10.0.0.1 49152 8080",
        "PROXY TCP4 192.0.2.7  10.0.0.1 49152 8080",
        "PROXY TCP4\t192.0.2.7 10.0.0.1 49152 8080",
        "PROXY TCP4 2001:db8::7 ::1 49152 8080",
        "PROXY TCP6 192.0.2.7 10.0.0.1 49152 8080",
        "PROXY TCP4 192.0.2.007 10.0.0.1 49152 8080",
        "PROXY TCP4 192.0.2.7 nonsense 49152 8080",
        "PROXY TCP4 192.0.2.256 10.0.0.1 49152 8080",
        "PROXY TCP4 192.0.2.7 10.0.0.1 65536 8080",
        "PROXY TCP4 192.0.2.7 10.0.0.1 049152 8080",
        "PROXY TCP4 192.0.2.7 10.0.0.1 +49152 8080",
        "PROXY TCP4 192.0.2.7 10.0.0.1 49152 ",
        "PROXY tcp4 192.0.2.7 10.0.0.1 49152 8080",
        "PROXY UDP4 192.0.2.7 10.0.0.1 49152 8080",
        "PROXY UNKNOWNx",
        "PROXY TCP6 [2001:db8::7] ::1 49152 8080",
        "PROXY TCP6 fe80::1%eth0 ::1 49152 8080",
        "PROXY TCP4 192.0.2.7 10.0.0.1 49152 8080\nGET / HTTP/1.1",
        "PROXY TCP4 192.0.2.7 10.0.0.1 49152 8080\r",
        "PROXY UNKNOWN\nPROXY TCP4 192.0.2.7 10.0.0.1 49152 8080",
        "PROXY UNKNOWN \u{e4}",
        "PROXY \r\n 1234567",
    ] {
        let origin = text(format!("{line}\r\n").as_bytes());
        // Text that is ignored may be any text.
        let expected = if line.ends_with('\u{e4}') { Ok(Origin::Proxy) } else { Err(Refusal::Malformed) };
        assert_eq!(origin, expected, "{line:?}");
    }
    assert_eq!(text(b"PROXY UNKNOWN \xff\r\n"), Err(Refusal::Malformed));
    let too_long = format!("PROXY UNKNOWN {}\r\n", "f".repeat(MAX - 15));
    assert_eq!(text(too_long.as_bytes()), Err(Refusal::Malformed));
    assert_eq!(text("PROXY UNKNOWN ".repeat(100_000).as_bytes()), Err(Refusal::Malformed));
}

#[test]
fn a_truncated_header_or_another_version_is_refused() {
    let good = b"PROXY TCP4 192.0.2.7 10.0.0.1 49152 8080\r\n";
    for len in 1..good.len() {
        assert_eq!(text(&good[..len]), Err(Refusal::Malformed), "{len}");
    }
    assert_eq!(text(b""), Ok(Origin::Closed));
    for other in [&b"GET / HTTP/1.1\r\n"[..], b"PROXX", b"PROXY\r\n", b"proxy TCP4", b"\r\n\r\n\0\r\nQUIT\n!\x11"] {
        assert_eq!(text(other), Err(Refusal::Missing), "{other:?}");
    }
    assert_eq!(read_of(ProxyProtocol::V2, good).0, Err(Refusal::Missing));
    assert_eq!(read_of(ProxyProtocol::Any, b"GET / HTTP/1.1\r\n").0, Err(Refusal::Missing));
    let binary = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x07\x0a\x00\x00\x01\xc0\x00\x1f\x90GET";
    let address = Ok(Origin::Address([192, 0, 2, 7].into()));
    assert_eq!(read_of(ProxyProtocol::Any, binary), (address, b"GET".to_vec()));
}

proptest! {
    /// Whatever comes in, it is read without a panic, and never beyond the first line end or the longest head.
    #[test]
    fn any_line_is_read_without_a_panic(rest in "[ -~\r\n\u{e4}]{0,120}") {
        let bytes = [b"PROXY ", rest.as_bytes()].concat();
        let (origin, left) = read_of(ProxyProtocol::Any, &bytes);
        prop_assert!(bytes.len() - left.len() <= MAX);
        if let Ok(Origin::Address(_) | Origin::Proxy) = origin {
            let end = bytes.windows(2).position(|window| window == b"\r\n").unwrap() + 2;
            prop_assert_eq!(left.len(), bytes.len() - end);
        }
    }
}
