//! Measures the conversion of Avro to a document's line of a bulk body on one core, compared with apache-avro, which
//! builds a tree first.

use std::hint::black_box;
use std::time::{Duration, Instant};

use apache_avro::Schema as AvroSchema;
use apache_avro::reader::datum::GenericDatumReader;
use avro::Schema;
use indexer::config::Config;
use indexer::document::{Rules, write_document};

use super::report::{Line, Report};
use super::sample::Sample;
use super::usage;
use harness::event::{Events, SCHEMA};

/// How long each conversion is measured.
const DURATION: Duration = Duration::from_secs(1);
/// The number of different events.
const DIFFERENT: u64 = 1_000;

/// Measures both once.
///
/// # Errors
/// If an event cannot be read.
pub(super) async fn round(report: &mut Report) -> anyhow::Result<()> {
    // The rate per core uses the thread's CPU time, so that other processes do not count.
    let (theirs, ours) = tokio::task::spawn_blocking(|| anyhow::Ok((theirs()?, ours()?))).await??;
    report.add(Line::AvroFloor, theirs);
    report.add(Line::Avro, ours);
    Ok(())
}

fn theirs() -> anyhow::Result<Sample> {
    let schema = AvroSchema::parse_str(SCHEMA)?;
    let reader = GenericDatumReader::builder(&schema).build()?;
    measure(|mut datum, line| {
        let value = serde_json::Value::try_from(reader.read_value(&mut datum)?)?;
        serde_json::to_writer(&mut *line, &value)?;
        Ok(())
    })
}

fn ours() -> anyhow::Result<Sample> {
    let schema = Schema::parse(SCHEMA)?;
    let rules = Rules::of(&Config::default());
    measure(|datum, line| Ok(write_document(&schema, datum, rules, Some(1_767_323_045_678), line)?))
}

/// Runs `write`, which appends to the given line, on one event after another.
fn measure(write: impl Fn(&[u8], &mut Vec<u8>) -> anyhow::Result<()>) -> anyhow::Result<Sample> {
    let events = Events::new(0, 1_767_323_045_678);
    let data: Vec<Vec<u8>> = (0..DIFFERENT).map(|number| events.event(number).encode()).collect();
    let mut line = Vec::with_capacity(1 << 10);
    let mut pass = || {
        for datum in &data {
            line.clear();
            write(black_box(datum), &mut line)?;
            black_box(&line);
        }
        anyhow::Ok(())
    };
    pass()?;
    let (begin, before) = (Instant::now(), usage::thread_cpu_seconds()?);
    let mut done = 0;
    while begin.elapsed() < DURATION {
        pass()?;
        done += DIFFERENT;
    }
    let cpu_seconds = usage::thread_cpu_seconds()? - before;
    Ok(Sample { seconds: cpu_seconds, cpu_seconds, ..Sample::new(done, begin.elapsed()) })
}
