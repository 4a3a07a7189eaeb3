//! Clients as users of other servers reported them: they close their sending side, speak HTTP/1.0, offer an upgrade,
//! frame a body in two ways, take back each request, or send none. The tests write the requests by hand.

use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use harness::event::Events;
use harness::eventually::eventually;
use harness::front::Front;
use harness::http::{self, Method, Request};
use harness::pipeline::{PATH, Pipeline, Service, metric};
use harness::process;
use harness::stack::Stack;
use http_body_util::Full;
use hyper::client::conn::http2::Builder;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

const AVRO: (&str, &str) = ("content-type", "application/avro");
const ACCEPTED: &str = r#"{"accepted":1}"#;

struct Scene {
    pipeline: Pipeline,
    receiver: Service,
    events: Events,
}

impl Scene {
    async fn new(scenario: &str) -> Result<Self> {
        let pipeline = Pipeline::new(&Stack::running()?, scenario).await?;
        let receiver = pipeline.receiver().await?;
        Ok(Self { pipeline, receiver, events: Events::unique() })
    }

    /// Returns a request with the event of this number: the request line with this version of HTTP, the usual headers,
    /// `headers`, and the body, in one chunk if it is `chunked`.
    fn request(&self, number: u64, version: &str, headers: &[&str], chunked: bool) -> Vec<u8> {
        let event = self.events.event(number).encode();
        let (host, token) = (self.receiver.target(), &self.pipeline.token);
        let mut head = format!("POST {PATH} HTTP/{version}\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n");
        head += "Content-Type: application/avro\r\n";
        head.extend(headers.iter().map(|header| format!("{header}\r\n")));
        if chunked {
            let size = format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n", event.len());
            return [head.as_bytes(), size.as_bytes(), &event, b"\r\n0\r\n\r\n"].concat();
        }
        let length = format!("Content-Length: {}\r\n\r\n", event.len());
        [head.as_bytes(), length.as_bytes(), &event].concat()
    }

    async fn produced(&self) -> Result<u64> {
        self.pipeline.kafka.count(&self.pipeline.config.kafka.topic).await
    }
}

/// hyperium/hyper#3879, enghitalo/vanilla#103. linkerd/linkerd#1847: a client of HTTP/1.0 cannot read an answer in
/// chunks.
#[tokio::test]
async fn a_client_that_closes_its_sending_side_gets_its_answer() -> Result<()> {
    let scene = Scene::new("odd-half-closed").await?;
    let mut number = 0;
    for (version, chunked) in [("1.1", false), ("1.1", true), ("1.0", false)] {
        for _ in 0..5 {
            let request = scene.request(number, version, &[], chunked);
            let said = http::half_closed(&scene.receiver.target(), &request).await?;
            number += 1;
            assert!(said.starts_with(&format!("HTTP/{version} 200")), "{version}: {said:?}");
            assert!(said.ends_with(ACCEPTED), "{version}: {said:?}");
            assert!(said.contains(&format!("content-length: {}", ACCEPTED.len())), "{version}: {said:?}");
        }
    }
    assert_eq!(scene.produced().await?, number);
    Ok(())
}

/// MagicStack/httptools#124, jetty/jetty.project#9998, helidon-io/helidon#9354: Java's client offers HTTP/2 with each
/// request, and servers lost the body.
#[tokio::test]
async fn an_offer_to_upgrade_to_http2_is_declined_and_loses_no_body() -> Result<()> {
    let scene = Scene::new("odd-upgrade").await?;
    let offer = [
        "Connection: Upgrade, HTTP2-Settings",
        "Upgrade: h2c",
        "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
    ];
    for (number, chunked) in [(0, false), (1, true)] {
        let request = scene.request(number, "1.1", &offer, chunked);
        assert_eq!(http::by_hand(&scene.receiver.target(), &request, b"").await?, [200], "chunked: {chunked}");
    }
    assert_eq!(scene.produced().await?, 2);
    Ok(())
}

/// hyperium/hyper#4123, litespeedtech/openlitespeed#392: a proxy in front of a server may frame the body by the other
/// header, and take a second request for a part of it.
#[tokio::test]
async fn after_a_body_framed_in_two_ways_the_connection_serves_no_request() -> Result<()> {
    let scene = Scene::new("odd-framed-twice").await?;
    for (number, length) in [(0, "Content-Length: 4"), (1, "Content-Length: 100000")] {
        let first = scene.request(number, "1.1", &[length], true);
        let second = scene.request(100 + number, "1.1", &[], false);
        let said = http::until_closed(&scene.receiver.target(), &[first, second].concat()).await?;
        assert!(said.starts_with("HTTP/1.1 200") && said.ends_with(ACCEPTED), "{length}: {said:?}");
        assert_eq!(said.matches("HTTP/1.1").count(), 1, "{length}: {said:?}");
    }
    assert_eq!(scene.produced().await?, 2);
    Ok(())
}

/// seanmonstar/httparse#68 (lines folded into the one before), postrank-labs/goliath#351, ohler55/agoo#88,
/// cloudwego/hertz#1490 (framings that two servers may read differently).
#[tokio::test]
async fn a_head_that_servers_read_differently_is_refused() -> Result<()> {
    let scene = Scene::new("odd-heads").await?;
    for headers in [
        &["X-Folded: a\r\n b"][..],
        &["Content-Length: 4"],
        &["Content-Length: +37"],
        &["Content-Length: 37, 37"],
        &["Content-Length : 37"],
        &["Transfer-Encoding : chunked"],
        &["Transfer-Encoding: identity"],
        &["Transfer-Encoding: chunked, identity"],
        &["Transfer-Encoding: xchunked"],
        &["X-Null: a\0b"],
    ] {
        let request = scene.request(0, "1.1", headers, false);
        let said = http::until_closed(&scene.receiver.target(), &request).await?;
        assert!(said.starts_with("HTTP/1.1 400"), "{headers:?}: {said:?}");
    }
    assert_eq!(scene.produced().await?, 0);
    Ok(())
}

/// hyperium/hyper#2899: bodies that nobody reads take the whole window of their connection. haproxy/haproxy#3495: a
/// client waits to send the rest of a body that was refused.
#[tokio::test]
async fn bodies_refused_over_http2_leave_room_for_the_next_request() -> Result<()> {
    let scene = Scene::new("odd-refused-bodies").await?;
    let target = scene.receiver.target();
    let stream = TokioIo::new(TcpStream::connect(&target).await?);
    let (mut sender, connection) = Builder::new(TokioExecutor::new()).handshake(stream).await?;
    tokio::spawn(async move { connection.await.ok() });
    let mut post = |token: &str, body: Bytes| {
        let request = Request::post(format!("http://{target}{PATH}")).header(AVRO.0, AVRO.1);
        let request = request.header("authorization", format!("Bearer {token}")).body(Full::new(body));
        request.map(|request| timeout(Duration::from_secs(20), sender.send_request(request)))
    };
    // Each is more than the receiver accepts ahead on a connection.
    for _ in 0..40 {
        assert_eq!(post("wrong", Bytes::from(vec![0; 512 << 10]))?.await??.status(), 401);
    }
    let event = scene.events.event(0).encode();
    assert_eq!(post(&scene.pipeline.token, event.into())?.await??.status(), 200);
    assert_eq!(scene.produced().await?, 1);
    Ok(())
}

/// Returns a frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).unwrap_or_default().to_be_bytes();
    [&len[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Returns the fields of a request, indexed and literal (RFC 7541): the method POST, the scheme http, the path, the
/// authority.
fn fields(host: &str) -> Vec<u8> {
    let literal = |index: u8, text: &str| [&[index, text.len() as u8][..], text.as_bytes()].concat();
    [vec![0x83, 0x86], literal(0x04, PATH), literal(0x01, host)].concat()
}

/// Sends `attack` on several connections of HTTP/2, after the preface and the settings. Meanwhile, the receiver answers
/// honest senders, and takes a bounded amount of memory.
async fn withstands(pipeline: &Pipeline, front: &Front, what: &str, attack: Vec<u8>) -> Result<()> {
    const CONNECTIONS: usize = 20;
    let before = front.peak()?;
    let bytes = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(4, 0, 0, &[]), attack].concat();
    let mut attackers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (target, bytes) = (front.target(), bytes.clone());
        attackers.spawn(async move {
            let mut stream = TcpStream::connect(target).await?;
            // The receiver ends the connection on the way, or waits until its answers are read.
            timeout(Duration::from_secs(5), stream.write_all(&bytes)).await.ok();
            anyhow::Ok(())
        });
    }
    let (events, token) = (Events::unique(), format!("Bearer {}", pipeline.token));
    for number in 0..50 {
        let body = events.event(number).encode();
        let answer = http::send(Method::POST, &front.url(), &[AVRO, ("authorization", &token)], body).await?;
        assert_eq!(answer.status, 200, "{what}, event {number}: {}", answer.text());
    }
    while let Some(ended) = attackers.join_next().await {
        ended??;
    }
    eventually("no request is left", || async {
        let left = metric(front.admin_url(), "penstock_receiver_requests_in_flight").await?;
        anyhow::ensure!(left == 0.0, "{what}: {left} requests");
        Ok(())
    })
    .await?;
    let more = front.peak()? - before;
    assert!(more < 64 << 20, "{what}: {more} bytes more");
    Ok(())
}

/// hyperium/hyper#3339, pgjones/hypercorn#146 (CVE-2023-44487).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_that_are_reset_at_once_cost_honest_senders_nothing() -> Result<()> {
    process::build().await?;
    let pipeline = Pipeline::new(&Stack::running()?, "odd-resets").await?;
    let front = Front::start(&pipeline, |_| {}).await?;
    let head = fields(&front.target());
    let reset = |stream: u32| [frame(1, 4, stream, &head), frame(3, 0, stream, &8_u32.to_be_bytes())].concat();
    let attack: Vec<u8> = (0..10_000).flat_map(|number| reset(2 * number + 1)).collect();
    withstands(&pipeline, &front, "resets", attack).await
}

/// h2o/h2o#2090, nodejs/node#29152 (CVE-2019-9512, 9513, 9515, 9518), awslabs/mountpoint-s3#835 (RUSTSEC-2024-0332).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_without_a_request_cost_honest_senders_nothing() -> Result<()> {
    const FRAMES: usize = 50_000;
    process::build().await?;
    let pipeline = Pipeline::new(&Stack::running()?, "odd-frames").await?;
    let front = Front::start(&pipeline, |_| {}).await?;
    let head = fields(&front.target());
    // What comes first, and what is repeated.
    for (what, first, repeated) in [
        ("pings", Vec::new(), frame(6, 0, 0, &[0; 8])),
        ("settings", Vec::new(), frame(4, 0, 0, &[])),
        ("priorities", Vec::new(), frame(2, 0, 1, &[0, 0, 0, 3, 16])),
        ("empty data", frame(1, 4, 1, &head), frame(0, 0, 1, &[])),
        ("continuations", frame(1, 0, 1, &head), frame(9, 0, 1, b"\x00\x01a\x01b")),
    ] {
        withstands(&pipeline, &front, what, [first, repeated.repeat(FRAMES)].concat()).await?;
    }
    Ok(())
}
