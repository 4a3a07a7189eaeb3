//! What the receiver accepts, the index takes: schemas and data out of random bytes, and the edges of each type, go
//! into an index whose mapping is strict. None is a dead letter, on either server.
//!
//! `PENSTOCK_TAKEN_SCHEMAS` says how many schemas there are, `PENSTOCK_TAKEN_EVENTS` how many events,
//! `PENSTOCK_TAKEN_SEED` which they are.

use anyhow::{Context, Result};
use apache_avro::schema::{ResolvedSchema, Schema as AvroSchema};
use apache_avro::types::Value as Avro;
use apache_avro::writer::datum::GenericDatumWriter;
use avro::{Decimals, Limits, Schema, validate};
use generate::Tape;
use harness::kafka::Raw;
use harness::pipeline::{Pipeline, metric, register};
use harness::size;
use harness::stack::Stack;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use registry::wire::{SchemaId, frame};
use serde_json::json;

mod edges;
// The generator that the reader of Avro is tested with.
#[path = "../../shared/avro/src/tests/generate.rs"]
mod generate;

/// What the receiver accepts by default.
const LIMITS: Limits = Limits { max_depth: 64, max_items: 100_000, max_values: 1_600_000 };
/// Random bytes of one schema and its values.
const TAPE: usize = 4_000;

/// Events of one schema, as many as the receiver accepts.
struct Events {
    schema: String,
    data: Vec<Vec<u8>>,
}

impl Events {
    /// Those of `values` that the receiver accepts.
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

    /// One record with a field of each of `schemas` random schemas.
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

/// Has `events` indexed; each is a document, and none is a dead letter.
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
async fn whatever_is_accepted_is_indexed_and_none_is_a_dead_letter() -> Result<()> {
    let seed = size::number("PENSTOCK_TAKEN_SEED", rand::rng().random_range(0..1_000_000))?;
    eprintln!("PENSTOCK_TAKEN_SEED={seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let (schemas, count) = (size::number("PENSTOCK_TAKEN_SCHEMAS", 25)?, size::number("PENSTOCK_TAKEN_EVENTS", 300)?);
    let events = Events::random(&mut rng, schemas, count)?;
    assert_eq!(events.data.len() as u64, count, "the generator keeps to what is accepted");
    all_are_taken(&Pipeline::new(&Stack::running()?, "taken").await?, events).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_edges_of_each_type_are_indexed_whichever_way_decimals_are_written() -> Result<()> {
    for (name, decimals) in [("edges", Decimals::String), ("edges-numbers", Decimals::Number)] {
        let mut pipeline = Pipeline::new(&Stack::running()?, name).await?;
        pipeline.config.elasticsearch.documents.decimals = decimals;
        let events = Events::accepted(edges::SCHEMA.to_owned(), edges::values())?;
        assert!(events.data.len() > 100, "{} are accepted", events.data.len());
        all_are_taken(&pipeline, events).await?;
    }
    Ok(())
}

harness::on_opensearch! {
    whatever_is_accepted_is_indexed_and_none_is_a_dead_letter,
    the_edges_of_each_type_are_indexed_whichever_way_decimals_are_written,
}
