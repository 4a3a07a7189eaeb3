//! `elasticsearch.mapping`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// `elasticsearch.mapping`: what the fields of documents are to Elasticsearch. The types follow from the schema by the table in
/// `docs/document-rules.md`; here is where there is a choice.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mapping {
    /// `elasticsearch.mapping.dynamic`: what becomes of a field that the mapping does not have.
    pub dynamic: Dynamic,
    /// `elasticsearch.mapping.maps`: what a map is.
    pub maps: Maps,
    /// `elasticsearch.mapping.recursion`: how many times a record that holds itself is followed into itself. What is deeper is in the
    /// document, but cannot be searched for.
    pub recursion: u16,
    /// `elasticsearch.mapping.subject`: the registry subject whose latest schema makes the mapping before the first event is there.
    /// Without it the schema of the first event does.
    pub subject: Option<String>,
    /// `elasticsearch.mapping.fields`: other types for single fields, by their path in the document, dots between names. Items of an
    /// array have the path of the array.
    pub fields: BTreeMap<String, FieldOverride>,
}

/// `elasticsearch.mapping.dynamic`: what becomes of a field that the mapping does not have (Elasticsearch reference, "`dynamic`").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Dynamic {
    /// Its document is refused, and goes to the dead-letter topic.
    Strict,
    /// Elasticsearch adds it to the mapping.
    True,
    /// It is in the document, but cannot be searched for.
    False,
}

/// `elasticsearch.mapping.maps`: what a map is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Maps {
    /// One field, whatever keys there are; its values are searched as keywords.
    Flattened,
    /// A field for each key that was ever seen: only for maps whose keys are few.
    Object,
}

/// `elasticsearch.mapping.fields.<path>`: another type for one field. What is not given is Elasticsearch's default.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FieldOverride {
    /// `elasticsearch.mapping.fields.<path>.type`: a field type of Elasticsearch. `text` gets a subfield `keyword`. For a record: `object`, `nested` or `flattened`.
    #[serde(rename = "type")]
    pub field_type: String,
    /// `elasticsearch.mapping.fields.<path>.ignore_above`: a longer string is in the document, but cannot be searched for. Of `text`: that of its subfield.
    #[serde(default)]
    pub ignore_above: Option<u32>,
    /// `elasticsearch.mapping.fields.<path>.format`: of a `date`.
    #[serde(default)]
    pub format: Option<String>,
    /// `elasticsearch.mapping.fields.<path>.scaling_factor`: of a `scaled_float`.
    #[serde(default)]
    pub scaling_factor: Option<f64>,
    /// `elasticsearch.mapping.fields.<path>.analyzer`: of `text`.
    #[serde(default)]
    pub analyzer: Option<String>,
    /// `elasticsearch.mapping.fields.<path>.normalizer`: of a `keyword`.
    #[serde(default)]
    pub normalizer: Option<String>,
    /// `elasticsearch.mapping.fields.<path>.index`: whether it can be searched for.
    #[serde(default)]
    pub index: Option<bool>,
    /// `elasticsearch.mapping.fields.<path>.doc_values`: whether it can be sorted and aggregated by.
    #[serde(default)]
    pub doc_values: Option<bool>,
    /// `elasticsearch.mapping.fields.<path>.enabled`: of an `object`: false keeps it in the document alone.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// `elasticsearch.mapping.fields.<path>.ignore_malformed`: whether a value that does not fit is left out of the index rather than its document refused.
    #[serde(default)]
    pub ignore_malformed: Option<bool>,
}

impl Default for Mapping {
    fn default() -> Self {
        Self { dynamic: Dynamic::Strict, maps: Maps::Flattened, recursion: 5, subject: None, fields: BTreeMap::new() }
    }
}
