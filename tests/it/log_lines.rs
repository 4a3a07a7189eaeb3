//! The logs as a machine reads them: the addresses and version of each service, the subject of a line, and the request
//! of a dead letter.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use harness::config::Config;
use harness::event::Events;
use harness::eventually::eventually;
use harness::http::{self, Method};
use harness::kafka::Raw;
use harness::pipeline::{PATH, Pipeline, ready};
use harness::ports;
use harness::process::{self, Binary, Process, write_config};
use harness::sender::{Flaw, Mix};
use harness::stack::Stack;
use serde_json::Value;
use service::telemetry::LogFormat;

const REQUEST: &str = "r-refused";

/// A service that logs JSON.
struct Logging {
    process: Process,
    log: std::path::PathBuf,
}

impl Logging {
    fn start(binary: Binary, pipeline: &Pipeline, config: &Config) -> Result<Self> {
        let name = binary.name();
        let (path, log) = (pipeline.file(&format!("{name}.yaml")), pipeline.file(&format!("{name}.log")));
        write_config(config, &path)?;
        Ok(Self { process: Process::start(binary, &path, &[], &log)?, log })
    }

    /// Stops the service, and returns all its lines, each of which must be an object of the service.
    async fn stop(mut self, service: &str) -> Result<Vec<Value>> {
        self.process.terminate()?;
        ensure!(self.process.ended().await?.success(), "{}", self.process.last_lines());
        let lines = lines(&self.log)?;
        for line in &lines {
            ensure!(line["service"] == service, "not of {service}: {line}");
            for (name, value) in
                line.as_object().context("a line is an object")?.iter().filter(|(name, _)| *name != "message")
            {
                let is_debug = value.as_str().is_some_and(|text| text.starts_with("Some(") || text.starts_with('['));
                ensure!(!is_debug, "{name} is in debug form: {line}");
            }
        }
        Ok(lines)
    }
}

fn lines(log: &Path) -> Result<Vec<Value>> {
    let text = std::fs::read_to_string(log)?;
    text.lines().map(|line| serde_json::from_str(line).with_context(|| line.to_owned())).collect()
}

fn first<'a>(lines: &'a [Value], message: &str) -> Result<&'a Value> {
    let is_it = |line: &&Value| line["message"].as_str().is_some_and(|text| text.starts_with(message));
    lines.iter().find(is_it).with_context(|| format!("no line {message:?} in {lines:#?}"))
}

/// Posts `body` with the request id [`REQUEST`], and returns the status.
async fn post(pipeline: &Pipeline, listen: SocketAddr, body: Vec<u8>) -> Result<u16> {
    let token = format!("Bearer {}", pipeline.token);
    let headers = [("authorization", token.as_str()), ("content-type", "application/avro"), ("x-request-id", REQUEST)];
    Ok(http::send(Method::POST, &format!("http://{listen}{PATH}"), &headers, body).await?.status.as_u16())
}

async fn dead_letters(pipeline: &Pipeline, count: u64) -> Result<()> {
    eventually("the dead letters are written", || async {
        let found = pipeline.kafka.count(&pipeline.config.kafka.dead_letter_topic).await?;
        ensure!(found >= count, "{found} of {count}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn log_lines_name_the_service_its_addresses_and_the_request() -> Result<()> {
    process::build().await?;
    let pipeline = Pipeline::new(&Stack::running()?, "log-lines").await?;
    let mut config = pipeline.config.clone();
    config.log.format = LogFormat::Json;
    let [listen, receiver_admin, indexer_admin] =
        [ports::free()?, ports::free()?, ports::free()?].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    config.receiver.listen = listen;
    config.receiver.admin_listen = receiver_admin;
    config.indexer.admin_listen = indexer_admin;
    let receiver = Logging::start(Binary::Receiver, &pipeline, &config)?;
    let indexer = Logging::start(Binary::Indexer, &pipeline, &config)?;
    ready(&format!("http://{receiver_admin}")).await?;
    ready(&format!("http://{indexer_admin}")).await?;

    let mix = Mix { events: Events::unique(), flawed_every: 1, flaws: &[Flaw::Unmappable] };
    ensure!(post(&pipeline, listen, mix.body(0)).await? == 200, "the receiver takes what only the index refuses");
    let truncated = Mix { flaws: &[Flaw::Truncated], ..mix };
    ensure!(post(&pipeline, listen, truncated.body(1)).await? == 400, "what is cut off is refused");
    let topic = pipeline.config.kafka.topic.as_str();
    pipeline.kafka.produce(topic, &[Raw { value: Some(b"no frame".to_vec()), ..Raw::default() }]).await?;
    dead_letters(&pipeline, 2).await?;

    let of_receiver = receiver.stop("penstock-receiver").await?;
    let started = first(&of_receiver, "Started.")?;
    assert_eq!((&started["version"], &started["tls"]), (&env!("CARGO_PKG_VERSION").into(), &false.into()));
    assert_eq!(
        (&started["listen"], &started["admin_listen"]),
        (&listen.to_string().into(), &receiver_admin.to_string().into())
    );
    let refused = first(&of_receiver, "Refused an event.")?;
    assert_eq!((&refused["source"], &refused["request_id"]), (&"cxone".into(), &REQUEST.into()), "{refused}");

    let of_indexer = indexer.stop("penstock-indexer").await?;
    let started = first(&of_indexer, "Started.")?;
    assert_eq!((&started["version"], &started["topics"]), (&env!("CARGO_PKG_VERSION").into(), &topic.into()));
    assert_eq!(started["admin_listen"], indexer_admin.to_string());
    let assigned = first(&of_indexer, "Partitions were assigned.")?;
    assert_eq!((&assigned["topic"], &assigned["partitions"]), (&topic.into(), &"0,1,2,3".into()), "{assigned}");
    for (stage, request) in [("index", Value::from(REQUEST)), ("decode", Value::Null)] {
        let is_it = |line: &&Value| line["message"] == "A record became a dead letter." && line["stage"] == stage;
        let letter = of_indexer.iter().find(is_it).with_context(|| format!("{stage}: {of_indexer:#?}"))?;
        assert_eq!((&letter["topic"], &letter["request_id"]), (&topic.into(), &request), "{letter}");
        assert!(letter["partition"].is_number() && letter["offset"].is_number(), "{letter}");
    }
    let refused = first(&of_indexer, "Elasticsearch permanently refuses documents")?;
    assert_eq!((&refused["topic"], &refused["request_id"]), (&topic.into(), &REQUEST.into()), "{refused}");
    Ok(())
}
