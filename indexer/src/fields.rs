//! The rules for single fields of documents (`elasticsearch.documents.fields`). The decoder applies them once to each
//! schema, so events whose fields no rule names cost nothing extra.

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
    /// The paths of rules for which no schema so far has had a field.
    unmet: BTreeSet<String>,
    is_logged: bool,
    /// Whether to check if the key of a record is the value of a hidden field. False after the first warning.
    watches_keys: bool,
    gauge: IntGauge,
}

impl Fields {
    /// Compiles the rules of `config` for its topic.
    ///
    /// # Errors
    /// When the rules or their secret are invalid; the message names the config key.
    pub fn new(config: &Config, metrics: &Metrics) -> Result<Self, ConfigError> {
        let rules = config.elasticsearch.documents.field_rules()?;
        let topic = config.kafka.topic.clone();
        let gauge = metrics.unmet_field_rules.with_label_values(&[&topic]);
        let unmet = rules.paths().map(str::to_owned).collect();
        let watches_keys = rules.hides_values();
        Ok(Self { topic, rules, unmet, is_logged: false, watches_keys, gauge })
    }

    /// Returns whether a rule hides the field at `path` or a field that contains it.
    pub fn hides(&self, path: &str) -> bool {
        self.rules.hides(path)
    }

    /// Returns `schema` with the rules applied, and reports the rules that no schema so far has had a field for.
    ///
    /// # Errors
    /// When a rule cannot be applied to this schema.
    pub fn apply(&mut self, id: SchemaId, schema: Arc<Schema>) -> Result<Arc<Schema>, SchemaError> {
        if self.rules.is_empty() {
            return Ok(schema);
        }
        let ruled = schema.with_rules(&self.rules).inspect_err(|error| {
            tracing::error!(
                topic = self.topic,
                schema_id = id.0,
                %error,
                "The rules of elasticsearch.documents.fields cannot be applied to a schema; its events become \
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

    /// Warns, once, if `key`, the key of the record with this `datum`, is the value of a hidden field: the `_id`
    /// would show it.
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
