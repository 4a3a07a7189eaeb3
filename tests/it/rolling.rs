//! A rolling restart of three receivers under load: one retry of a failed request is enough, and nothing is lost.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use harness::event::Events;
use harness::http::{Connection, Method, Request};
use harness::pipeline::{PATH, Pipeline, ready};
use harness::ports;
use harness::process::{self, Binary, Process, write_config};
use harness::stack::Stack;
use http_body_util::Full;

const RECEIVERS: usize = 3;
const SENDERS: usize = 16;

/// A receiver that keeps its ports.
struct Program {
    config: PathBuf,
    log: PathBuf,
    target: String,
    admin_url: String,
}

impl Program {
    fn new(pipeline: &Pipeline, number: usize) -> Result<Self> {
        let (http, admin) = (ports::free()?, ports::free()?);
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let mut config = pipeline.config.clone();
        config.receiver.listen = local(http);
        config.receiver.admin_listen = local(admin);
        config.receiver.shutdown_delay = Duration::from_secs(1);
        let path = pipeline.file(&format!("receiver-{number}.yaml"));
        write_config(&config, &path)?;
        let log = pipeline.file(&format!("receiver-{number}.log"));
        let (target, admin_url) = (format!("127.0.0.1:{http}"), format!("http://127.0.0.1:{admin}"));
        Ok(Self { config: path, log, target, admin_url })
    }

    async fn start(&self) -> Result<Process> {
        let process = Process::start(Binary::Receiver, &self.config, &[], &self.log)?;
        ready(&self.admin_url).await?;
        Ok(process)
    }
}

/// The state that all senders share.
struct Load {
    targets: Vec<String>,
    token: String,
    events: Events,
    next: AtomicU64,
    retries: AtomicU64,
    stop: AtomicBool,
}

impl Load {
    /// Sends one event after the other until it is stopped. Fails when an event is not accepted at its second attempt.
    async fn run(self: Arc<Self>, sender: usize) -> Result<()> {
        let (mut target, mut connection) = (sender, None);
        while !self.stop.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let first = self.attempt(&mut connection, target, number).await;
            let Err(error) = first else { continue };
            self.retries.fetch_add(1, Ordering::Relaxed);
            target += 1;
            connection = None;
            let second = self.attempt(&mut connection, target, number).await;
            second.with_context(|| format!("event {number}, after the first attempt: {error:#}"))?;
        }
        Ok(())
    }

    async fn attempt(&self, kept: &mut Option<Connection>, target: usize, number: u64) -> Result<()> {
        let target = &self.targets[target % self.targets.len()];
        let mut connection = match kept.take() {
            Some(connection) => connection,
            None => Connection::open(target).await?,
        };
        let request = Request::builder()
            .method(Method::POST)
            .uri(PATH)
            .header("host", target)
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/avro")
            .body(Full::new(Bytes::from(self.events.event(number).encode())))?;
        let answer = connection.send(request).await?;
        anyhow::ensure!(answer.status == 200, "{}: {}", answer.status, answer.text());
        if answer.header("connection") != Some("close") {
            *kept = Some(connection);
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_needs_one_retry_at_most_and_loses_nothing() -> Result<()> {
    process::build().await?;
    let pipeline = Pipeline::new(&Stack::running()?, "rolling").await?;
    let programs: Vec<_> = (0..RECEIVERS).map(|number| Program::new(&pipeline, number)).collect::<Result<_>>()?;
    let mut processes = Vec::new();
    for program in &programs {
        processes.push(program.start().await?);
    }
    let load = Arc::new(Load {
        targets: programs.iter().map(|program| program.target.clone()).collect(),
        token: pipeline.token.clone(),
        events: Events::unique(),
        next: AtomicU64::new(0),
        retries: AtomicU64::new(0),
        stop: AtomicBool::new(false),
    });
    let senders: Vec<_> = (0..SENDERS).map(|sender| tokio::spawn(Arc::clone(&load).run(sender))).collect();

    for (program, process) in programs.iter().zip(&mut processes) {
        let before = load.next.load(Ordering::Relaxed);
        process.terminate()?;
        let status = process.ended().await?;
        anyhow::ensure!(status.success(), "{status}\n{}", process.last_lines());
        *process = program.start().await?;
        assert!(load.next.load(Ordering::Relaxed) > before, "nothing was sent meanwhile");
    }
    load.stop.store(true, Ordering::Relaxed);
    for sender in senders {
        sender.await??;
    }

    let sent = load.next.load(Ordering::Relaxed);
    eprintln!("{sent} events, {} of them at the second attempt", load.retries.load(Ordering::Relaxed));
    let records = pipeline.kafka.read_all(&pipeline.config.kafka.topic).await?;
    let keys: HashSet<_> = records.into_iter().filter_map(|record| String::from_utf8(record.key?).ok()).collect();
    let lost: Vec<_> = (0..sent).filter(|number| !keys.contains(&load.events.id(*number))).collect();
    assert!(lost.is_empty(), "{} accepted events are not in Kafka: {:?}", lost.len(), &lost[..1]);
    assert_eq!(keys.len() as u64, sent);
    Ok(())
}
