//! More load than the receiver accepts: it says so in time, and honest senders are served meanwhile.

use std::time::Duration;

use anyhow::Result;
use harness::event::Events;
use harness::eventually::{eventually, patience};
use harness::http::{self, HalfSent, HttpAnswer, Method};
use harness::pipeline::{PATH, Pipeline, Service};
use harness::stack::Stack;
use receiver::config::Receiver;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

const AVRO: (&str, &str) = ("content-type", "application/avro");

async fn post(pipeline: &Pipeline, receiver: &Service, body: &[u8]) -> Result<HttpAnswer> {
    let token = format!("Bearer {}", pipeline.token);
    http::send(Method::POST, &receiver.url(), &[AVRO, ("authorization", &token)], body.to_vec()).await
}

/// Sends a request without the second half of its body.
async fn half(pipeline: &Pipeline, receiver: &Service, body: &[u8]) -> Result<HalfSent> {
    let token = format!("Bearer {}", pipeline.token);
    HalfSent::start(&receiver.target(), PATH, &[AVRO, ("authorization", &token)], body).await
}

fn assert_problem(answer: &HttpAnswer, status: u16, code: &str) -> Result<()> {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(answer.json()?["type"], format!("urn:penstock:problem:{code}"));
    let wait = answer.header("retry-after").and_then(|seconds| seconds.parse::<u64>().ok());
    assert!(wait.is_some_and(|seconds| (1..=60).contains(&seconds)), "Retry-After: {wait:?}");
    Ok(())
}

async fn setup(scenario: &str, change: impl FnOnce(&mut Receiver)) -> Result<(Pipeline, Service)> {
    let mut pipeline = Pipeline::new(&Stack::running()?, scenario).await?;
    change(&mut pipeline.config.receiver);
    let receiver = pipeline.receiver().await?;
    Ok((pipeline, receiver))
}

async fn produced(pipeline: &Pipeline) -> Result<u64> {
    pipeline.kafka.count(&pipeline.config.kafka.topic).await
}

#[tokio::test]
async fn requests_beyond_the_limit_in_flight_are_answered_503() -> Result<()> {
    let (pipeline, receiver) = setup("overload-requests", |receiver| receiver.max_in_flight_requests = 1).await?;
    let events = Events::unique();
    let under_way = half(&pipeline, &receiver, &events.event(0).encode()).await?;
    assert_problem(&post(&pipeline, &receiver, &events.event(1).encode()).await?, 503, "overloaded")?;
    assert_eq!(under_way.finish().await?, 200);
    assert_eq!(post(&pipeline, &receiver, &events.event(1).encode()).await?.status, 200);
    assert_eq!(produced(&pipeline).await?, 2);
    Ok(())
}

#[tokio::test]
async fn bytes_beyond_the_limit_in_flight_are_answered_503() -> Result<()> {
    let (pipeline, receiver) = setup("overload-bytes", |receiver| {
        receiver.max_in_flight_bytes = "64KiB".parse().expect("a size");
    })
    .await?;
    let noise = vec![0xff; 60 * 1024];
    let under_way = half(&pipeline, &receiver, &noise).await?;
    // The first half must arrive before it counts.
    eventually("there is no room for as much again", || async {
        let answer = post(&pipeline, &receiver, &noise).await?;
        anyhow::ensure!(answer.status == 503, "{}", answer.status);
        assert_problem(&answer, 503, "overloaded")
    })
    .await?;
    // A small one still fits.
    assert_eq!(post(&pipeline, &receiver, &Events::unique().event(0).encode()).await?.status, 200);
    assert_eq!(under_way.finish().await?, 400);
    assert_eq!(post(&pipeline, &receiver, &noise).await?.status, 400, "what was held is given back");
    assert_eq!(produced(&pipeline).await?, 1);
    Ok(())
}

#[tokio::test]
async fn requests_beyond_the_rate_of_a_source_are_answered_429() -> Result<()> {
    let (pipeline, receiver) = setup("overload-rate", |receiver| {
        let source = receiver.sources.get_mut("cxone").expect("the source is there");
        source.limits.max_requests_per_second = Some(1);
        source.limits.burst = Some(3);
    })
    .await?;
    let event = Events::unique().event(0).encode();
    // Unauthenticated requests use up nothing.
    for _ in 0..10 {
        assert_eq!(http::send(Method::POST, &receiver.url(), &[AVRO], event.clone()).await?.status, 401);
    }
    let answers = futures_of(10, || post(&pipeline, &receiver, &event)).await?;
    let accepted = answers.iter().filter(|answer| answer.status == 200).count();
    assert!(accepted >= 3, "only {accepted} of a burst of 3");
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status != 200).collect();
    assert!(!refused.is_empty(), "ten together, and none refused");
    for answer in refused {
        assert_problem(answer, 429, "rate-limited")?;
    }
    assert_eq!(produced(&pipeline).await?, accepted as u64);
    Ok(())
}

/// Runs `count` futures concurrently, and returns their results.
async fn futures_of<T, F: Future<Output = Result<T>>>(count: usize, make: impl Fn() -> F) -> Result<Vec<T>> {
    futures::future::try_join_all((0..count).map(|_| make())).await
}

#[tokio::test]
async fn a_full_queue_and_an_absent_kafka_are_answered_503_in_time() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "overload-queue").await?;
    for (key, value) in [("queue.buffering.max.messages", "1"), ("linger.ms", "2000")] {
        pipeline.config.kafka.options.insert(key.to_owned(), value.to_owned());
    }
    let receiver = pipeline.receiver().await?;
    let event = Events::unique().event(0).encode();
    let answers = futures_of(2, || post(&pipeline, &receiver, &event)).await?;
    let refused = answers.iter().find(|answer| answer.status != 200).expect("one finds the queue full");
    assert_problem(refused, 503, "queue-full")?;
    assert!(answers.iter().any(|answer| answer.status == 200), "{answers:?}");
    assert_eq!(produced(&pipeline).await?, 1);

    let nobody = harness::ports::free()?;
    let mut config = pipeline.config.clone();
    config.kafka.brokers = format!("127.0.0.1:{nobody}");
    let receiver = Service::receiver(config).await?;
    let begin = Instant::now();
    let answer = eventually("the schema is known", || async {
        let answer = post(&pipeline, &receiver, &event).await?;
        anyhow::ensure!(answer.json()?["code"] != "schema-unavailable", "not yet");
        Ok(answer)
    })
    .await?;
    assert_problem(&answer, 503, "kafka-unavailable")?;
    assert!(begin.elapsed() < pipeline.config.receiver.request_timeout * 2, "it hung");
    Ok(())
}

#[tokio::test]
async fn when_all_connections_are_taken_silent_ones_give_way() -> Result<()> {
    let (pipeline, receiver) = setup("overload-connections", |receiver| {
        receiver.max_connections = 2;
        receiver.head_timeout = Duration::from_millis(500);
    })
    .await?;
    let idle = [TcpStream::connect(receiver.target()).await?, TcpStream::connect(receiver.target()).await?];
    assert_eq!(post(&pipeline, &receiver, &Events::unique().event(0).encode()).await?.status, 200);
    drop(idle);
    Ok(())
}

/// A bad sender: it sends `at_once`, and then, if it may `drip`, a byte per second.
async fn misbehave(address: String, at_once: String, drip: bool) -> Result<Vec<u8>> {
    let (mut read, mut write) = TcpStream::connect(&address).await?.into_split();
    write.write_all(at_once.as_bytes()).await?;
    let dripping = async {
        while drip && write.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        std::future::pending::<()>().await;
    };
    let mut said = Vec::new();
    let reading = async {
        // The connection may end in order or with a reset.
        read.read_to_end(&mut said).await.ok();
        anyhow::Ok(())
    };
    tokio::select! {
        () = dripping => Ok(()),
        read = timeout(patience(), reading) => read?,
    }?;
    Ok(said)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_slow_or_silent_connections_keep_nobody_out() -> Result<()> {
    const EACH: usize = 500;
    let files = rlimit::increase_nofile_limit(20_000)?;
    anyhow::ensure!(files > 4_500, "only {files} files may be open: raise `ulimit -n`");
    let (pipeline, receiver) = setup("overload-slow", |receiver| {
        receiver.head_timeout = Duration::from_secs(5);
        receiver.request_timeout = Duration::from_secs(5);
    })
    .await?;
    let head = format!("POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-type: application/avro\r\n");
    let body = format!("{head}authorization: Bearer {}\r\ncontent-length: 1000\r\n\r\n", pipeline.token);
    let mut bad = JoinSet::new();
    for _ in 0..EACH {
        bad.spawn(misbehave(receiver.target(), format!("{head}x-drip: "), true));
        bad.spawn(misbehave(receiver.target(), body.clone(), true));
        bad.spawn(misbehave(receiver.target(), String::new(), false));
        bad.spawn(misbehave(receiver.target(), String::new(), false));
    }
    let (mut sent, mut slowest, mut late_answers) = (0, Duration::ZERO, 0);
    let events = Events::unique();
    // The good sender continues for as long as one of the bad ones is connected.
    while !bad.is_empty() {
        let begin = Instant::now();
        let answer = post(&pipeline, &receiver, &events.event(sent).encode()).await?;
        assert_eq!(answer.status, 200, "event {sent}: {}", answer.text());
        slowest = slowest.max(begin.elapsed());
        sent += 1;
        while let Ok(Some(said)) = timeout(Duration::from_millis(1), bad.join_next()).await {
            let said = said??;
            late_answers += usize::from(said.starts_with(b"HTTP/1.1 408"));
        }
    }
    eprintln!("{sent} events accepted meanwhile, the slowest after {slowest:?}; {late_answers} answers 408");
    assert!(sent > 5, "only {sent} events");
    assert_eq!(late_answers, EACH, "each slow body is answered 408");
    assert_eq!(produced(&pipeline).await?, sent);
    Ok(())
}
