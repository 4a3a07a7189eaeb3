//! Honest senders with unusual requests: their content types, their trailing slashes, their checks of a webhook. Also
//! the headers that a signature does not cover.

use std::time::Duration;

use anyhow::Result;
use harness::config::Config;
use harness::event::Events;
use harness::http::{self, HttpAnswer, Method};
use harness::pipeline::{PATH, Pipeline, Service, metric, ready, source};
use harness::stack::Stack;
use hmac::{Hmac, KeyInit, Mac};
use receiver::config::{Auth, HmacAlgorithm, HmacEncoding, TrailingSlash, Verification};
use service::secret::Secret;
use sha2::Sha256;

const AVRO: (&str, &str) = ("content-type", "application/avro");
const KEY: &str = "0123456789abcdef";

async fn start(scenario: &str, change: impl FnOnce(&mut Config)) -> Result<(Pipeline, Service)> {
    let pipeline = Pipeline::new(&Stack::running()?, scenario).await?;
    let mut config = pipeline.config.clone();
    change(&mut config);
    let receiver = Service::receiver(config).await?;
    ready(&receiver.admin_url()).await?;
    Ok((pipeline, receiver))
}

async fn send(
    receiver: &Service,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<HttpAnswer> {
    http::send(method, &format!("http://{}{path}", receiver.target()), headers, body.to_vec()).await
}

#[tokio::test]
async fn a_listed_content_type_is_accepted_with_parameters() -> Result<()> {
    let (pipeline, receiver) = start("senders-types", |config| {
        let source = config.receiver.sources.get_mut("cxone").expect("the source is there");
        source.content_types = vec!["application/octet-stream".to_owned(), "application/x-avro".to_owned()];
    })
    .await?;
    let event = Events::unique().event(0).encode();
    for (content_type, status) in [
        ("application/octet-stream", 200),
        ("application/x-avro; charset=utf-8", 200),
        ("application/avro;charset=utf-8", 200),
        ("application/avro-binary", 415),
    ] {
        let answer = pipeline.post(&receiver, &[("content-type", content_type)], &event).await?;
        assert_eq!(answer.status, status, "{content_type}: {}", answer.text());
    }
    Ok(())
}

#[tokio::test]
async fn a_trailing_slash_counts_by_config_and_unknown_paths_are_counted() -> Result<()> {
    for (trailing_slash, status, unrouted) in [(TrailingSlash::Strict, 404, 2.0), (TrailingSlash::Ignore, 200, 1.0)] {
        let (pipeline, receiver) =
            start("senders-slash", |config| config.receiver.trailing_slash = trailing_slash).await?;
        let token = format!("Bearer {}", pipeline.token);
        let event = Events::unique().event(0).encode();
        for (path, wanted) in [(PATH.to_owned(), 200), (format!("{PATH}/"), status), (format!("{PATH}//"), 404)] {
            let headers = [AVRO, ("authorization", token.as_str())];
            let answer = send(&receiver, Method::POST, &path, &headers, &event).await?;
            assert_eq!(answer.status, wanted, "{trailing_slash:?}, {path}: {}", answer.text());
        }
        let counted = metric(&receiver.admin_url(), "penstock_receiver_unrouted_requests_total").await?;
        assert_eq!(counted, unrouted, "{trailing_slash:?}");
    }
    Ok(())
}

/// The requests are unusual and allowed (RFC 9110, RFC 9112, RFC 3986). They are written by hand, because no client
/// library writes all of them.
#[tokio::test]
async fn requests_are_accepted_in_every_allowed_notation() -> Result<()> {
    let (pipeline, receiver) = start("senders-wire", |_| {}).await?;
    let event = Events::unique().event(0).encode();
    let (host, len) = (receiver.target(), event.len());
    let common = format!("Host: {host}\r\nAuthorization: bearer {}\r\n", pipeline.token);
    let typed = "content-type: application/avro\r\n";
    let plain = format!("{common}{typed}content-length: {len}\r\n");
    let encoded = PATH.replace("webhook", "%77ebhoo%6B").replace("events", "event%73");
    let chunks =
        [format!("{:x};name=\"a b\"\r\n", len).as_bytes(), &event, b"\r\n0\r\nX-Sum: 1\r\nX-Sum: 2\r\n\r\n"].concat();
    let whole = |line: String, headers: &str| [format!("{line}\r\n{headers}\r\n").as_bytes(), &event].concat();
    let line = |path: &str| format!("POST {path} HTTP/1.1");
    let types = "CONTENT-TYPE:application/avro\r\nContent-Type: \t Application/AVRO ;charset=\"utf-8\";v=\"1;2\" \r\n";
    for (what, request, statuses) in [
        ("absolute form", whole(line(&format!("http://other.example{PATH}?a=b")), &plain), vec![200]),
        ("percent-encoded", whole(line(&encoded), &plain), vec![200]),
        ("a query", whole(line(&format!("{PATH}?")), &plain), vec![200]),
        ("an empty line before", [b"\r\n".to_vec(), whole(line(PATH), &plain)].concat(), vec![200]),
        ("HTTP/1.0", whole(format!("POST {PATH} HTTP/1.0"), &plain), vec![200]),
        ("a type twice", whole(line(PATH), &format!("{common}{types}content-length: {len}\r\n")), vec![200]),
        ("a length twice", whole(line(PATH), &format!("{plain}content-length: {len}\r\n")), vec![200]),
        (
            "trailers",
            [
                format!(
                    "{}\r\n{common}{typed}TE: trailers\r\nTrailer: X-Sum\r\nTransfer-Encoding: Chunked\r\n\r\n",
                    line(PATH)
                )
                .as_bytes(),
                &chunks,
            ]
            .concat(),
            vec![200],
        ),
        ("100-continue", format!("{}\r\n{plain}Expect: 100-Continue\r\n\r\n", line(PATH)).into_bytes(), vec![100, 200]),
        ("another path", whole(line(&format!("/{PATH}")), &plain), vec![404]),
        ("not a path of ours", whole(line(&PATH.replace('/', "%2F").replacen("%2F", "/", 1)), &plain), vec![404]),
    ] {
        assert_eq!(http::by_hand(&host, &request, &event).await?, statuses, "{what}");
    }
    receiver.stop().await
}

#[tokio::test]
async fn a_vendor_that_verifies_the_webhook_gets_its_challenge_back() -> Result<()> {
    let (pipeline, receiver) = start("senders-challenge", |config| {
        let source = config.receiver.sources.get_mut("cxone").expect("the source is there");
        source.verification =
            Some(Verification { challenge_parameter: Some("hub.challenge".to_owned()), ..Verification::default() });
    })
    .await?;
    let answer =
        send(&receiver, Method::GET, &format!("{PATH}?hub.mode=subscribe&hub.challenge=1%3C2"), &[], b"").await?;
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "1<2"));
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    for method in [Method::GET, Method::HEAD] {
        let answer = send(&receiver, method, PATH, &[], b"").await?;
        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, ""));
    }
    assert_eq!(send(&receiver, Method::PUT, PATH, &[], b"").await?.status, 405);
    // A vendor's check does not authenticate it.
    assert_eq!(send(&receiver, Method::POST, PATH, &[AVRO], b"\x00").await?.status, 401);
    assert_eq!(pipeline.kafka.count(&pipeline.config.kafka.topic).await?, 0);
    Ok(())
}

fn signing(signed: Option<&str>) -> Auth {
    Auth::Hmac {
        header: "x-signature".to_owned(),
        algorithm: HmacAlgorithm::Sha256,
        encoding: HmacEncoding::Hex,
        prefix: String::new(),
        timestamp_header: None,
        timestamp_prefix: None,
        trusted_headers: Vec::new(),
        signed: signed.map(str::to_owned),
        tolerance: Duration::from_secs(300),
        replay_capacity: 100,
        secrets: vec![Secret::new(KEY)],
        secrets_file: None,
    }
}

fn signature(parts: &[&[u8]]) -> Result<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes())?;
    parts.iter().for_each(|part| mac.update(part));
    Ok(hex::encode(mac.finalize().into_bytes()))
}

#[tokio::test]
async fn a_captured_request_cannot_be_replayed_with_another_meaning() -> Result<()> {
    let (pipeline, receiver) = start("senders-captured", |config| {
        let unsigned = source(&config.kafka.topic, signing(None));
        let mut signed =
            source(&config.kafka.topic, signing(Some("{path} {content_type} {header:X-Schema-Id} {body}")));
        signed.path = "/webhook/signed".to_owned();
        config.receiver.sources.extend([("cxone".to_owned(), unsigned), ("signed".to_owned(), signed)]);
    })
    .await?;
    let event = Events::unique().event(0).encode();
    let id = pipeline.schema_id.to_string();
    let by_body = signature(&[&event])?;
    for (headers, status) in [
        (vec![AVRO], 200),
        // The type is one of Avro, and the bytes tell the form.
        (vec![("content-type", "application/vnd.confluent.avro")], 200),
        (vec![AVRO, ("x-schema-id", id.as_str())], 400),
        (vec![AVRO, ("x-schema-version", "1")], 400),
        (vec![AVRO, ("content-encoding", "deflate")], 400),
    ] {
        let all = [headers.as_slice(), &[("x-signature", by_body.as_str())]].concat();
        let answer = send(&receiver, Method::POST, PATH, &all, &event).await?;
        assert_eq!(answer.status, status, "{headers:?}: {}", answer.text());
        assert!(status == 200 || answer.text().contains("unsigned-header"), "{}", answer.text());
    }
    // The path and the headers are those that are signed.
    let all = signature(&[b"/webhook/signed application/avro ", id.as_bytes(), b" ", &event])?;
    let headers = [AVRO, ("x-schema-id", id.as_str()), ("x-signature", all.as_str())];
    assert_eq!(send(&receiver, Method::POST, "/webhook/signed", &headers, &event).await?.status, 200);
    assert_eq!(send(&receiver, Method::POST, "/webhook/signed", &[headers[0], headers[2]], &event).await?.status, 401);
    assert_eq!(send(&receiver, Method::POST, PATH, &headers, &event).await?.status, 401);
    assert_eq!(pipeline.kafka.count(&pipeline.config.kafka.topic).await?, 3);
    Ok(())
}
