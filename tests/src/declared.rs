//! The metrics that the services declare: `docs/metrics.md` lists all of them, and dashboards or rules show all of
//! them.
//!
//! `PENSTOCK_WRITE_DOCS=1 cargo test --workspace --lib declared` updates the list.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use service::metrics::{Declaration, Kind};

use crate::{dashboards, paths};

const DOCUMENT: &str = "docs/metrics.md";
const BEGIN: &str =
    "<!-- The lists are made from the code: PENSTOCK_WRITE_DOCS=1 cargo test --workspace --lib declared -->\n";

/// The metrics that neither a panel nor a rule shows, with the reason.
const EXEMPT: [(&str, &str); 1] =
    [("process_virtual_memory_bytes", "reserved address space says nothing about memory in use")];

/// Returns the metrics of both services, those of the receiver only, and those of the indexer only.
fn declared() -> Result<[Vec<Declaration>; 3]> {
    let (receiver, indexer) = (receiver::declared_metrics()?, indexer::declared_metrics()?);
    let (both, receiver): (Vec<_>, Vec<_>) = receiver.into_iter().partition(|metric| indexer.contains(metric));
    let indexer = indexer.into_iter().filter(|metric| !both.contains(metric)).collect();
    Ok([both, receiver, indexer])
}

fn list(metrics: &[Declaration]) -> String {
    let mut text = "| Metric | Type | Labels | Meaning |\n| --- | --- | --- | --- |\n".to_owned();
    for Declaration { name, kind, labels, help } in metrics {
        let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
        text += &format!("| `{name}` | {} | {} | {help} |\n", kind.as_str(), labels.join(", "));
    }
    text
}

#[test]
fn the_document_lists_all_metrics_as_the_code_declares_them() -> Result<()> {
    let [both, receiver, indexer] = declared()?;
    let lists = [("Both services", both), ("Receiver", receiver), ("Indexer", indexer)];
    let lists: Vec<String> = lists.iter().map(|(title, metrics)| format!("## {title}\n\n{}", list(metrics))).collect();
    let path = paths::in_repository(DOCUMENT);
    let text = std::fs::read_to_string(&path)?;
    let (head, _) = text.split_once(BEGIN).with_context(|| format!("{DOCUMENT} lacks the line {BEGIN}"))?;
    let wanted = format!("{head}{BEGIN}\n{}", lists.join("\n"));
    if std::env::var_os("PENSTOCK_WRITE_DOCS").is_some() {
        std::fs::write(&path, &wanted)?;
        return Ok(());
    }
    assert!(text == wanted, "{DOCUMENT} is not what the code declares: run the command that it names");
    Ok(())
}

#[test]
fn each_metric_is_shown_by_a_panel_or_a_rule_or_is_exempt_for_a_reason() -> Result<()> {
    let shown: BTreeSet<String> = dashboards::queries()?
        .iter()
        .map(|query| query.expression.clone())
        .chain([dashboards::rules()?])
        .flat_map(|text| dashboards::names(&text))
        .collect();
    let declared: BTreeSet<String> = declared()?.into_iter().flatten().map(|metric| metric.name).collect();
    let exempt: BTreeSet<String> = EXEMPT.iter().map(|(name, _)| (*name).to_owned()).collect();
    let is_shown = |name: &&String| {
        let parts = ["", "_bucket", "_sum", "_count"];
        parts.iter().any(|part| shown.contains(&format!("{name}{part}")))
    };
    let hidden: Vec<&String> = declared.iter().filter(|name| !is_shown(name) && !exempt.contains(*name)).collect();
    assert!(hidden.is_empty(), "no panel and no rule shows {hidden:?}: add one, or name them in EXEMPT with a reason");
    let idle: Vec<&String> = exempt.iter().filter(|name| !declared.contains(*name) || is_shown(name)).collect();
    assert!(idle.is_empty(), "{idle:?} are exempt without need");
    Ok(())
}

#[test]
fn names_follow_the_rules_of_prometheus() -> Result<()> {
    for Declaration { name, kind, labels, help } in declared()?.into_iter().flatten() {
        assert!(name.starts_with("penstock_") || name.starts_with("process_"), "{name} has no prefix");
        assert_eq!(name.ends_with("_total"), kind == Kind::Counter, "{name}: counters, and only they, end in _total");
        for unit in ["_ms", "_millis", "_minutes", "_hours", "_kb", "_mb", "_percent"] {
            assert!(!name.contains(unit), "{name}: base units are seconds, bytes and ratios");
        }
        if kind == Kind::Histogram {
            assert!(["_seconds", "_bytes", "_documents"].iter().any(|unit| name.ends_with(unit)), "{name} has no unit");
        }
        assert!(labels.iter().all(|label| !["le", "quantile", "job", "instance"].contains(&label.as_str())), "{name}");
        assert!(help.ends_with('.') && !help.contains('|'), "{name}: the help is a sentence: {help}");
    }
    Ok(())
}
