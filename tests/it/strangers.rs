//! Senders that cannot authenticate and take all they can: connections, streams, heads, time. Authenticated senders are
//! served meanwhile, and the receiver's memory stays bounded.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use harness::config::Config;
use harness::event::Events;
use harness::eventually::patience;
use harness::front::{self, Front, Never};
use harness::http::{self, Connection, HttpAnswer, Method};
use harness::pipeline::{PATH, Pipeline, metric, source};
use harness::process;
use harness::stack::Stack;
use hmac::{Hmac, KeyInit, Mac};
use hyper::client::conn::http2::SendRequest;
use receiver::config::{Auth, HmacAlgorithm, HmacEncoding};
use sha2::Sha256;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

const AVRO: (&str, &str) = ("content-type", "application/avro");
pub(crate) const SIGNED: &str = "/webhook/signed";
pub(crate) const KEY: &[u8] = b"0123456789abcdef";
const MIB: u64 = 1 << 20;
/// How long one stream of an attack waits before its next request.
const PAUSE: Duration = Duration::from_secs(5);

/// Adds a source whose senders sign the body.
pub(crate) fn add_signed(config: &mut Config, file: PathBuf) {
    let auth = Auth::Hmac {
        header: "x-signature".to_owned(),
        algorithm: HmacAlgorithm::Sha256,
        encoding: HmacEncoding::Hex,
        prefix: String::new(),
        timestamp_prefix: None,
        trusted_headers: Vec::new(),
        timestamp_header: None,
        signed: None,
        tolerance: Duration::from_secs(300),
        replay_capacity: 100,
        secrets: Vec::new(),
        secrets_file: Some(file),
    };
    let mut signed = source(&config.kafka.topic, auth);
    signed.path = SIGNED.to_owned();
    config.receiver.sources.insert("signed".to_owned(), signed);
}

pub(crate) fn signature(body: &[u8]) -> Result<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY)?;
    mac.update(body);
    Ok(hex::encode(mac.finalize().into_bytes()))
}

async fn setup(scenario: &str, change: impl FnOnce(&mut Config)) -> Result<(Pipeline, Front)> {
    process::build().await?;
    let pipeline = Pipeline::new(&Stack::running()?, scenario).await?;
    let file = pipeline.file("signing-secrets");
    std::fs::write(&file, KEY)?;
    let front = Front::start(&pipeline, |config| {
        add_signed(config, file);
        change(config);
    })
    .await?;
    Ok((pipeline, front))
}

/// Posts an event with the token, on a connection of its own.
async fn post(pipeline: &Pipeline, front: &Front, body: &[u8]) -> Result<HttpAnswer> {
    let token = format!("Bearer {}", pipeline.token);
    http::send(Method::POST, &front.url(), &[AVRO, ("authorization", &token)], body.to_vec()).await
}

/// Posts an event with its signature, on a connection of its own.
async fn post_signed(front: &Front, body: &[u8]) -> Result<HttpAnswer> {
    let url = format!("http://{}{SIGNED}", front.target());
    http::send(Method::POST, &url, &[AVRO, ("x-signature", &signature(body)?)], body.to_vec()).await
}

/// Sends endless requests with a plausible signature and a body that never arrives. Each request starts some time after
/// the last answer, so that the client is never the bottleneck.
async fn hold(
    mut sender: SendRequest<Never>,
    target: String,
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
) -> Result<()> {
    let fake = "ab".repeat(32);
    while !stop.load(Ordering::Relaxed) {
        let request = front::without_end(&target, SIGNED, &[AVRO, ("x-signature", &fake)])?;
        sender.ready().await?;
        sent.fetch_add(1, Ordering::Relaxed);
        sender.send_request(request).await?;
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signed_requests_without_bodies_keep_out_no_honest_sender() -> Result<()> {
    const CONNECTIONS: usize = 17;
    const STREAMS: usize = 256;
    let (pipeline, front) = setup("strangers-streams", |_| {}).await?;
    let before = front.peak()?;
    let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut attack = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (sender, connection) = front::http2(&front.target()).await?;
        tokio::spawn(async move { connection.await.ok() });
        for _ in 0..STREAMS {
            attack.spawn(hold(sender.clone(), front.target(), Arc::clone(&stop), Arc::clone(&sent)));
        }
    }
    harness::eventually::eventually("the attack is at its height", || async {
        let sent = sent.load(Ordering::Relaxed);
        anyhow::ensure!(sent >= (CONNECTIONS * STREAMS) as u64, "{sent} streams");
        Ok(())
    })
    .await?;
    let events = Events::unique();
    for number in 0..100 {
        let body = events.event(number).encode();
        let answer = post(&pipeline, &front, &body).await?;
        assert_eq!(answer.status, 200, "token, event {number}: {}", answer.text());
        let answer = post_signed(&front, &body).await?;
        assert_eq!(answer.status, 200, "signature, event {number}: {}", answer.text());
    }
    stop.store(true, Ordering::Relaxed);
    let more = front.peak()? - before;
    eprintln!("{} streams were held; {} MiB more at the peak", sent.load(Ordering::Relaxed), more / MIB);
    assert!(more < 96 * MIB, "{more} bytes more");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incomplete_head_takes_a_bounded_amount_of_memory() -> Result<()> {
    const CONNECTIONS: usize = 500;
    let (pipeline, front) = setup("strangers-heads", |_| {}).await?;
    let before = front.peak()?;
    let head = format!("POST {PATH} HTTP/1.1\r\nhost: x\r\nx-long: {}", "x".repeat(400_000));
    let mut half = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (target, head) = (front.target(), head.clone());
        half.spawn(async move {
            let mut stream = TcpStream::connect(target).await?;
            // The connection may be refused on the way, or the receiver may stop reading.
            timeout(Duration::from_secs(3), stream.write_all(head.as_bytes())).await.ok();
            anyhow::Ok(stream)
        });
    }
    let mut held = Vec::new();
    while let Some(stream) = half.join_next().await {
        held.push(stream??);
        let answer = post(&pipeline, &front, &Events::unique().event(0).encode()).await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let more = front.peak()? - before;
    eprintln!("{} half heads: {} MiB more at the peak", held.len(), more / MIB);
    assert!(more < 64 * MIB, "{more} bytes more");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_only_pings_is_closed() -> Result<()> {
    const PLACES: usize = 20;
    let (pipeline, front) = setup("strangers-pings", |config| {
        config.receiver.max_connections = PLACES;
        config.receiver.max_connections_per_address = Some(PLACES);
        config.receiver.idle_timeout = Duration::from_secs(2);
    })
    .await?;
    let mut idle = JoinSet::new();
    for _ in 0..PLACES {
        let (mut sender, connection) = front::http2(&front.target()).await?;
        let driven = tokio::spawn(async move { connection.await.ok() });
        // The sender is answered 404 and sends no other request.
        let request = front::without_end(&front.target(), "/nowhere", &[])?;
        assert_eq!(sender.send_request(request).await?.status(), 404);
        idle.spawn(async move {
            let _sender = sender;
            driven.await
        });
    }
    let events = Events::unique();
    for number in 0..5 {
        let body = events.event(number).encode();
        let answer = timeout(Duration::from_secs(20), post(&pipeline, &front, &body));
        assert_eq!(answer.await.context("no place for an honest sender")??.status, 200);
    }
    // All other connections are closed, although their clients answer and send pings.
    let all = async {
        while let Some(ended) = idle.join_next().await {
            ended??;
        }
        anyhow::Ok(())
    };
    timeout(patience(), all).await.context("idle connections stay open")??;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_that_reads_no_answers_is_disconnected() -> Result<()> {
    let (_pipeline, front) = setup("strangers-readers", |config| {
        config.receiver.write_timeout = Duration::from_secs(1);
    })
    .await?;
    let mut stream = TcpStream::connect(front.target()).await?;
    let requests = "GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n".repeat(1_000);
    let writing = async {
        // The loop ends once the buffers on both sides are full and the receiver has closed.
        while stream.write_all(requests.as_bytes()).await.is_ok() {}
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.ok();
    };
    timeout(patience(), writing).await.context("the receiver waits for ever for a reader")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_is_limited_to_its_share_of_connections() -> Result<()> {
    let (pipeline, front) = setup("strangers-share", |config| {
        config.receiver.max_connections_per_address = Some(2);
    })
    .await?;
    let event = Events::unique().event(0).encode();
    let token = format!("Bearer {}", pipeline.token);
    let request = || -> Result<_> {
        let request = hyper::Request::post(PATH).header("host", "x").header(AVRO.0, AVRO.1);
        Ok(request.header("authorization", &token).body(event.clone().into())?)
    };
    let mut kept = [Connection::open(&front.target()).await?, Connection::open(&front.target()).await?];
    for connection in &mut kept {
        assert_eq!(connection.send(request()?).await?.status, 200);
    }
    let third = async { Connection::open(&front.target()).await?.send(request()?).await };
    assert!(third.await.is_err(), "a third connection of an address that may have two");
    let refused = metric(front.admin_url(), "penstock_receiver_refused_connections_total").await?;
    assert!(refused >= 1.0, "{refused} were counted");
    // Another address has its own share.
    let socket = tokio::net::TcpSocket::new_v4()?;
    socket.bind("127.0.0.2:0".parse()?)?;
    let stream = socket.connect(front.target().parse()?).await?;
    assert_eq!(Connection::over(stream).await?.send(request()?).await?.status, 200);
    for connection in &mut kept {
        assert_eq!(connection.send(request()?).await?.status, 200, "those that are known stay");
    }
    Ok(())
}

/// A frame of HTTP/2 (RFC 9113, section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = (payload.len() as u32).to_be_bytes();
    [&len[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// `GET http://x/`, by the static table of HPACK.
const HEAD: &[u8] = b"\x82\x86\x84\x01\x01x";

/// The beginning of a connection whose client takes nothing of any answer (`SETTINGS_INITIAL_WINDOW_SIZE` is 0), and
/// `streams` requests.
fn requests_without_a_window(streams: u32) -> Vec<u8> {
    let mut bytes = [PREFACE, &frame(4, 0, 0, &[0, 4, 0, 0, 0, 0])].concat();
    for number in 0..streams {
        // END_STREAM and END_HEADERS.
        bytes.extend(frame(1, 5, 2 * number + 1, HEAD));
    }
    bytes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unread_answers_over_http2_take_bounded_memory_and_time() -> Result<()> {
    const CONNECTIONS: usize = 400;
    let (pipeline, front) = setup("strangers-windows", |config| {
        config.receiver.write_timeout = Duration::from_secs(5);
        config.receiver.max_connections = 1_000;
    })
    .await?;
    let before = front.peak()?;
    let mut attack = JoinSet::new();
    for number in 0..CONNECTIONS {
        let mut stream = TcpStream::connect(front.target()).await?;
        stream.write_all(&requests_without_a_window(200)).await?;
        attack.spawn(async move {
            // Until the receiver has had enough.
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await.ok();
        });
        if number.is_multiple_of(20) {
            let answer = post(&pipeline, &front, &Events::unique().event(0).encode()).await?;
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
    }
    let all = async { while attack.join_next().await.is_some() {} };
    timeout(patience(), all).await.context("connections whose answers nobody takes stay open")?;
    let more = front.peak()? - before;
    eprintln!("{CONNECTIONS} connections of 200 streams: {} MiB more at the peak", more / MIB);
    assert!(more < 48 * MIB, "{more} bytes more");
    Ok(())
}
