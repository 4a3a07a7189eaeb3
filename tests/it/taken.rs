//! The index accepts all events that the receiver accepts: schemas and data made of random bytes, and the extreme
//! values of each type, go into an index with a strict mapping. None becomes a dead letter, on either server.
//!
//! Most events go through Kafka, registry and indexer. Large numbers of schemas, and those that no registry accepts,
//! take a shorter way: see `direct`.
//!
//! The number of schemas is set by `PENSTOCK_TAKEN_SCHEMAS`, of events by `PENSTOCK_TAKEN_EVENTS`, of odd schemas by
//! `PENSTOCK_TAKEN_ODD`, and of those in `tests/data/avro/corpus` by `PENSTOCK_TAKEN_CORPUS`. `PENSTOCK_TAKEN_SEED`
//! selects them.

use anyhow::{Context, Result};
use apache_avro::schema::{ResolvedSchema, Schema as AvroSchema};
use apache_avro::types::Value as Avro;
use apache_avro::writer::datum::GenericDatumWriter;
use avro::{Decimals, Limits, Schema, validate};
use generate::Tape;
use harness::kafka::Raw;
use harness::paths;
use harness::pipeline::{Pipeline, metric, register};
use harness::size;
use harness::stack::Stack;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use registry::wire::{SchemaId, frame};
use serde_json::{Value, json};

mod direct;
mod edges;
mod odd;
// The tests of the Avro reader use the same generator.
#[path = "../../shared/avro/src/tests/generate.rs"]
mod generate;

/// The default limits of the receiver.
const LIMITS: Limits = Limits { max_depth: 64, max_items: 100_000, max_values: 1_600_000 };
/// The random bytes for one schema and its values.
const TAPE: usize = 4_000;

/// The events of one schema that the receiver accepts.
struct Events {
    schema: String,
    data: Vec<Vec<u8>>,
}

impl Events {
    /// Returns those of `values` that the receiver accepts.
    fn accepted(schema: String, values: impl Iterator<Item = Avro>) -> Result<Self> {
        let (avro, ours) = (AvroSchema::parse_str(&schema)?, Schema::parse(&schema)?);
        let writer = GenericDatumWriter::builder(&avro).build()?;
        let mut data = Vec::new();
        for value in values {
            let datum = writer.write_value_to_vec(value)?;
            if validate(&ours, &datum, LIMITS, None).is_ok() {
                data.push(datum);
            }
        }
        Ok(Self { schema, data })
    }

    /// Returns events of a record with a field for each of `schemas` random schemas.
    fn random(rng: &mut StdRng, schemas: u64, events: u64) -> Result<Self> {
        let bytes: Vec<u8> = (0..TAPE * usize::try_from(schemas)?).map(|_| rng.random()).collect();
        let mut tape = Tape::new(&bytes);
        let fields: Vec<_> =
            (0..schemas).map(|number| json!({"name": format!("g{number}"), "type": tape.root()})).collect();
        let schema = json!({"type": "record", "name": "All", "fields": fields}).to_string();
        let avro = AvroSchema::parse_str(&schema).with_context(|| schema.clone())?;
        let names = ResolvedSchema::new(&avro)?;
        let values = (0..events).map(|_| {
            let bytes: Vec<u8> = (0..TAPE * 10).map(|_| rng.random()).collect();
            Tape::new(&bytes).value(&avro, &names)
        });
        Self::accepted(schema.clone(), values)
    }
}

/// Indexes `events`, and checks that each is a document and none a dead letter.
async fn all_are_taken(pipeline: &Pipeline, events: Events) -> Result<()> {
    let name = &pipeline.config.elasticsearch.index_name;
    let count = events.data.len() as u64;
    let schema = register(&pipeline.config.schema_registry.url, &format!("{name}-all"), &events.schema).await?;
    let record =
        |datum: Vec<u8>| Raw { value: Some([frame(SchemaId(schema)).as_slice(), &datum].concat()), ..Raw::default() };
    let records: Vec<Raw> = events.data.into_iter().map(record).collect();
    pipeline.kafka.produce(&pipeline.config.kafka.topic, &records).await?;
    let indexer = pipeline.indexer().await?;
    pipeline.all_committed().await?;
    let dead = pipeline.kafka.read_all(&pipeline.config.kafka.dead_letter_topic).await?;
    let reasons: Vec<_> = dead.iter().filter_map(|record| record.header("dl.reason")).take(5).collect();
    assert!(dead.is_empty(), "{} of {count} refused: {reasons:#?}", dead.len());
    assert_eq!(pipeline.search.count(name).await?, count);
    assert_eq!(metric(&indexer.admin_url(), "penstock_indexer_mapping_conflicts").await?, 0.0);
    indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_accepted_events_are_indexed_and_none_is_a_dead_letter() -> Result<()> {
    let mut rng = seeded()?;
    let (schemas, count) = (size::number("PENSTOCK_TAKEN_SCHEMAS", 25)?, size::number("PENSTOCK_TAKEN_EVENTS", 300)?);
    let events = Events::random(&mut rng, schemas, count)?;
    assert_eq!(events.data.len() as u64, count, "the generator keeps to what is accepted");
    all_are_taken(&Pipeline::new(&Stack::running()?, "taken").await?, events).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn extreme_values_of_each_type_are_indexed_with_every_decimal_form() -> Result<()> {
    for (name, decimals) in [("edges", Decimals::String), ("edges-numbers", Decimals::Number)] {
        let mut pipeline = Pipeline::new(&Stack::running()?, name).await?;
        pipeline.config.elasticsearch.documents.decimals = decimals;
        let events = Events::accepted(edges::SCHEMA.to_owned(), edges::values())?;
        assert!(events.data.len() > 100, "{} are accepted", events.data.len());
        all_are_taken(&pipeline, events).await?;
    }
    Ok(())
}

fn seeded() -> Result<StdRng> {
    let seed = size::number("PENSTOCK_TAKEN_SEED", rand::rng().random_range(0..1_000_000))?;
    eprintln!("PENSTOCK_TAKEN_SEED={seed}");
    Ok(StdRng::seed_from_u64(seed))
}

/// The names and values are odd, and documents are written in all possible ways.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_names_and_values_are_indexed_in_every_document_form() -> Result<()> {
    let mut rng = seeded()?;
    let (count, mut total) = (size::number("PENSTOCK_TAKEN_ODD", 10)?, direct::Count::default());
    for number in 0..count {
        let (schema, data) = odd::events(&mut rng);
        let taken = direct::all_are_taken(&format!("odd-{number}"), direct::Way::any(&mut rng), &schema, data).await;
        total.add(taken.with_context(|| format!("schema {number} of this seed"))?);
    }
    eprintln!("{count} schemas: {total:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_largest_schemas_and_the_longest_paths_are_indexed() -> Result<()> {
    for (number, (schema, data, wanted)) in odd::largest().into_iter().enumerate() {
        let taken = direct::all_are_taken(&format!("large-{number}"), direct::Way::default(), &schema, data).await;
        let taken = taken.with_context(|| format!("large schema {number}"))?;
        assert_eq!(taken.indexed, wanted, "large schema {number}: {taken:?}");
    }
    Ok(())
}

/// The schemas have legal oddities, and one datum each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_corpus_of_odd_schemas_is_indexed() -> Result<()> {
    let corpus = std::fs::read_to_string(paths::in_repository("tests/data/avro/corpus/schemas.jsonl"))?;
    let lines: Vec<&str> = corpus.lines().collect();
    let count = usize::try_from(size::number("PENSTOCK_TAKEN_CORPUS", 10)?)?.min(lines.len());
    let mut rng = seeded()?;
    for number in rand::seq::index::sample(&mut rng, lines.len(), count) {
        let line: Value = serde_json::from_str(lines[number])?;
        let text = |name: &str| line[name].as_str().with_context(|| format!("line {number} has no {name}"));
        let datum = hex::decode(text("datum")?)?;
        let is_empty = datum.is_empty();
        let taken = direct::all_are_taken("corpus", direct::Way::any(&mut rng), text("schema")?, vec![datum]).await;
        let taken = taken.with_context(|| format!("line {number}"))?;
        // The receiver refuses an empty body, and a datum that is also valid in the Confluent wire format.
        let is_refused = is_empty || taken.ambiguous() == 1;
        assert_eq!(taken.indexed, u64::from(!is_refused), "line {number}: {taken:?}");
    }
    Ok(())
}

harness::on_opensearch! {
    random_accepted_events_are_indexed_and_none_is_a_dead_letter,
    extreme_values_of_each_type_are_indexed_with_every_decimal_form,
    odd_names_and_values_are_indexed_in_every_document_form,
    the_largest_schemas_and_the_longest_paths_are_indexed,
    the_corpus_of_odd_schemas_is_indexed,
}
