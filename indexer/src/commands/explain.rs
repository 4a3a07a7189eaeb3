//! `explain`: shows what happens to one record: its document, its id, its index, and whether the mapping accepts it.
//! Writes nothing.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use registry::{RegistryError, SchemaRegistry};
use service::admin::Readiness;
use service::metrics::Registry;
use tokio::task::block_in_place;

use super::CommandError;
use super::exit::Exit;
use super::output::Output;
use super::replay::topic_of;
use crate::backing::{Lists, Placer};
use crate::batch::{Batch, BatchBuilder};
use crate::bulk::Bulk;
use crate::bulk::dry_run::DryRun;
use crate::config::Config;
use crate::decode::{Decoded, Decoder, Missing};
use crate::elasticsearch::Client;
use crate::index::verdict;
use crate::message::progress::{BatchId, Epoch};
use crate::message::record::OwnedRecord;
use crate::message::target::Route;
use crate::metrics::Metrics;
use explanation::{Explanation, Stored};
use source::Source;

mod explanation;
mod source;

/// How long to wait for the list of backing indices.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many times a record may need a schema or a newer list.
const ROUNDS: usize = 4;

const EXAMPLES: &str = "\
Examples:
  A record of the topic, by partition and offset:
    penstock-indexer explain cxone-events:3:120000
  A file with the value of a record (00, the schema id in 4 bytes, the Avro datum), under the key it would have:
    penstock-indexer explain event.bin --key 6f0c2d1e

Exits with 2 when the record would become a dead letter.";

/// The arguments of `explain`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ExplainArgs {
    /// The record: TOPIC:PARTITION:OFFSET, or a file with a record's value.
    #[arg(value_name = "FILE|TOPIC:PARTITION:OFFSET")]
    pub record: String,
    /// For a file: the key of the record.
    #[arg(long)]
    pub key: Option<String>,
    /// For a file: the topic, if indexer.topics has several.
    #[arg(long)]
    pub topic: Option<String>,
    /// How to print the explanation.
    #[command(flatten)]
    pub output: Output,
}

/// Explains the record named by `args`, and prints the explanation.
///
/// # Errors
/// [`CommandError`].
pub async fn run(config: &Config, args: &ExplainArgs) -> Result<Exit, CommandError> {
    let source: Source = args.record.parse()?;
    let wanted = source.topic().or(args.topic.as_deref());
    let topic = topic_of(config, wanted)?;
    let record = block_in_place(|| source.read(&topic, args.key.as_deref()))?;
    let bench = Bench::new(&topic).await?;
    let explanation = bench.explain(source.to_string(), &record).await?;
    args.output.print(&explanation);
    Ok(Exit::of_difference(explanation.is_refused()))
}

/// Runs the stages of a record without a consumer.
struct Bench<'a> {
    config: &'a Config,
    bulk: Bulk,
    metrics: Metrics,
    schemas: SchemaRegistry,
    /// The first index, alias or data stream that is missing.
    missing: Option<String>,
}

impl<'a> Bench<'a> {
    async fn new(config: &'a Config) -> Result<Self, CommandError> {
        let metrics = Metrics::new(&Registry::new())?.of_topic(&config.kafka.topic);
        let lists = Arc::new(Lists::new(Arc::new(Client::new(&config.elasticsearch)?)));
        let bulk = Bulk::with_lists(config, metrics.clone(), &Readiness::new(), lists)?;
        let schemas = SchemaRegistry::new(&config.schema_registry)?;
        let missing = bulk.missing_index().await?.map(str::to_owned);
        if missing.is_none() {
            for index_cache in bulk.index_caches().filter(|index_cache| index_cache.is_needed()) {
                let table = tokio::time::timeout(PATIENCE, index_cache.renewed()).await;
                table.map_err(|_| CommandError::NoTable(index_cache.index().name().to_owned()))?;
            }
        }
        Ok(Self { config, bulk, metrics, schemas, missing })
    }

    async fn explain(&self, name: String, record: &OwnedRecord) -> Result<Explanation, CommandError> {
        let placer = Placer::new(&self.config.elasticsearch, self.bulk.index_caches());
        let decoder = Decoder::new(self.config, placer, &self.metrics).map_err(crate::RunError::Config)?;
        let (decoded, batch) = self.decode(decoder.for_server(self.bulk.server()), record).await?;
        let mut explanation = Explanation::new(name, self.config, &record.as_record());
        match decoded {
            Decoded::Tombstone => explanation.skip("it has no value: a tombstone"),
            Decoded::Expired => {
                explanation.skip("its backing index is deleted, and elasticsearch.placement.expired is skip");
            }
            Decoded::TableTooOld(..) => explanation.skip(&format!(
                "there is no index, alias or data stream {} yet: `penstock-indexer setup` creates it",
                self.missing.as_ref().unwrap_or(&self.config.elasticsearch.index_name)
            )),
            Decoded::SchemaUnknown(id) => explanation.skip(&format!("the schema {} is not known", id.0)),
            Decoded::Undecodable => explanation.refuse(&batch),
            Decoded::Document => self.look(&batch, &mut explanation).await?,
        }
        Ok(explanation)
    }

    /// Decodes the record, and fetches what it needs until it is decoded.
    async fn decode(&self, mut decoder: Decoder, record: &OwnedRecord) -> Result<(Decoded, Batch), CommandError> {
        let record = record.as_record();
        let mut filling = BatchBuilder::default();
        filling.assign(record.partition, Epoch(0), None);
        let mut decoded = decoder.decode(&record, &mut filling);
        for _ in 0..ROUNDS {
            match decoded {
                Decoded::SchemaUnknown(id) => match self.schemas.by_id(id).await {
                    Ok(schema) => decoder.note_schema(id, schema),
                    Err(error @ RegistryError::Unavailable { .. }) => return Err(error.into()),
                    Err(error) => decoder.note_missing(id, Missing::of(&error)),
                },
                Decoded::TableTooOld(route, time) if self.missing.is_none() => {
                    let Some(index_cache) = self.bulk.index_cache(route) else { break };
                    // A table for a time far ahead never becomes valid.
                    drop(tokio::time::timeout(PATIENCE, index_cache.until_valid(time)).await);
                }
                _ => break,
            }
            decoded = decoder.decode(&record, &mut filling);
        }
        Ok((decoded, filling.take(BatchId(0))))
    }

    /// Looks up what is stored under the id, and whether the mapping accepts the document.
    async fn look(&self, batch: &Batch, explanation: &mut Explanation) -> Result<(), CommandError> {
        explanation.describe(batch);
        let dry_run = DryRun::new(self.config)?;
        dry_run.compare(batch).await;
        let count = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed) > 0;
        explanation.stored = Some(match (count(&dry_run.same), count(&dry_run.conflicts)) {
            (true, _) => Stored::Same,
            (_, true) => Stored::Conflict,
            (false, false) => Stored::Nothing,
        });
        let (index, id, document) = explanation.parts();
        let route = batch.targets.first().map_or_else(Route::default, |target| target.route);
        let Some(index_cache) = self.bulk.index_cache(route) else { return Ok(()) };
        let requests = &index_cache.index().requests;
        explanation.mapping = Some(verdict::predict(requests, index, id, document).await?);
        Ok(())
    }
}
