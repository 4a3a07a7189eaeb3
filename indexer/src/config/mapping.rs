//! `elasticsearch.mapping`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// `elasticsearch.mapping`: how Elasticsearch indexes the fields of documents. The types follow from the schema by
/// the table in `docs/document-rules.md`; these keys decide where there is a choice.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mapping {
    /// `elasticsearch.mapping.dynamic`: a field that the mapping lacks. `strict`: its document is refused. Penstock
    /// adds every schema's fields before its first document, and again if the index was restored or created by hand
    /// without them. `true`: Elasticsearch adds the field. `false`: the field is in the document but not searchable.
    /// Schemas with more fields than a mapping may have make it `false`.
    pub dynamic: Dynamic,
    /// `elasticsearch.mapping.maps`: the field type of a map. `flattened`: one field for all keys. `object`: a field
    /// for each key; only for maps with few keys.
    pub maps: Maps,
    /// `elasticsearch.mapping.recursion`: how many times the mapping follows a recursive record into itself, 0 to 20;
    /// deeper values are in the document but not searchable.
    pub recursion: u16,
    /// `elasticsearch.mapping.subject`: the registry subject whose latest schema creates the mapping before there is an
    /// event. By default the first event's schema does.
    pub subject: Option<String>,
    /// `elasticsearch.mapping.fields`: other types for single fields, by path.
    pub fields: BTreeMap<String, FieldOverride>,
}

/// `elasticsearch.mapping.dynamic`: what happens to a field that the mapping does not have (Elasticsearch reference,
/// "`dynamic`").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Dynamic {
    /// The document is refused and goes to the dead-letter topic.
    Strict,
    /// Elasticsearch adds the field to the mapping.
    True,
    /// The field is in the document but not searchable.
    False,
}

/// `elasticsearch.mapping.maps`: the field type of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Maps {
    /// One field for all keys; its values are searched as keywords.
    Flattened,
    /// A field for each key that ever occurred: only for maps with few keys.
    Object,
}

/// `elasticsearch.mapping.fields.<path>`: another type for one field. Attributes that are not set have
/// Elasticsearch's default.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FieldOverride {
    /// `elasticsearch.mapping.fields.<path>.type`: a field type of Elasticsearch. `text` gets a subfield `keyword`; a
    /// record can be `object`, `nested` or `flattened`, a map `object` or `flattened`.
    #[serde(rename = "type")]
    pub field_type: String,
    /// `elasticsearch.mapping.fields.<path>.ignore_above`: a longer string is in the document but not searchable. For
    /// `text`, the limit of its subfield, 256 by default.
    #[serde(default)]
    pub ignore_above: Option<u32>,
    /// `elasticsearch.mapping.fields.<path>.format`: for a `date`.
    #[serde(default)]
    pub format: Option<String>,
    /// `elasticsearch.mapping.fields.<path>.scaling_factor`: for a `scaled_float`.
    #[serde(default)]
    pub scaling_factor: Option<f64>,
    /// `elasticsearch.mapping.fields.<path>.analyzer`: for `text`.
    #[serde(default)]
    pub analyzer: Option<String>,
    /// `elasticsearch.mapping.fields.<path>.normalizer`: for a `keyword`.
    #[serde(default)]
    pub normalizer: Option<String>,
    /// `elasticsearch.mapping.fields.<path>.index`: whether the field is searchable.
    #[serde(default)]
    pub index: Option<bool>,
    /// `elasticsearch.mapping.fields.<path>.doc_values`: whether the field can be sorted and aggregated by.
    #[serde(default)]
    pub doc_values: Option<bool>,
    /// `elasticsearch.mapping.fields.<path>.enabled`: for an `object`: `false` keeps it in the document only.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// `elasticsearch.mapping.fields.<path>.ignore_malformed`: whether a value that does not fit is left out of the
    /// index instead of having its document refused.
    #[serde(default)]
    pub ignore_malformed: Option<bool>,
}

impl Default for Mapping {
    fn default() -> Self {
        Self { dynamic: Dynamic::Strict, maps: Maps::Flattened, recursion: 5, subject: None, fields: BTreeMap::new() }
    }
}
