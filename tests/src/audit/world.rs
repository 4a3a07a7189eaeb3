//! Reads everything that was stored into the ledger, and looks up the history of findings.

use std::path::Path;

use super::{Document, Exceptions, Findings, Journal, Ledger, Letter, Oracle, Written};
use crate::command;
use crate::kafka::Record;
use crate::pipeline::Pipeline;

/// Compares the `journal` with all records, documents, dead letters and quarantined bodies of `pipeline`. `gone` are
/// records that have been deleted from the topic.
///
/// # Errors
/// If one of the parts cannot be read. Wrong events are not an error: see [`Findings`].
pub async fn audit(
    pipeline: &Pipeline,
    journal: &Path,
    oracle: Oracle,
    exceptions: Exceptions,
    gone: Vec<Record>,
) -> anyhow::Result<Findings> {
    let mut ledger = Ledger::new(oracle, exceptions);
    Journal::read(journal, |entry| ledger.sent(&entry))?;
    records(pipeline, gone, &mut ledger).await?;
    letters(pipeline, &mut ledger).await?;
    // A copy of an index may have something before the name.
    let indices = format!("*{}*", pipeline.config.elasticsearch.index_name);
    let take = |index, id, source| ledger.document(&Document { index, id, source });
    pipeline.search.sources(&indices, take).await?;
    Ok(ledger.finish())
}

/// Fails if there are findings.
///
/// # Errors
/// States the number of each kind, and the first ten with their history.
pub async fn ensure_none(pipeline: &Pipeline, findings: &Findings) -> anyhow::Result<()> {
    if findings.all.is_empty() {
        return Ok(());
    }
    let mut report = findings.to_string();
    for finding in findings.first() {
        let history = command::run(pipeline, &["find", &finding.id]).await;
        let history = history.map_or_else(|error| format!("{error:#}"), |answer| answer.output + &answer.errors);
        report.push_str(&format!("\n{}:\n{history}", finding.id));
    }
    anyhow::bail!(report)
}

async fn records(pipeline: &Pipeline, gone: Vec<Record>, ledger: &mut Ledger) -> anyhow::Result<()> {
    let mut outcome = Ok(());
    let mut take = |record: Record| {
        let value = record.value.as_deref().unwrap_or_default();
        match record.timestamp {
            Some(timestamp) => ledger.written(&Written { id: text(record.key.as_deref()), value, timestamp }),
            None => outcome = Err(anyhow::anyhow!("a record without a timestamp: offset {}", record.offset)),
        }
    };
    gone.into_iter().for_each(&mut take);
    pipeline.kafka.read_each(&pipeline.config.kafka.topic, take).await?;
    outcome
}

async fn letters(pipeline: &Pipeline, ledger: &mut Ledger) -> anyhow::Result<()> {
    for record in pipeline.kafka.read_all(&pipeline.config.kafka.dead_letter_topic).await? {
        let value = record.value.as_deref().unwrap_or_default();
        let error_type = record.header("dl.error-type").unwrap_or("no dl.error-type");
        ledger.letter(&Letter { id: text(record.key.as_deref()), value, error_type });
    }
    for record in pipeline.kafka.read_all(&pipeline.config.kafka.quarantine_topic).await? {
        ledger.quarantined(record.value.as_deref().unwrap_or_default());
    }
    Ok(())
}

/// Returns the key as text. A key that is not text becomes an id that was never sent.
fn text(key: Option<&[u8]>) -> &str {
    key.and_then(|key| std::str::from_utf8(key).ok()).unwrap_or("(no key)")
}
