//! All rows of a receiver's part of the table at once: records that wait long to be sent, so that the queues of events
//! and of the quarantine fill; bodies that stop half way, of known senders and of strangers; compressed bodies that are large; heads that
//! never end; files with ever new schemas; and a full memory of signatures. Then all of it is over: events are taken.

use std::io::Write;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use apache_avro::Codec;
use bytes::Bytes;
use bytesize::ByteSize;
use config::{Auth, Config};
use flate2::Compression;
use flate2::write::GzEncoder;
use harness::container;
use harness::event::{Event, Events};
use harness::eventually::eventually;
use harness::front::Front;
use harness::http::{self, Connection, HalfSent, Method, Request};
use harness::pipeline::{PATH, Pipeline, metric};
use harness::process::build;
use harness::stack::Stack;
use http_body_util::Full;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::{MIB, PROGRAM};
use crate::strangers::{KEY, SIGNED, add_signed, signature};

/// `receiver.max_in_flight_bytes` here.
const IN_FLIGHT: u64 = 64 * MIB;
/// `queue.buffering.max.kbytes` here.
const QUEUE: u64 = 24 * MIB;
/// How long a record waits for others, and over how many partitions they are spread: no batch is full before the queue.
const LINGER_MS: &str = "2000";
const PARTITIONS: i32 = 64;
const CONNECTIONS: usize = 1_024;
/// `auth.replay_capacity` here.
const SIGNATURES: usize = 2_000;
const AVRO: (&str, &str) = ("content-type", "application/avro");
const CONTAINER: (&str, &str) = ("content-type", "application/vnd.apache.avro+container");

/// The sum, as ARCHITECTURE.md states it for one process.
const BOUND: u64 = IN_FLIGHT / 8 * 9 + QUEUE + 16 * 1024 * CONNECTIONS as u64 + PROGRAM;

struct Scene {
    /// Its folder has the files of the receiver.
    _pipeline: Pipeline,
    front: Front,
    events: Events,
    token: String,
}

impl Scene {
    async fn new() -> Result<Self> {
        let pipeline = Pipeline::new(&Stack::running()?, "memory-front").await?;
        let wide = format!("{}-wide", pipeline.config.kafka.topic);
        for topic in [&wide, &pipeline.config.kafka.quarantine_topic] {
            pipeline.kafka.create_topic(topic, PARTITIONS).await?;
        }
        let file = pipeline.file("signing-secrets");
        std::fs::write(&file, KEY)?;
        let front = Front::start(&pipeline, |config| bounded(config, file, &wide)).await?;
        let token = format!("Bearer {}", pipeline.token);
        Ok(Self { _pipeline: pipeline, front, events: Events::unique(), token })
    }

    /// An event of about this size.
    fn event(&self, number: u64, bytes: usize) -> Vec<u8> {
        let mut event = self.events.event(number);
        event.metadata.push(("padding".to_owned(), "x".repeat(bytes)));
        Event::encode(&event)
    }

    /// Posts `body` as the known sender. What comes of it is not of interest: much is refused for want of room.
    async fn post(&self, headers: &[(&str, &str)], body: Vec<u8>) -> Option<u16> {
        let headers = [headers, &[("authorization", self.token.as_str())]].concat();
        http::send(Method::POST, &self.front.url(), &headers, body).await.ok().map(|answer| answer.status.as_u16())
    }
}

/// The bounds of this scenario, and a second source, whose senders sign.
fn bounded(config: &mut Config, secrets: std::path::PathBuf, topic: &str) {
    config.receiver.max_in_flight_bytes = ByteSize::b(IN_FLIGHT);
    config.receiver.max_connections = CONNECTIONS;
    config.receiver.max_connections_per_address = Some(CONNECTIONS);
    config.kafka.options.insert("queue.buffering.max.kbytes".to_owned(), (QUEUE / 1024).to_string());
    config.kafka.options.insert("linger.ms".to_owned(), LINGER_MS.to_owned());
    add_signed(config, secrets);
    for source in config.receiver.sources.values_mut() {
        source.register_schemas = true;
        source.topic = Some(topic.to_owned());
        if let Auth::Hmac { replay_capacity, .. } = &mut source.auth {
            *replay_capacity = SIGNATURES;
        }
    }
}

/// Fills the memory of signatures, which holds those of accepted requests.
async fn sign(scene: &Arc<Scene>) -> Result<()> {
    const SENDERS: u64 = 500;
    let mut senders = JoinSet::new();
    for sender in 0..SENDERS {
        let scene = Arc::clone(scene);
        senders.spawn(async move {
            let mut connection = Connection::open(&scene.front.target()).await?;
            for number in 0..SIGNATURES as u64 / SENDERS + 1 {
                let body = scene.event(1_000_000 + number * SENDERS + sender, 0);
                let request = Request::builder().method(Method::POST).uri(SIGNED).header("host", "receiver.example");
                let request = request.header(AVRO.0, AVRO.1).header("x-signature", signature(&body)?);
                let answer = connection.send(request.body(Full::new(Bytes::from(body)))?).await?;
                ensure!(answer.status == 200, "{}: {}", answer.status, answer.text());
            }
            anyhow::Ok(())
        });
    }
    while let Some(sent) = senders.join_next().await {
        sent??;
    }
    Ok(())
}

/// Bodies of 1 MiB that stop half way, for as long as the result is held: of known senders, and of strangers whose
/// signature looks right.
async fn stop_half_way(scene: &Arc<Scene>) -> Vec<HalfSent> {
    let fake = "ab".repeat(32);
    let mut sending = JoinSet::new();
    for number in 0..128 {
        let (scene, fake) = (Arc::clone(scene), fake.clone());
        sending.spawn(async move {
            let (path, last) = match number % 2 {
                0 => (PATH, ("authorization", scene.token.as_str())),
                _ => (SIGNED, ("x-signature", fake.as_str())),
            };
            HalfSent::start(&scene.front.target(), path, &[AVRO, last], &vec![0; 1 << 20]).await.ok()
        });
    }
    sending.join_all().await.into_iter().flatten().collect()
}

/// Heads that never end.
async fn half_heads(scene: &Arc<Scene>) -> Result<Vec<TcpStream>> {
    let head = format!("POST {PATH} HTTP/1.1\r\nhost: x\r\nx-long: {}", "x".repeat(31_000));
    let mut held = Vec::new();
    for _ in 0..400 {
        let mut stream = TcpStream::connect(scene.front.target()).await?;
        // Too many of them are refused.
        stream.write_all(head.as_bytes()).await.ok();
        held.push(stream);
    }
    Ok(held)
}

/// A schema of about 170 KiB that no other number has.
fn schema(number: u64) -> String {
    let field = |field| format!(r#",{{"name":"f{field}","type":["null","string"],"doc":"{number}"}}"#);
    let fields: String = (0..3_000).map(field).collect();
    format!(r#"{{"type":"record","name":"R{number}","fields":[{{"name":"event_id","type":"string"}}{fields}]}}"#)
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// Everything that is held for a while only, many of each at a time.
async fn press(scene: &Arc<Scene>) -> Result<()> {
    const ROUNDS: u64 = 400;
    let large = gzip(&vec![0; 12 << 20])?;
    let mut posting = JoinSet::new();
    for number in 0..ROUNDS {
        let (scene, large) = (Arc::clone(scene), large.clone());
        posting.spawn(async move {
            let gzipped = ("content-encoding", "gzip");
            match number % 8 {
                0 => scene.post(&[AVRO], vec![0xff; 400 << 10]).await,
                1 => scene.post(&[AVRO, gzipped], large).await,
                2 => {
                    let file = container::file(&schema(number / 16), Codec::Null, &[]).ok()?;
                    scene.post(&[CONTAINER, gzipped], gzip(&file).ok()?).await
                }
                _ => scene.post(&[AVRO], scene.event(number, 200 << 10)).await,
            }
        });
    }
    posting.join_all().await;
    Ok(())
}

/// Fails unless each of these outcomes has been: the rows they belong to were full.
async fn were_full(scene: &Scene) -> Result<()> {
    let admin = scene.front.admin_url();
    let requests = async |outcomes: &[&str]| {
        let mut sum = 0.0;
        for outcome in outcomes {
            let sample = format!("penstock_receiver_requests_total{{outcome=\"{outcome}\",source=\"cxone\"}}");
            sum += metric(admin, &sample).await?;
        }
        anyhow::Ok(sum)
    };
    ensure!(requests(&["overloaded"]).await? > 0.0, "there was room for all bodies");
    ensure!(requests(&["queue-full"]).await? > 0.0, "there was room for all events");
    ensure!(requests(&["invalid-event", "invalid-frame"]).await? > 0.0, "nothing was to be kept");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_rows_of_a_receiver_at_once_stay_within_the_sum() -> Result<()> {
    build().await?;
    rlimit::increase_nofile_limit(4_096)?;
    let scene = Arc::new(Scene::new().await?);
    let begin = scene.front.peak()?;
    sign(&scene).await?;
    let heads = half_heads(&scene).await?;
    let bodies = stop_half_way(&scene);
    let (bodies, pressed) = tokio::join!(bodies, press(&scene));
    pressed?;
    println!("{} heads and {} bodies were held", heads.len(), bodies.len());
    press(&scene).await?;
    drop((heads, bodies));
    were_full(&scene).await?;

    eventually("an event is taken", || async {
        let status = scene.post(&[AVRO], scene.event(0, 0)).await.context("no answer")?;
        ensure!(status == 200, "{status}");
        Ok(())
    })
    .await?;
    let peak = scene.front.peak()?;
    println!("peak {} MiB, {} at the start, of {} MiB", peak / MIB, begin / MIB, BOUND / MIB);
    ensure!(peak <= BOUND, "{} MiB, more than {} MiB: {}", peak / MIB, BOUND / MIB, scene.front.last_lines());
    Ok(())
}
