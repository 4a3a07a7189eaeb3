//! `penstock-indexer doctor`: checks everything that the indexer needs, and reports what is wrong and what to do.
//! Changes nothing.

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

/// Checks config, Kafka, schema registry and Elasticsearch, and reports what is wrong and what to do. Exits with 2 if
/// a check fails.
#[derive(Debug, Args)]
#[command(after_help = "Example: penstock-indexer --config /etc/penstock/penstock.yaml doctor")]
pub struct DoctorArgs {
    #[command(flatten)]
    output: Output,
}

/// The results of all checks.
#[derive(Debug, Serialize)]
pub struct Report {
    /// How many checks passed.
    pub ok: usize,
    /// How many found something that may fail soon or is not safe enough.
    pub warn: usize,
    /// How many failed.
    pub fail: usize,
    /// The result of each check.
    pub findings: Vec<Finding>,
}

/// Checks everything that `config` names, and prints the findings.
///
/// # Errors
/// If a check panicked, which is a bug.
pub async fn run(config: Config, args: &DoctorArgs) -> Result<Exit, tokio::task::JoinError> {
    // The config has passed all rules, or it could not have been loaded.
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
