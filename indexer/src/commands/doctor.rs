//! `penstock-indexer doctor`: looks at all that the indexer needs, and says of each thing whether it is right, and if
//! not, what to do. Changes nothing.

use std::fmt;

use clap::Args;
use serde::Serialize;

use super::exit::Exit;
use super::output::Output;
use crate::config::Config;
use finding::{Finding, Grade};

mod brokers;
mod cluster;
mod elasticsearch;
pub mod finding;
mod privileges;
mod schemas;
mod topics;

/// Looks at config, Kafka, schema registry and Elasticsearch, and says what is wrong and what to do. Exits with 2
/// when something fails.
#[derive(Debug, Args)]
#[command(after_help = "Example: penstock-indexer --config /etc/penstock/penstock.yaml doctor")]
pub struct DoctorArgs {
    #[command(flatten)]
    output: Output,
}

/// What was found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// How many things are right.
    pub ok: usize,
    /// How many may soon be wrong, or are not safe enough.
    pub warn: usize,
    /// How many do not work.
    pub fail: usize,
    /// Each of them.
    pub findings: Vec<Finding>,
}

/// Looks at what `config` names, and prints what is found.
///
/// # Errors
/// When a part of the check panicked: a bug.
pub async fn run(config: Config, args: &DoctorArgs) -> Result<Exit, tokio::task::JoinError> {
    // That it could be loaded says that it has passed all rules.
    let mut findings = vec![Finding::ok("config", "it can be used")];
    let of_kafka = config.clone();
    let kafka = tokio::task::spawn_blocking(move || brokers::check(&of_kafka));
    let (kafka, registry, elasticsearch) = tokio::join!(kafka, schemas::check(&config), elasticsearch::check(&config));
    findings.extend(kafka?);
    findings.extend(registry);
    findings.extend(elasticsearch);
    let count = |grade| findings.iter().filter(|finding| finding.grade == grade).count();
    let report = Report { ok: count(Grade::Ok), warn: count(Grade::Warn), fail: count(Grade::Fail), findings };
    args.output.print(&report);
    Ok(Exit::of_difference(report.fail > 0))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.findings.iter().try_for_each(|finding| writeln!(f, "{finding}"))?;
        write!(f, "{} ok, {} warnings, {} failures", self.ok, self.warn, self.fail)
    }
}
