//! The dashboards and rules of the repository: their queries, and the metrics in them.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::paths;

/// The file of recording rules and alerts.
pub const RULES: &str = "deploy/prometheus/alerts.yml";

/// A query of a panel.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Query {
    /// The dashboard and the panel, for messages.
    pub place: String,
    /// The expression, with Grafana's variables.
    pub expression: String,
}

/// Returns every query of every panel of every dashboard.
///
/// # Errors
/// If a dashboard cannot be read.
pub fn queries() -> Result<Vec<Query>> {
    let mut queries = Vec::new();
    for entry in std::fs::read_dir(paths::in_repository("deploy/grafana/dashboards"))? {
        let path = entry?.path();
        let dashboard: Value = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
        let title = dashboard["title"].as_str().with_context(|| format!("{} has no title", path.display()))?;
        for panel in dashboard["panels"].as_array().into_iter().flatten() {
            let place = format!("{title}: {}", panel["title"].as_str().unwrap_or_default());
            for target in panel["targets"].as_array().into_iter().flatten() {
                let expression = target["expr"].as_str().with_context(|| format!("{place}: a target without expr"))?;
                queries.push(Query { place: place.clone(), expression: expression.to_owned() });
            }
        }
    }
    anyhow::ensure!(queries.len() > 50, "only {} queries were found", queries.len());
    queries.sort();
    Ok(queries)
}

/// Returns the text of [`RULES`].
///
/// # Errors
/// If it cannot be read.
pub fn rules() -> Result<String> {
    Ok(std::fs::read_to_string(paths::in_repository(RULES))?)
}

/// Returns the names of metrics in `text`: Penstock's own, those of the process, recorded ones, and `up`.
pub fn names(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
    let words = text.split(|c| !is_part(c));
    let is_metric = |word: &&str| {
        let is_recorded = word.starts_with("namespace_") && word.contains(':');
        word.starts_with("penstock_") || word.starts_with("process_") || is_recorded || *word == "up"
    };
    words.filter(is_metric).map(str::to_owned).collect()
}

impl Query {
    /// Returns the expression with all values of the variables selected, over `window`, as Grafana would send it.
    pub fn with_everything(&self, window: &str) -> String {
        let mut text = self.expression.clone();
        for (variable, value) in [
            ("$__rate_interval", window),
            ("$namespace", ".*"),
            ("$instance", ".*"),
            ("$source", ".*"),
            ("$topic", ".*"),
        ] {
            text = text.replace(variable, value);
        }
        text
    }
}

#[cfg(test)]
mod tests;
