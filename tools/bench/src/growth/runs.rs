//! Measures the points of each curve, with a topic of its own where a topic is part of what grows.

use std::collections::BTreeSet;

use indexer::config::Topic;
use registry::wire::{self, SchemaId};
use serde_json::{Value, json};

use super::curve::Curve;
use super::measure::Measure;
use super::point::Point;
use crate::load::Load;
use crate::null_elasticsearch::Backing;
use crate::say;
use crate::setup::PARTITIONS;
use harness::event::{Events, SCHEMA, now};
use harness::sender::Mix;

/// The most different bodies of a load.
const MOST_BODIES: u64 = 10_000;
/// The most bytes of the different bodies of a load.
const MOST_BYTES: u64 = 64 << 20;
/// How long before the present the events end that are spread over backing indices, in milliseconds.
const PAST: i64 = 60_000;

/// Measures the points of `curve` at `values`.
///
/// # Errors
/// If a service does not work.
pub(super) async fn points(measure: &Measure<'_>, curve: Curve, values: &[u64]) -> anyhow::Result<Vec<Point>> {
    match curve {
        Curve::Partitions => partitions(measure, values).await,
        Curve::Events => events(measure, values).await,
        Curve::Connections => connections(measure, values).await,
        Curve::Batches => batches(measure, values).await,
        Curve::Topics => topics(measure, values).await,
        Curve::BackingIndices => backing_indices(measure, values).await,
        Curve::Schemas => schemas(measure, values).await,
    }
}

async fn partitions(measure: &Measure<'_>, values: &[u64]) -> anyhow::Result<Vec<Point>> {
    let (setup, load) = (measure.setup, measure.load()?);
    let mut points = Vec::new();
    for value in values.iter().copied() {
        begin(Curve::Partitions, value);
        let topic = setup.topic(i32::try_from(value)?).await?;
        setup.feed(&topic).write(0..measure.events).await?;
        let config = setup.config_through(&topic);
        points.push(measure.indexer(value, config.clone(), measure.events, Backing::ONE).await?);
        points.push(measure.receiver(value, config, &load).await?);
        setup.delete(&topic).await?;
    }
    Ok(points)
}

async fn events(measure: &Measure<'_>, values: &[u64]) -> anyhow::Result<Vec<Point>> {
    let setup = measure.setup;
    let mut points = Vec::new();
    for value in values.iter().copied() {
        begin(Curve::Events, value);
        let (size, count) = (usize::try_from(value)?, measure.events_of(value));
        let topic = setup.topic(PARTITIONS).await?;
        let mut feed = setup.feed(&topic);
        feed.mix.events = feed.mix.events.of_size(size);
        feed.write(0..count).await?;
        let config = setup.config_through(&topic);
        points.push(measure.indexer(value, config.clone(), count, Backing::ONE).await?);
        let events = Events::unique().of_size(size);
        let bodies = (0..MOST_BODIES.min(MOST_BYTES / value.max(1)).max(1)).map(|number| events.event(number).encode());
        let load = Load::of_bodies(&setup.token, "application/avro", bodies, measure.connections, count)?;
        points.push(measure.receiver(value, config, &load).await?);
        setup.delete(&topic).await?;
    }
    Ok(points)
}

async fn connections(measure: &Measure<'_>, values: &[u64]) -> anyhow::Result<Vec<Point>> {
    let setup = measure.setup;
    let mut points = Vec::new();
    for value in values.iter().copied() {
        begin(Curve::Connections, value);
        let load = Load::new(&setup.token, u16::try_from(value)?, measure.requests.max(value))?;
        points.push(measure.receiver(value, setup.config(), &load).await?);
    }
    Ok(points)
}

async fn batches(measure: &Measure<'_>, values: &[u64]) -> anyhow::Result<Vec<Point>> {
    let setup = measure.setup;
    let topic = setup.topic(PARTITIONS).await?;
    setup.feed(&topic).write(0..measure.events).await?;
    let mut points = Vec::new();
    for value in values.iter().copied() {
        begin(Curve::Batches, value);
        let documents = usize::try_from(value)?;
        let mut config = setup.config_through(&topic);
        config.indexer.batch.max_documents = documents;
        let mut point = measure.indexer(value, config, measure.events, Backing::ONE).await?;
        point.mean_age_ms = Some(measure.mean_age_ms(documents).await?);
        points.push(point);
    }
    setup.delete(&topic).await?;
    Ok(points)
}

/// Divides the events among the topics. Each topic has its own group, as otherwise each member that joins would move
/// the partitions of all topics; the limits grow where that many topics need it.
async fn topics(measure: &Measure<'_>, values: &[u64]) -> anyhow::Result<Vec<Point>> {
    let setup = measure.setup;
    let mut points = Vec::new();
    for value in values.iter().copied() {
        begin(Curve::Topics, value);
        let each = (measure.events / value.max(1)).max(1);
        let mut topics = Vec::new();
        for _ in 0..value {
            let topic = setup.topic(PARTITIONS).await?;
            setup.feed(&topic).write(0..each).await?;
            topics.push(topic);
        }
        let mut config = setup.config();
        let indexer = &mut config.indexer;
        indexer.topics = topics.iter().map(|topic| (topic.clone(), Topic::default())).collect();
        indexer.group_per_topic = true;
        indexer.max_in_flight_requests = indexer.max_in_flight_requests.max(topics.len());
        let least = indexer.batch.max_bytes.as_u64() * value;
        indexer.max_in_flight_bytes.0 = indexer.max_in_flight_bytes.as_u64().max(least);
        points.push(measure.indexer(value, config, each * value, Backing::ONE).await?);
        for topic in &topics {
            setup.delete(topic).await?;
        }
    }
    Ok(points)
}

/// Spreads the events evenly over the backing indices, in the order of their times, as in a replay.
async fn backing_indices(measure: &Measure<'_>, values: &[u64]) -> anyhow::Result<Vec<Point>> {
    let setup = measure.setup;
    let topic = setup.topic(PARTITIONS).await?;
    let config = setup.config_through(&topic);
    let margin = i64::try_from(config.elasticsearch.placement.margin.as_millis())?;
    // There is a millisecond between two events.
    let span = i64::try_from(measure.events)?;
    let start = now() - span - PAST;
    let mut feed = setup.feed(&topic);
    feed.mix = Mix::good(Events::new(0, start));
    feed.write(0..measure.events).await?;
    let mut points = Vec::new();
    for value in values.iter().copied() {
        begin(Curve::BackingIndices, value);
        let interval = (span / i64::try_from(value)?.max(1)).max(1);
        let backing = Backing { count: u32::try_from(value)?, first: start - margin, interval };
        points.push(measure.indexer(value, config.clone(), measure.events, backing).await?);
    }
    setup.delete(&topic).await?;
    Ok(points)
}

/// Gives the schemas to the events in turn.
async fn schemas(measure: &Measure<'_>, values: &[u64]) -> anyhow::Result<Vec<Point>> {
    let setup = measure.setup;
    let subject = format!("bench-{}", uuid::Uuid::new_v4().simple());
    let ids = registered(measure, &subject, values.iter().copied().max().unwrap_or(1)).await?;
    let mut points = Vec::new();
    for value in values.iter().copied() {
        begin(Curve::Schemas, value);
        let ids: Vec<u32> = ids.iter().copied().take(usize::try_from(value)?).collect();
        let topic = setup.topic(PARTITIONS).await?;
        let mut feed = setup.feed(&topic);
        feed.schema_ids.clone_from(&ids);
        feed.write(0..measure.events).await?;
        let mut config = setup.config_through(&topic);
        for source in config.receiver.sources.values_mut() {
            source.subject.clone_from(&subject);
        }
        points.push(measure.indexer(value, config.clone(), measure.events, Backing::ONE).await?);
        let events = Events::unique();
        let framed = |(number, id): (u64, &u32)| {
            [wire::frame(SchemaId(*id)).as_slice(), events.event(number).encode().as_slice()].concat()
        };
        let bodies = (0..MOST_BODIES).zip(ids.iter().cycle()).map(framed);
        let media_type = "application/vnd.confluent.avro";
        let load = Load::of_bodies(&setup.token, media_type, bodies, measure.connections, measure.requests)?;
        points.push(measure.receiver(value, config, &load).await?);
        setup.delete(&topic).await?;
    }
    Ok(points)
}

/// Registers `count` schemas under `subject`, which differ in the name of their record and not in its fields. Returns
/// their ids. A registry may take schemas that differ only in `doc` for the same (Apicurio does).
async fn registered(measure: &Measure<'_>, subject: &str, count: u64) -> anyhow::Result<Vec<u32>> {
    say(&format!("growth: registering {count} schemas"));
    let mut schema: Value = serde_json::from_str(SCHEMA)?;
    let name = schema["name"].as_str().unwrap_or_default().to_owned();
    let mut ids = Vec::new();
    for number in 0..count {
        schema["name"] = json!(format!("{name}{number}"));
        ids.push(measure.setup.register(subject, &schema.to_string()).await?);
    }
    let different = ids.iter().collect::<BTreeSet<_>>().len();
    anyhow::ensure!(different == ids.len(), "the registry has only {different} ids for {count} schemas");
    Ok(ids)
}

fn begin(curve: Curve, value: u64) {
    say(&format!("growth: {value} {}", curve.unit()));
}
