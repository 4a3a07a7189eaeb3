use proptest::prelude::*;

use super::*;

/// Builds a head with this command, family and rest.
fn head(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let len = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [&SIGNATURE[..], &[command, family], &len, rest].concat()
}

fn v4(address: [u8; 4]) -> Vec<u8> {
    [&address[..], &[10, 0, 0, 1, 0xc0, 0, 0x1f, 0x90]].concat()
}

/// Returns what is read from `bytes`, and the rest.
fn read_of(bytes: &[u8]) -> (Result<Origin, Refusal>, Vec<u8>) {
    let mut rest = bytes;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let origin = runtime.block_on(read(&mut rest, ProxyProtocol::V2, Duration::from_secs(5)));
    (origin, rest.to_vec())
}

#[test]
fn the_client_address_is_read_and_nothing_after_the_head() {
    let address = Ok(Origin::Address([192, 0, 2, 7].into()));
    // The addresses are followed by TLVs: those of an AWS load balancer, and some longer than any address.
    for tlv in [vec![], b"\xea\x00\x17\x01vpce-0123456789abcdef0".to_vec(), vec![4; 5_000]] {
        let bytes = [head(0x21, 0x11, &[v4([192, 0, 2, 7]), tlv].concat()), b"GET /".to_vec()].concat();
        assert_eq!(read_of(&bytes), (address, b"GET /".to_vec()));
    }
    assert_eq!(read_of(&head(0x21, 0x12, &v4([192, 0, 2, 7]))).0, address, "over UDP, as for HTTP/3");
    let v6: [u8; 16] = "2001:db8::7".parse::<Ipv6Addr>().unwrap().octets();
    let bytes = head(0x21, 0x21, &[&v6[..], &[0; 20]].concat());
    assert_eq!(read_of(&bytes).0, Ok(Origin::Address("2001:db8::7".parse().unwrap())));
    let mapped: [u8; 16] = "::ffff:192.0.2.7".parse::<Ipv6Addr>().unwrap().octets();
    assert_eq!(read_of(&head(0x21, 0x21, &[&mapped[..], &[0; 20]].concat())).0, address);
}

#[test]
fn a_head_without_a_client_counts_for_the_proxy_address() {
    let unix = vec![b'/'; 216];
    for bytes in [
        head(0x20, 0x00, &[]),
        // AWS load balancers put addresses into the head of a health check; others send a family without addresses.
        head(0x20, 0x11, &v4([192, 0, 2, 7])),
        head(0x20, 0x11, &[]),
        head(0x20, 0xff, b"anything"),
        head(0x21, 0x00, &[]),
        head(0x21, 0x00, b"anything"),
        head(0x21, 0x31, &unix),
    ] {
        assert_eq!(read_of(&[&bytes[..], b"rest"].concat()), (Ok(Origin::Proxy), b"rest".to_vec()), "{bytes:?}");
    }
}

#[test]
fn a_missing_or_malformed_head_is_refused() {
    let good = head(0x21, 0x11, &v4([192, 0, 2, 7]));
    for other in [&b"GET / HTTP/1.1\r\n"[..], b"\x16\x03\x01", b"PROXY TCP4 192.0.2.7 10.0.0.1 1 2\r\n", b"\r\n\r\nGET"]
    {
        assert_eq!(read_of(other).0, Err(Refusal::Missing), "{other:?}");
    }
    assert_eq!(read_of(b"").0, Ok(Origin::Closed));
    for len in 1..good.len() {
        assert_eq!(read_of(&good[..len]).0, Err(Refusal::Malformed), "{len}");
    }
    for (command, family, rest) in
        [(0x11, 0x11, 12), (0x22, 0x11, 12), (0x21, 0x11, 11), (0x21, 0x21, 35), (0x21, 0x41, 12), (0x21, 0x13, 12)]
    {
        let bytes = head(command, family, &vec![0; rest]);
        assert_eq!(read_of(&bytes).0, Err(Refusal::Malformed), "{command:x} {family:x} {rest}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_arrives_too_slowly_is_refused() {
    let (mut near, mut far) = tokio::io::duplex(64);
    let dripping = tokio::spawn(async move {
        for byte in head(0x21, 0x11, &v4([192, 0, 2, 7])) {
            tokio::io::AsyncWriteExt::write_all(&mut far, &[byte]).await.ok();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    assert_eq!(read(&mut near, ProxyProtocol::V2, Duration::from_secs(10)).await, Err(Refusal::Late));
    dripping.abort();
}

proptest! {
    /// Any input is read without a panic, and never beyond the length in the head.
    #[test]
    fn any_bytes_are_read_without_a_panic(rest in proptest::collection::vec(any::<u8>(), 0..80), whole in any::<bool>()) {
        let bytes = if whole { [&SIGNATURE[..], &rest].concat() } else { rest };
        let (origin, left) = read_of(&bytes);
        if let (Ok(Origin::Address(_) | Origin::Proxy), [_, _, high, low, ..]) = (origin, &bytes[12.min(bytes.len())..]) {
            let len = usize::from(u16::from_be_bytes([*high, *low]));
            prop_assert_eq!(left.len(), bytes.len() - FIXED - len);
        }
    }
}
