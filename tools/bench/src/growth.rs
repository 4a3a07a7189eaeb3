//! The curves of growth: how rate, CPU time, memory and freshness change with what grows, and what a rate needs.
//!
//! `curve` lists what grows, `runs` measures the points of each curve with `measure`, and `results` writes them: as text,
//! as JSON, as pictures (`picture`), as a table of sizes (`sizing`), and into the document (`document`).

use std::path::PathBuf;

use anyhow::Context;
use clap::ValueEnum;

use super::setup::{self, PARTITIONS, Setup};
use super::{Options, say};
pub(super) use curve::Curve;
use harness::paths;
use measure::Measure;
use point::Measured;
use results::Results;

mod curve;
mod document;
mod measure;
mod picture;
mod point;
mod results;
mod runs;
mod sizing;

/// The number of files that the load may have open: more than the most connections.
const OPEN_FILES: u64 = 4_096;
/// The document with the results.
const DOCUMENT: &str = "docs/benchmarks.md";
/// The folder of its pictures, as seen from the document.
const PICTURES: &str = "images";

/// Measures the curves, writes the results after each of them, and returns them as text.
///
/// # Errors
/// If the stack or a service does not work, or a file cannot be written.
pub(super) async fn run(options: &Options) -> anyhow::Result<String> {
    setup::ensure_built()?;
    rlimit::increase_nofile_limit(OPEN_FILES).context("the limit of open files cannot be raised")?;
    let mut results = Results::new(u64::try_from(PARTITIONS)?);
    say("starting Kafka and the registry");
    let setup = Setup::start(&["kafka", "registry"], options, PARTITIONS).await?;
    let Options { events, requests, connections, .. } = *options;
    let measure = Measure { setup: &setup, events, requests, connections };
    say("growth, a load that does not count: Kafka compiles what it runs often");
    measure.receiver(0, setup.config(), &measure.load()?).await?;
    let writes_document = std::env::var_os("PENSTOCK_WRITE_DOCS").is_some();
    let json = options.json.clone().unwrap_or_else(|| paths::in_repository("target/bench/growth.json"));
    let pictures = folder(writes_document);
    let curves = match options.growth.as_slice() {
        [] => Curve::value_variants(),
        chosen => chosen,
    };
    for curve in curves.iter().copied() {
        let points = runs::points(&measure, curve, &curve.values(options.points)).await;
        let points = points.with_context(|| format!("the curve {}", curve.name()))?;
        results.add(Measured { curve, points });
        results.write(&json, &pictures)?;
    }
    // A document with some of the curves would mix two runs.
    if writes_document && options.growth.is_empty() {
        results.write_into(&paths::in_repository(DOCUMENT), PICTURES)?;
    }
    Ok(format!("{results}\nThe same as JSON: {}\nPictures: {}", json.display(), pictures.display()))
}

/// Returns the folder of the pictures: that of the document if it is written, else one for results.
fn folder(writes_document: bool) -> PathBuf {
    match writes_document {
        true => paths::in_repository(&format!("docs/{PICTURES}")),
        false => paths::in_repository("target/bench"),
    }
}
