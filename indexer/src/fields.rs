//! The rules for single fields of documents (`elasticsearch.documents.fields`), as the decoder applies them: once to
//! each schema, so that an event costs nothing for rules that are not about it.

use std::collections::BTreeSet;
use std::sync::Arc;

use avro::{FieldRules, Limits, Schema, SchemaError};
use config::ConfigError;
use prometheus::IntGauge;
use registry::wire::SchemaId;

use crate::config::Config;
use crate::metrics::Metrics;

/// The field rules of one topic.
#[derive(Debug)]
pub struct Fields {
    topic: String,
    rules: FieldRules,
    /// The paths that no schema has had so far.
    unmet: BTreeSet<String>,
    is_logged: bool,
    /// Whether the key of a record may still be found to be a hidden value.
    watches_keys: bool,
    gauge: IntGauge,
}

impl Fields {
    /// Compiles the rules of `config` for its topic.
    ///
    /// # Errors
    /// When the rules or their secret cannot be used; the message names the key.
    pub fn new(config: &Config, metrics: &Metrics) -> Result<Self, ConfigError> {
        let rules = config.elasticsearch.documents.field_rules()?;
        let topic = config.kafka.topic.clone();
        let gauge = metrics.unmet_field_rules.with_label_values(&[&topic]);
        let unmet = rules.paths().map(str::to_owned).collect();
        let watches_keys = rules.hides_values();
        Ok(Self { topic, rules, unmet, is_logged: false, watches_keys, gauge })
    }

    /// Returns whether the field at `path`, or what it is in, is hidden.
    pub fn hides(&self, path: &str) -> bool {
        self.rules.hides(path)
    }

    /// Returns `schema` with the rules, and reports those that no schema has had a field for.
    ///
    /// # Errors
    /// When a rule cannot be carried out with this schema.
    pub fn apply(&mut self, id: SchemaId, schema: Arc<Schema>) -> Result<Arc<Schema>, SchemaError> {
        if self.rules.is_empty() {
            return Ok(schema);
        }
        let ruled = schema.with_rules(&self.rules).inspect_err(|error| {
            tracing::error!(
                topic = self.topic,
                schema_id = id.0,
                %error,
                "The rules of elasticsearch.documents.fields cannot be carried out with a schema; its events become \
                 dead letters."
            );
        })?;
        self.unmet.retain(|path| ruled.unmet.contains(path));
        self.gauge.set(i64::try_from(self.unmet.len()).unwrap_or(i64::MAX));
        if !self.is_logged && !self.unmet.is_empty() {
            let fields: Vec<&str> = self.unmet.iter().map(String::as_str).collect();
            tracing::warn!(
                topic = self.topic,
                schema_id = id.0,
                fields = fields.join(" "),
                "The schema has no field for these rules of elasticsearch.documents.fields. Check the spelling, unless \
                 another schema of the topic has them."
            );
        }
        self.is_logged = true;
        Ok(Arc::new(ruled.schema))
    }

    /// Warns if `key`, that of the record of `datum`, is the value of a field that is hidden: the `_id` shows it. Once.
    pub fn watch_key(&mut self, schema: &Schema, datum: &[u8], limits: Limits, key: Option<&[u8]>) {
        let Some(key) = key.filter(|key| self.watches_keys && !key.is_empty()) else { return };
        if !avro::is_hidden(schema, datum, limits, key) {
            return;
        }
        self.watches_keys = false;
        tracing::warn!(
            topic = self.topic,
            "The keys of the records are values of a field that elasticsearch.documents.fields hides. The _id of a \
             document is the key, so it shows them: see \"The id\" in docs/field-rules.md."
        );
    }
}

#[cfg(test)]
mod tests;
