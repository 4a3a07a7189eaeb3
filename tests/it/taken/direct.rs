//! The shorter way from a schema and its data to an index. The receiver's own reader decides what is accepted, and the
//! indexer's own parts make the mapping, the documents and the requests. Kafka and the registry are left out, so a
//! schema costs a fraction of a second, and may have names that a registry refuses.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use avro::{Decimals, EventType, Schema, Timestamps};
use harness::http::Method;
use harness::search::Search;
use harness::stack::Stack;
use indexer::backing::{Placer, now_millis};
use indexer::batch::{Batch, BatchBuilder};
use indexer::bulk::Bulk;
use indexer::config::{Config, Strategy};
use indexer::decode::{Decoded, Decoder};
use indexer::message::progress::{BatchId, Epoch};
use indexer::message::record::{Headers, Record};
use indexer::metrics::Metrics;
use kafka::position::{Offset, Partition};
use rand::RngExt;
use rand::rngs::StdRng;
use receiver::ingest_offline::{OfflineIngest, Verdict};
use registry::wire::{SchemaId, frame};
use serde_json::Value;
use service::admin::Readiness;
use service::metrics::Registry;

/// The largest body that the receiver accepts by default.
const MAX_BODY: usize = 1 << 20;
/// How long the documents of one schema may take. A failed request is repeated without end.
const PATIENCE: Duration = Duration::from_secs(180);
const PARTITION: Partition = Partition(0);

/// How documents are written, and where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    strategy: Strategy,
    decimals: Decimals,
    timestamps: Timestamps,
    event_type: EventType,
}

impl Default for Way {
    fn default() -> Self {
        Self {
            strategy: Strategy::Single,
            decimals: Decimals::String,
            timestamps: Timestamps::Rfc3339,
            event_type: EventType::None,
        }
    }
}

impl Way {
    /// Returns a random way.
    pub(super) fn any(rng: &mut StdRng) -> Self {
        let strategies = [Strategy::Single, Strategy::Rollover, Strategy::DataStream];
        let event_types = [EventType::None, EventType::Name, EventType::Fullname];
        Self {
            strategy: strategies[rng.random_range(0..3)],
            decimals: if rng.random() { Decimals::String } else { Decimals::Number },
            timestamps: if rng.random() { Timestamps::Rfc3339 } else { Timestamps::Epoch },
            event_type: event_types[rng.random_range(0..3)],
        }
    }

    fn config(self, name: &str, url: &str) -> Config {
        let mut config = Config::default();
        config.kafka.topic = name.to_owned();
        let elasticsearch = &mut config.elasticsearch;
        elasticsearch.url = url.to_owned();
        elasticsearch.index_name = name.to_owned();
        elasticsearch.strategy = self.strategy;
        elasticsearch.documents.decimals = self.decimals;
        elasticsearch.documents.timestamps = self.timestamps;
        elasticsearch.documents.event_type = self.event_type;
        config
    }
}

/// The results for events.
#[derive(Debug, Default)]
pub(super) struct Count {
    /// The number of documents.
    pub(super) indexed: u64,
    /// The events that the receiver refuses, by its reason.
    refused: BTreeMap<Verdict, u64>,
}

impl Count {
    /// Returns the number of events that are valid in two forms.
    pub(super) fn ambiguous(&self) -> u64 {
        self.refused.get(&Verdict::Refused("ambiguous-frame", None)).copied().unwrap_or(0)
    }

    /// Adds `other`.
    pub(super) fn add(&mut self, other: Self) {
        self.indexed += other.indexed;
        for (reason, count) in other.refused {
            *self.refused.entry(reason).or_default() += count;
        }
    }
}

/// Indexes those of `data` that the receiver accepts, and checks that each is a document.
pub(super) async fn all_are_taken(name: &str, way: Way, schema: &str, data: Vec<Vec<u8>>) -> Result<Count> {
    let (text, stack) = (schema.to_owned(), Stack::running()?);
    // The reader blocks the thread.
    let (data, mut count) = tokio::task::spawn_blocking(move || accepted(&text, data)).await??;
    let unique = uuid::Uuid::new_v4().simple().to_string();
    let name = format!("{name}-{}", &unique[..8]);
    let config = way.config(&name, &stack.elasticsearch_url());
    let delivering = deliver(&config, schema, &data);
    count.indexed = tokio::time::timeout(PATIENCE, delivering)
        .await
        .with_context(|| format!("{name}: {way:?}: too long"))?
        .with_context(|| format!("{name}: {way:?}: {}", schema.chars().take(3_000).collect::<String>()))?;
    let search = Search::new(stack.elasticsearch_url());
    assert_eq!(search.count(&name).await?, count.indexed, "{name}");
    clean_up(&search, &config).await?;
    Ok(count)
}

/// Returns those of `data` that the receiver accepts, and why it refuses the others.
fn accepted(schema: &str, data: Vec<Vec<u8>>) -> Result<(Vec<Vec<u8>>, Count)> {
    let examiner = OfflineIngest::new(schema, None, MAX_BODY)?;
    let (mut accepted, mut count) = (Vec::new(), Count::default());
    for datum in data {
        match examiner.ingest("application/avro", "", &datum) {
            Verdict::Accepted(_) if datum.len() <= MAX_BODY => accepted.push(datum),
            verdict => *count.refused.entry(verdict).or_default() += 1,
        }
    }
    Ok((accepted, count))
}

/// Returns how many documents `data` became. Fails unless all of them did.
async fn deliver(config: &Config, schema: &str, data: &[Vec<u8>]) -> Result<u64> {
    let schema = Arc::new(Schema::parse(schema)?);
    let metrics = Metrics::new(&Registry::new())?;
    let bulk = Bulk::new(config, metrics.clone(), &Readiness::new())?;
    bulk.ensure_index().await;
    bulk.adopt(&schema).await;
    for index_cache in bulk.index_caches() {
        index_cache.begin().await;
    }
    let placer = Placer::new(&config.elasticsearch, bulk.index_caches());
    let mut decoder = Decoder::new(config, placer, &metrics)?.for_server(bulk.server());
    decoder.note_schema(SchemaId(1), schema);
    let batch = decoded(&mut decoder, data)?;
    let delivered = bulk.deliver(&batch).await;
    let refused = delivered.refused.iter().map(|refused| format!("{}: {}", refused.error_type, refused.reason));
    let doubtful = delivered.set_aside.iter().map(|aside| format!("{aside:?}"));
    let problems: Vec<String> =
        refused.chain(doubtful).take(3).map(|text| text.chars().take(1_500).collect()).collect();
    let lost = delivered.refused.len() + delivered.set_aside.len();
    anyhow::ensure!(problems.is_empty(), "{lost} of {} refused: {problems:#?}", data.len());
    Ok(delivered.indexed)
}

fn decoded(decoder: &mut Decoder, data: &[Vec<u8>]) -> Result<Batch> {
    let mut builder = BatchBuilder::default();
    builder.assign(PARTITION, Epoch(0), None);
    let now = now_millis();
    for (offset, datum) in (0..).zip(data) {
        let value = [frame(SchemaId(1)).as_slice(), datum].concat();
        let record = Record {
            partition: PARTITION,
            offset: Offset(offset),
            timestamp: Some(now),
            key: None,
            value: Some(&value),
            headers: Headers::default(),
        };
        let made = decoder.decode(&record, &mut builder);
        anyhow::ensure!(made == Decoded::Document, "event {offset} was accepted, and becomes {made:?}");
    }
    Ok(builder.take(BatchId(1)))
}

async fn clean_up(search: &Search, config: &Config) -> Result<()> {
    let name = &config.elasticsearch.index_name;
    let index = match config.elasticsearch.strategy {
        Strategy::DataStream => format!("_data_stream/{name}"),
        Strategy::Rollover => format!("{name}-000001"),
        Strategy::Single | Strategy::Time => name.clone(),
    };
    let templates = [format!("_index_template/penstock-{name}"), format!("_component_template/penstock-{name}")];
    for path in std::iter::once(index).chain(templates) {
        search.call(Method::DELETE, &path, &Value::Null).await?;
    }
    Ok(())
}
