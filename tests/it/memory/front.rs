//! All rows of the receiver's part of the table at once. Kafka is paused, so the queue fills with events and
//! quarantined bodies. All connections are taken, with TLS. Heads and bodies, signed and unsigned, stop in the middle.
//! More signatures and schemas arrive than are kept. Then Kafka continues, and nothing is lost.

use std::collections::HashSet;
use std::ops::Range;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytesize::ByteSize;
use harness::certificates::Authority;
use harness::config::Config;
use harness::event::{Events, now};
use harness::front::Front;
use harness::http::Connection;
use harness::pipeline::{Pipeline, metric, register, source};
use harness::process::build;
use harness::stack::{OwnStack, Part};
use receiver::config::{Auth, Tls};
use tokio::task::JoinSet;

use super::MIB;
use line::{Line, Lines};

mod fill;
mod line;

/// The value of `receiver.max_in_flight_bytes`.
const IN_FLIGHT: u64 = 64 * MIB;
/// The default of `queue.buffering.max.kbytes`.
const QUEUE: u64 = 64 * MIB;
/// The value of `receiver.max_connections`, and the memory that each may take.
const CONNECTIONS: usize = 1_200;
const CONNECTION: u64 = 40 * 1024;
/// What the program takes for itself: code, threads, schemas, signatures. An unoptimized build takes more for its code
/// and its stacks, and for the schemas that it compiles.
const PROGRAM: u64 = if cfg!(debug_assertions) { 128 * MIB } else { 64 * MIB };
/// The value of `receiver.max_unauthenticated_requests`.
const STRANGERS: usize = 64;
/// The default of `auth.replay_capacity`. Each secret's signature is remembered.
const SIGNATURES: u64 = 100_000;
const SECRETS: u64 = 100;
/// The value of `schema_registry.cache_capacity`.
const CACHED: u64 = 20;
/// No request may time out before everything is full.
const LONG: Duration = Duration::from_secs(900);

const SIGNED: &str = "/webhook/signed";
const WIDE: &str = "/webhook/wide";

struct Scene {
    kafka: OwnStack,
    pipeline: Pipeline,
    front: Front,
    lines: Lines,
    authorization: String,
    events: Events,
    /// When the signed requests were signed, in seconds since the Unix epoch.
    signed_at: String,
    /// The schemas that events may name.
    schemas: Vec<u32>,
    /// The senders of files, which wait for their answers. They return the numbers of the accepted events.
    queued: JoinSet<Result<Option<Range<u64>>>>,
    /// Connections that stop in the middle of a request, wait for the next one, or send none.
    stopped: JoinSet<Line>,
    used: Vec<Connection>,
    unused: Vec<Line>,
}

/// Returns the sum of the table in ARCHITECTURE.md: 9/8 of what is in flight, the queue, the connections, and the
/// program itself.
fn bound() -> u64 {
    IN_FLIGHT / 8 * 9 + QUEUE + CONNECTIONS as u64 * CONNECTION + PROGRAM
}

/// Returns a schema whose text is nearly as long as a file's schema may be.
fn wide() -> String {
    let field = |number| format!(r#"{{"name":"field_{number}","type":["null","string"],"default":null}}"#);
    let fields: Vec<String> = (0..3_800).map(field).collect();
    format!(r#"{{"type":"record","name":"Wide","fields":[{}]}}"#, fields.join(","))
}

fn secret(number: u64) -> [u8; 24] {
    let mut secret = *b"a key of twenty-four by.";
    secret[..8].copy_from_slice(&number.to_be_bytes());
    secret
}

fn add_sources(config: &mut Config, pipeline: &Pipeline) -> Result<()> {
    let secrets: Vec<String> =
        (0..SECRETS).map(|number| format!("whsec_{}", STANDARD.encode(secret(number)))).collect();
    let file = pipeline.file("signing-secrets");
    std::fs::write(&file, secrets.join("\n"))?;
    let auth = Auth::StandardWebhooks {
        trusted_headers: Vec::new(),
        tolerance: LONG,
        replay_capacity: usize::try_from(SIGNATURES)?,
        secrets: Vec::new(),
        secrets_file: Some(file),
    };
    let mut signed = source(&config.kafka.topic, auth);
    SIGNED.clone_into(&mut signed.path);
    let sources = &mut config.receiver.sources;
    let mut wide = sources.get("cxone").context("the source is there")?.clone();
    (wide.path, wide.subject, wide.key_field) = (WIDE.to_owned(), format!("{}-wide", wide.subject), None);
    sources.insert("signed".to_owned(), signed);
    sources.insert("wide".to_owned(), wide);
    Ok(())
}

fn configure(config: &mut Config, pipeline: &Pipeline, authority: &Authority) -> Result<()> {
    let server = authority.issue("server", &["127.0.0.1"])?;
    let receiver = &mut config.receiver;
    receiver.tls = Some(Tls { certificate_file: server.certificate, key_file: server.key, client_ca_file: None });
    receiver.max_in_flight_bytes = ByteSize::b(IN_FLIGHT);
    (receiver.max_connections, receiver.max_connections_per_address) = (CONNECTIONS, Some(CONNECTIONS));
    receiver.max_unauthenticated_requests = STRANGERS;
    (receiver.head_timeout, receiver.idle_timeout) = (LONG, LONG);
    (receiver.request_timeout, receiver.unauthenticated_timeout) = (LONG, LONG);
    config.schema_registry.cache_capacity = CACHED;
    add_sources(config, pipeline)
}

impl Scene {
    async fn new() -> Result<Self> {
        build().await?;
        ensure!(rlimit::increase_nofile_limit(8_192)? >= 4_096, "too few files may be open: raise `ulimit -n`");
        let kafka = OwnStack::kafka("memory-front", &[]).await?;
        let mut pipeline = Pipeline::new(&kafka.stack, "memory-front").await?;
        pipeline.kafka.create_topic(&pipeline.config.kafka.quarantine_topic, 1).await?;
        let (registry, subject) = (kafka.stack.registry_url(), pipeline.config.kafka.topic.clone());
        register(&registry, &format!("{subject}-wide"), &wide()).await?;
        let mut schemas = Vec::new();
        for number in 0..2 * CACHED {
            schemas.push(register(&registry, &subject, &fill::variant(number)).await?);
        }
        let authority = Authority::new(&pipeline.file("authority"))?;
        let mut config = pipeline.config.clone();
        configure(&mut config, &pipeline, &authority)?;
        pipeline.config = config;
        let front = Front::start(&pipeline, |_| ()).await?;
        Ok(Self {
            lines: Lines::new(front.target(), &authority.ca_file())?,
            authorization: format!("Bearer {}", pipeline.token),
            events: Events::unique(),
            signed_at: (now() / 1_000).to_string(),
            queued: JoinSet::new(),
            stopped: JoinSet::new(),
            used: Vec::new(),
            unused: Vec::new(),
            schemas,
            kafka,
            pipeline,
            front,
        })
    }

    /// Returns how many requests of `source` had this outcome.
    async fn outcomes(&self, source: &str, outcome: &str) -> Result<f64> {
        let sample = format!(r#"penstock_receiver_requests_total{{outcome="{outcome}",source="{source}"}}"#);
        metric(self.front.admin_url(), &sample).await
    }

    /// Fills each row to its limit. Kafka stands still for the last ones, briefly: after a minute it would count as
    /// unavailable.
    async fn fill(&mut self) -> Result<()> {
        self.fill_the_signatures().await.context("signatures")?;
        self.fill_the_schemas().await.context("schemas")?;
        self.fill_the_schemas_of_files().await.context("schemas of files")?;
        self.fill_the_unusable_schemas().await.context("unusable schemas")?;
        self.use_connections().await.context("used connections")?;
        self.kafka.signal(Part::Kafka, "STOP")?;
        self.fill_the_quarantine().await.context("quarantine")?;
        self.fill_the_queue().await.context("queue")?;
        self.fill_the_heads().await.context("heads")?;
        self.fill_the_anteroom().await.context("unauthenticated requests")?;
        self.fill_the_bodies().await.context("bodies")?;
        self.fill_the_connections().await.context("connections")
    }

    /// Lets Kafka continue, and releases everything. Checks that each file is accepted and all its events are in Kafka.
    async fn nothing_is_lost(&mut self) -> Result<()> {
        self.kafka.signal(Part::Kafka, "CONT")?;
        self.stopped.shutdown().await;
        self.used.clear();
        self.unused.clear();
        let mut accepted = Vec::new();
        while let Some(sent) = self.queued.join_next().await {
            accepted.extend(sent??);
        }
        let records = self.pipeline.kafka.read_all(&self.pipeline.config.kafka.topic).await?;
        let keys: HashSet<Vec<u8>> = records.into_iter().filter_map(|record| record.key).collect();
        let count: u64 = accepted.iter().map(|numbers| numbers.end - numbers.start).sum();
        ensure!(count >= fill::LEAST_QUEUED, "only {count} events were accepted");
        for number in accepted.into_iter().flatten() {
            ensure!(keys.contains(self.events.id(number).as_bytes()), "event {number} was accepted and is not there");
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_memory_bounds_of_a_receiver_together_hold_the_limit() -> Result<()> {
    let mut scene = Scene::new().await?;
    let before = scene.front.peak()?;
    scene.fill().await.with_context(|| scene.front.last_lines())?;
    let at_the_limit = scene.front.peak()?;
    scene.nothing_is_lost().await.with_context(|| scene.front.last_lines())?;
    let (peak, bound) = (scene.front.peak()?, bound());
    println!(
        "peak {} MiB, {} at the limit, {} at the beginning, of {} MiB",
        peak / MIB,
        at_the_limit / MIB,
        before / MIB,
        bound / MIB
    );
    ensure!(peak <= bound, "{} MiB, more than {} MiB", peak / MIB, bound / MIB);
    Ok(())
}
