//! SIGTERM: the process finishes what it has accepted, then exits with 0. SIGHUP: a service goes on.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use harness::event::Events;
use harness::eventually::{eventually, patience};
use harness::front;
use harness::http::{Connection, HalfSent, Request};
use harness::kafka::Raw;
use harness::pipeline::{PARTITIONS, PATH, Pipeline, metric, ready};
use harness::ports;
use harness::process::{self, Binary, Process, write_config};
use harness::proxy::Proxy;
use harness::sender::{Mix, Progress};
use harness::stack::Stack;
use http_body_util::Full;
use tokio::net::TcpStream;

/// A service as a process that keeps its ports when it is started again.
struct Program {
    binary: Binary,
    config: PathBuf,
    log: PathBuf,
    target: String,
    admin_url: String,
}

impl Program {
    async fn new(pipeline: &Pipeline, binary: Binary) -> Result<Self> {
        process::build().await?;
        let (http, admin) = (ports::free()?, ports::free()?);
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let mut config = pipeline.config.clone();
        config.receiver.listen = local(http);
        config.receiver.admin_listen = local(admin);
        config.indexer.admin_listen = local(admin);
        let path = pipeline.file(&format!("{}.yaml", binary.name()));
        write_config(&config, &path)?;
        let log = pipeline.file(&format!("{}.log", binary.name()));
        let admin_url = format!("http://127.0.0.1:{admin}");
        Ok(Self { binary, config: path, log, target: format!("127.0.0.1:{http}"), admin_url })
    }

    async fn start(&self) -> Result<Process> {
        let process = Process::start(self.binary, &self.config, &[], &self.log)?;
        ready(&self.admin_url).await?;
        Ok(process)
    }

    /// Waits until the log contains `text`.
    async fn logs(&self, text: &str) -> Result<()> {
        eventually(&format!("the log has {text:?}"), || async {
            let log = std::fs::read_to_string(&self.log)?;
            anyhow::ensure!(log.contains(text), "{log}");
            Ok(())
        })
        .await
    }
}

async fn ends_well(mut process: Process) -> Result<()> {
    let status = process.ended().await?;
    anyhow::ensure!(status.success(), "{status}\n{}", process.last_lines());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_sigterm_requests_in_flight_finish_and_new_ones_are_refused() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "shutdown-request").await?;
    let program = Program::new(&pipeline, Binary::Receiver).await?;
    let receiver = program.start().await?;
    let event = Events::unique().event(0);
    let authorization = format!("Bearer {}", pipeline.token);
    let headers = [("content-type", "application/avro"), ("authorization", authorization.as_str())];
    let request = HalfSent::start(&program.target, PATH, &headers, &event.encode()).await?;

    receiver.terminate()?;
    eventually("no new connection is taken", || async {
        let taken = TcpStream::connect(&program.target).await.is_ok();
        anyhow::ensure!(!taken, "it is taken");
        Ok(())
    })
    .await?;
    assert_eq!(request.finish().await?, 200);
    ends_well(receiver).await?;
    let records = pipeline.kafka.read_all(&pipeline.config.kafka.topic).await?;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].key, Some(event.event_id.into_bytes()));
    Ok(())
}

/// hyperium/hyper#2730, #3576, utensils/mold#1582: a client that keeps its connection keeps the server from stopping.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_without_a_request_do_not_delay_the_stop() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "shutdown-idle").await?;
    let program = Program::new(&pipeline, Binary::Receiver).await?;
    let receiver = program.start().await?;
    let silent = TcpStream::connect(&program.target).await?;
    let mut idle = Connection::open(&program.target).await?;
    let request = Request::get("/nowhere").header("host", &program.target).body(Full::default())?;
    assert_eq!(idle.send(request).await?.status, 404);
    let (mut sender, connection) = front::http2(&program.target).await?;
    tokio::spawn(async move { connection.await.ok() });
    assert_eq!(sender.send_request(front::without_end(&program.target, "/nowhere", &[])?).await?.status(), 404);

    let begun = Instant::now();
    receiver.terminate()?;
    ends_well(receiver).await?;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    drop((silent, idle, sender));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_stopped_under_load_loses_no_acknowledged_event() -> Result<()> {
    const EVENTS: u64 = 20_000;
    const STOPS: u64 = 3;
    let pipeline = Pipeline::new(&Stack::running()?, "shutdown-load").await?;
    let program = Program::new(&pipeline, Binary::Receiver).await?;
    let mut receiver = program.start().await?;
    let mix = Mix::good(Events::unique());
    let load = pipeline.load(vec![program.target.clone()], 32, EVENTS, mix);
    let progress = Arc::new(Progress::default());
    let sending = tokio::spawn({
        let progress = Arc::clone(&progress);
        async move { load.send(&progress).await }
    });
    for stop in 1..=STOPS {
        eventually("the load goes on", || async {
            let (done, due) = (progress.done(), stop * EVENTS / (STOPS + 1));
            anyhow::ensure!(done >= due, "{done} of {due} events");
            Ok(())
        })
        .await?;
        receiver.terminate()?;
        ends_well(receiver).await?;
        receiver = program.start().await?;
    }
    let outcome = sending.await??;
    assert_eq!(outcome.acknowledged.len() as u64, EVENTS);
    let others: Vec<_> = outcome.answers.keys().filter(|status| ![200, 503].contains(*status)).collect();
    assert!(others.is_empty(), "other answers than 200 and 503: {others:?}");

    let records = pipeline.kafka.read_all(&pipeline.config.kafka.topic).await?;
    let keys: HashSet<_> = records.into_iter().filter_map(|record| String::from_utf8(record.key?).ok()).collect();
    let lost: Vec<_> = mix.indexable(&outcome.acknowledged).into_iter().filter(|id| !keys.contains(id)).collect();
    assert!(lost.is_empty(), "{} acknowledged events are not in Kafka: {:?}", lost.len(), &lost[..1]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_indexer_has_committed_all_that_it_indexed() -> Result<()> {
    const EVENTS: u64 = 50_000;
    let pipeline = Pipeline::new(&Stack::running()?, "shutdown-indexer").await?;
    let (topic, group) = (&pipeline.config.kafka.topic, &pipeline.config.indexer.group_id);
    let mix = Mix::good(Events::unique());
    let partition = |number: u64| i32::try_from(number).unwrap_or(0) % PARTITIONS;
    let records: Vec<Raw> = (0..EVENTS).map(|number| pipeline.record(&mix, number, partition(number))).collect();
    pipeline.kafka.produce(topic, &records).await?;

    let program = Program::new(&pipeline, Binary::Indexer).await?;
    let mut indexer = Process::start(Binary::Indexer, &program.config, &[], &program.log)?;
    eventually("something is indexed", || async {
        let indexed = metric(&program.admin_url, r#"penstock_indexer_documents_total{outcome="indexed"}"#).await?;
        anyhow::ensure!(indexed > 0.0, "nothing yet");
        Ok(())
    })
    .await?;
    indexer.ensure_running()?;
    indexer.terminate()?;
    ends_well(indexer).await?;
    let committed: i64 = pipeline.kafka.committed(group, topic).await?.values().flatten().sum();
    let indexed = pipeline.search.count(&pipeline.config.elasticsearch.index_name).await?;
    eprintln!("stopped after {indexed} of {EVENTS}");
    assert_eq!(u64::try_from(committed)?, indexed, "committed, indexed");

    let indexer = program.start().await?;
    pipeline.delivered_exactly(&mix.indexable(&(0..EVENTS).collect::<Vec<_>>())).await?;
    indexer.terminate()?;
    ends_well(indexer).await
}

/// A service has no terminal. To an operator, SIGHUP is the usual request to read files again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sighup_does_not_stop_a_service() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "shutdown-hangup").await?;
    for binary in [Binary::Receiver, Binary::Indexer] {
        let program = Program::new(&pipeline, binary).await?;
        let mut process = program.start().await?;
        process.signal("HUP")?;
        program.logs("SIGHUP").await?;
        process.ensure_running()?;
        ready(&program.admin_url).await?;
        process.terminate()?;
        ends_well(process).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_stops_an_indexer_at_once_and_loses_nothing() -> Result<()> {
    const EVENTS: u64 = 1_000;
    let mut pipeline = Pipeline::new(&Stack::running()?, "shutdown-twice").await?;
    // Nothing can be delivered, so the drain after the first signal would take long.
    let nobody = ports::free()?;
    let elasticsearch = std::mem::replace(&mut pipeline.config.elasticsearch.url, format!("http://127.0.0.1:{nobody}"));
    let through = Proxy::start_at(nobody, &elasticsearch, Box::new(|_, _| Some(503))).await?;
    pipeline.config.indexer.drain_timeout = patience();
    pipeline.config.kafka.options.insert("max.poll.interval.ms".to_owned(), "600000".to_owned());
    let mix = Mix::good(Events::unique());
    pipeline.feed(mix).write(0..EVENTS).await?;
    let program = Program::new(&pipeline, Binary::Indexer).await?;
    let mut indexer = Process::start(Binary::Indexer, &program.config, &[], &program.log)?;
    eventually("documents were sent in vain", || async {
        let answers = through.seen().answers;
        anyhow::ensure!(answers.contains_key(&503), "{answers:?}");
        Ok(())
    })
    .await?;
    indexer.terminate()?;
    program.logs("A second signal stops immediately").await?;
    indexer.ensure_running()?;
    indexer.terminate()?;
    assert_eq!(indexer.ended().await?.code(), Some(130));

    drop(through);
    pipeline.config.elasticsearch.url = elasticsearch;
    let indexer = pipeline.indexer().await?;
    pipeline.delivered_exactly(&mix.indexable(&(0..EVENTS).collect::<Vec<_>>())).await?;
    indexer.stop().await
}
