use super::*;

const TIMEOUT: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn a_connection_is_idle_only_after_its_last_request_is_answered() {
    let client = Client::new(IpAddr::from([127, 0, 0, 1]), None);
    let begin = Instant::now();
    let visit = Visit::begin(&client);
    let idle = tokio::spawn({
        let client = Arc::clone(&client);
        async move { client.idle(TIMEOUT).await }
    });
    tokio::time::sleep(TIMEOUT * 3).await;
    assert!(!idle.is_finished() && client.is_answering() && client.has_begun());
    drop(visit);
    idle.await.unwrap();
    assert!((TIMEOUT * 4..=TIMEOUT * 4 + TIMEOUT / 4).contains(&begin.elapsed()), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_a_request_is_idle_from_the_start() {
    let client = Client::new(IpAddr::from([127, 0, 0, 1]), None);
    let begin = Instant::now();
    client.idle(TIMEOUT).await;
    assert_eq!(begin.elapsed().as_secs(), TIMEOUT.as_secs());
    assert!(!client.has_begun() && !client.is_known());
}

/// Returns the sender of a request from `peer` with these headers.
fn sent(peer: &str, headers: &[(&'static str, &str)]) -> String {
    let trusted: Vec<Network> = ["10.0.0.0/8", "192.0.2.1"].map(|text| text.parse().unwrap()).to_vec();
    let mut head = HeaderMap::new();
    for (name, value) in headers {
        head.append(*name, value.parse().unwrap());
    }
    sender(&head, peer.parse().unwrap(), &trusted).to_string()
}

#[test]
fn only_a_trusted_proxy_determines_the_sender_address() {
    let forwarded = "x-forwarded-for";
    assert_eq!(sent("203.0.113.9", &[(forwarded, "198.51.100.1")]), "203.0.113.9", "no proxy of ours");
    assert_eq!(sent("10.1.1.1", &[]), "10.1.1.1");
    assert_eq!(sent("10.1.1.1", &[(forwarded, "198.51.100.1")]), "198.51.100.1");
    // The sender itself wrote the first entry.
    assert_eq!(sent("10.1.1.1", &[(forwarded, "1.1.1.1, 198.51.100.1, 192.0.2.1")]), "198.51.100.1");
    assert_eq!(sent("10.1.1.1", &[(forwarded, "1.1.1.1"), (forwarded, "198.51.100.1:4711")]), "198.51.100.1");
    assert_eq!(sent("10.1.1.1", &[(forwarded, "garbage, 10.2.2.2")]), "10.2.2.2");
    let standard = r#"for=1.1.1.1, for="[2001:db8::7]:4711";proto=https, For=10.3.3.3"#;
    assert_eq!(sent("10.1.1.1", &[("forwarded", standard)]), "2001:db8::7");
    assert_eq!(sent("10.1.1.1", &[("forwarded", "for=unknown"), (forwarded, "1.1.1.1")]), "10.1.1.1");
}

#[test]
fn conflicting_forwarding_headers_leave_the_proxy_address() {
    let forwarded = "x-forwarded-for";
    let both = |standard: &str, usual: &str| sent("10.1.1.1", &[("forwarded", standard), (forwarded, usual)]);
    assert_eq!(both("for=1.1.1.1", "198.51.100.1"), "10.1.1.1");
    assert_eq!(both("for=198.51.100.1", "1.1.1.1"), "10.1.1.1");
    assert_eq!(both("for=198.51.100.1", "198.51.100.1"), "198.51.100.1");
    assert_eq!(both("for=198.51.100.1, for=10.2.2.2", "1.1.1.1, 198.51.100.1"), "198.51.100.1");
}

#[test]
fn quoted_text_in_forwarded_is_not_a_sender_address() {
    let sent = |value: &str| sent("10.1.1.1", &[("forwarded", value)]);
    for host in ["a;for=6.6.6.6", "a, for=6.6.6.6", r#"a\";for=6.6.6.6"#, r"a\\"] {
        let value = format!(r#"for=1.1.1.1, proto=http;host="{host}";for=198.51.100.1"#);
        assert_eq!(sent(&value), "198.51.100.1", "{value}");
    }
    // The client left a quote open.
    for value in [
        r#"for="1.1.1.1, for=198.51.100.1"#,
        r#"for=1.1.1.1;x="\, for=198.51.100.1"#,
        r#"for=1.1.1.1;x=", for="[2001:db8::7]:4711""#,
        r#"for=1.1.1.1;x=", for=198.51.100.1;host="a\"b""#,
        r#"for=1.1.1.1;x=", for=198.51.100.1;host="""#,
    ] {
        assert_eq!(sent(value), "10.1.1.1", "{value}");
    }
}
