//! Checks whether Elasticsearch creates the next index with our template. A template of higher priority may match its
//! name.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus::IntGaugeVec;
use serde_json::Value;

use super::indices::Indices;
use super::requests::{RequestError, Requests};
use super::resources;
use super::settings::IndexSettings;
use crate::config::Strategy;

/// Names, patterns and priorities of all index templates.
const TEMPLATES: &str = "/_index_template?filter_path=index_templates.name,index_templates.index_template.index_patterns,index_templates.index_template.priority";
/// Stands for the template if no template matches.
const NO_TEMPLATE: &str = "(none)";

/// Checks which template the next index is created with.
#[derive(Debug)]
pub(crate) struct ShadowCheck {
    requests: Requests,
    settings: Arc<IndexSettings>,
    indices: Indices,
    /// `penstock_indexer_template_shadowed`.
    shadowed: IntGaugeVec,
    /// The template that was found to win the names of the indices, if it is not ours.
    found: Mutex<Option<String>>,
}

impl ShadowCheck {
    /// Creates the check for the index set of `settings`, which reports by the metric `shadowed`. Sends nothing.
    pub(super) fn new(requests: &Requests, settings: &Arc<IndexSettings>, shadowed: IntGaugeVec) -> Self {
        Self {
            requests: requests.clone(),
            settings: Arc::clone(settings),
            indices: Indices::new(requests, settings),
            shadowed,
            found: Mutex::default(),
        }
    }

    /// Checks which template wins the name of the next index, and reports a foreign one in the log and by a metric.
    /// If the role may not ask, reports nothing.
    pub(crate) async fn check(&self) {
        match self.winner().await {
            Ok(Some(winner)) => self.note_winner(&winner),
            Ok(None) => {}
            Err(error) => {
                let index = &self.settings.name;
                tracing::debug!(index, %error, "Cannot find out which template the next index is created from.");
            }
        }
    }

    /// Returns whether another template was found to win.
    pub(super) fn is_shadowed(&self) -> bool {
        self.found().is_some()
    }

    /// Returns the template that wins the names of the indices, if it is not ours. Also returns `None` if no template
    /// matches, because ours is created at start.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(crate) async fn shadowed_by(&self) -> Result<Option<String>, RequestError> {
        let ours = resources::template_name(&self.settings);
        Ok(self.winner().await?.filter(|winner| *winner != ours && winner != NO_TEMPLATE))
    }

    /// Returns the template that the next index is created with, or `None` if the server has no answer.
    async fn winner(&self) -> Result<Option<String>, RequestError> {
        let Some(answer) = self.requests.get(TEMPLATES).await? else { return Ok(None) };
        let templates = answer["index_templates"].as_array().map(Vec::as_slice).unwrap_or_default();
        let name = match self.settings.strategy {
            Strategy::Rollover | Strategy::Time => match self.indices.current().await? {
                Some(current) => current,
                None => format!("{}-000001", self.settings.name),
            },
            Strategy::DataStream | Strategy::Single => self.settings.name.clone(),
        };
        Ok(Some(winner(templates, &name).unwrap_or(NO_TEMPLATE).to_owned()))
    }

    fn note_winner(&self, winner: &str) {
        let ours = resources::template_name(&self.settings);
        let shadow = (winner != ours).then(|| winner.to_owned());
        let index = self.settings.name.as_str();
        let gauge = |template: &str| self.shadowed.with_label_values(&[index, template]);
        if shadow.is_none() {
            // The metric exists from the start, so that "not shadowed" differs from "not known".
            gauge(&ours).set(0);
        }
        let before = std::mem::replace(&mut *self.found(), shadow.clone());
        if before == shadow {
            return;
        }
        if let Some(before) = before {
            gauge(&before).set(0);
        }
        match shadow {
            Some(template) if template == NO_TEMPLATE => {
                gauge(&template).set(1);
                tracing::error!(
                    index,
                    ours,
                    "No index template matches the index names: the next index gets no mapping and no lifecycle. Run \
                     `penstock-indexer setup` with a role that may create templates; it shows why the server refuses \
                     one."
                );
            }
            Some(template) => {
                gauge(&template).set(1);
                tracing::error!(
                    index,
                    template,
                    ours,
                    "Another index template takes precedence for the index names: the next index gets its mapping and \
                     settings, not Penstock's, and perhaps no lifecycle. Change that template's index_patterns or \
                     lower its priority."
                );
            }
            None => {
                tracing::info!(index, ours, "Penstock's index template applies to the index names again.")
            }
        }
    }

    fn found(&self) -> MutexGuard<'_, Option<String>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the name of the template that an index `name` is created with: the matching template of the highest
/// priority (Elasticsearch reference, "Index templates").
fn winner<'t>(templates: &'t [Value], name: &str) -> Option<&'t str> {
    let matches = |template: &&Value| {
        let patterns = template["index_template"]["index_patterns"].as_array().map(Vec::as_slice).unwrap_or_default();
        patterns.iter().filter_map(Value::as_str).any(|pattern| is_match(pattern, name))
    };
    let priority = |template: &&Value| template["index_template"]["priority"].as_u64().unwrap_or(0);
    templates.iter().filter(matches).max_by_key(priority)?["name"].as_str()
}

/// Returns whether `name` matches `pattern`, in which `*` stands for any text.
fn is_match(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match left.find(part) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests;
