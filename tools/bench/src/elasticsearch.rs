//! Measures how much of what a real Elasticsearch can take the indexer achieves: the same documents by a loader that
//! only sends prepared bulk bodies, and by the indexer from Kafka. The CPU time is that of Elasticsearch.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::Context;
use avro::Schema;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HOST};
use indexer::config::{Config, Strategy};
use indexer::document::{Rules, write_document};

use super::indexer::{INDEXED, all_counted};
use super::report::{Line, Report};
use super::sample::Sample;
use super::setup::Setup;
use harness::event::{Events, SCHEMA, now};
use harness::http::{Connection, Method, Request, StatusCode};
use harness::pipeline::ready;
use harness::usage::Usage;

/// The documents of a bulk request, and the concurrent requests: the indexer's defaults.
const DOCUMENTS: u64 = 500;
const CONNECTIONS: usize = 4;

/// Measures both once.
///
/// # Errors
/// If Elasticsearch refuses something, or the indexer does not finish.
pub(super) async fn round(setup: &Setup, events: u64, report: &mut Report) -> anyhow::Result<()> {
    report.add(Line::Loader, loader(setup, events).await?);
    report.add(Line::IntoElasticsearch, indexer(setup, events).await?);
    Ok(())
}

/// Sends prepared bodies to an index that an indexer has created, from the first request to the last answer.
async fn loader(setup: &Setup, events: u64) -> anyhow::Result<Sample> {
    let (mut indexer, admin, index) = setup.placing_indexer(Strategy::Single).await?;
    // With its first document, the index has all fields.
    setup.feed(&index).write(0..1).await?;
    all_counted(&mut indexer, &admin, INDEXED, 1).await?;
    drop(indexer);
    let bodies = bodies(events)?;
    let (before, begin, next) = (setup.elasticsearch_usage()?, Instant::now(), AtomicUsize::new(0));
    let send = || async {
        let address = setup.elasticsearch_address();
        let mut connection = Connection::open(&address).await?;
        while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
            post(&mut connection, &address, &index, body.clone()).await?;
        }
        anyhow::Ok(())
    };
    futures::future::try_join_all((0..CONNECTIONS).map(|_| send())).await?;
    let sample = Sample::new(events, begin.elapsed()).with_usage_between(before, setup.elasticsearch_usage()?);
    ended(setup, &index).await?;
    Ok(sample)
}

async fn post(connection: &mut Connection, address: &str, index: &str, body: Bytes) -> anyhow::Result<()> {
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("/{index}/_bulk?filter_path=errors,items.*.error"))
        .header(HOST, address)
        .header(CONTENT_TYPE, "application/x-ndjson")
        .body(Full::new(body))?;
    let answer = connection.send(request).await?;
    let is_written = answer.status == StatusCode::OK && answer.json()?["errors"] == false;
    anyhow::ensure!(is_written, "{}: {}", answer.status, answer.text());
    Ok(())
}

/// Returns the bulk bodies of `events` documents, as the indexer writes them. The first one exists already.
fn bodies(events: u64) -> anyhow::Result<Vec<Bytes>> {
    let (schema, rules, time) = (Schema::parse(SCHEMA)?, Rules::of(&Config::default()), now());
    let all = Events::new(0, time);
    let mut bodies = Vec::new();
    for first in (1..=events).step_by(usize::try_from(DOCUMENTS)?) {
        let mut body = Vec::new();
        for number in first..(first + DOCUMENTS).min(events + 1) {
            let event = all.event(number);
            body.extend_from_slice(format!("{{\"create\":{{\"_id\":\"{}\"}}}}\n", event.event_id).as_bytes());
            write_document(&schema, &event.encode(), rules, Some(time), &mut body)?;
        }
        bodies.push(Bytes::from(body));
    }
    Ok(bodies)
}

/// Lets an indexer read a topic that is already full, from the first document that it counts to the last.
async fn indexer(setup: &Setup, events: u64) -> anyhow::Result<Sample> {
    let (indexer, admin, topic) = setup.placing_indexer(Strategy::Single).await?;
    ready(&admin).await.with_context(|| indexer.last_lines())?;
    drop(indexer);
    setup.feed(&topic).write(0..events).await?;
    let before = setup.elasticsearch_usage()?;
    let (mut indexer, admin) = setup.reading_indexer(&topic)?;
    let counted = all_counted(&mut indexer, &admin, INDEXED, events).await?;
    let after = setup.elasticsearch_usage()?;
    drop(indexer);
    ended(setup, &topic).await?;
    // The first documents were written before the time began.
    let share = counted.rest as f64 / events as f64;
    let used = Usage { cpu_seconds: before.cpu_seconds + (after.cpu_seconds - before.cpu_seconds) * share, ..after };
    Ok(Sample::new(counted.rest, counted.elapsed).with_usage_between(before, used))
}

/// Checks the number of documents, and deletes `index`, so that its merges take nothing from the next measurement.
async fn ended(setup: &Setup, index: &str) -> anyhow::Result<()> {
    let search = setup.search();
    let name = search.call(Method::GET, index, &serde_json::Value::Null).await?;
    let name = name.as_object().and_then(|indices| indices.keys().next()).context("no index")?;
    search.call(Method::DELETE, name, &serde_json::Value::Null).await.map(drop)
}

#[cfg(test)]
mod tests;
