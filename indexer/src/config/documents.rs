//! `elasticsearch.documents`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use avro::{Decimals, EventType, FieldRule, FieldRules, JsonRules, Timestamps, Uuids};
use serde::{Deserialize, Serialize};
use service::secret::Secret;

use config::{ConfigError, read_secret};

/// `elasticsearch.documents`: how values are written, where there is a choice, and how single fields are treated.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Documents {
    /// `elasticsearch.documents.timestamps`: how timestamps are written.
    pub timestamps: Timestamps,
    /// `elasticsearch.documents.decimals`: how decimals are written.
    pub decimals: Decimals,
    /// `elasticsearch.documents.uuids`: whether text of a `uuid` that is not a UUID is taken.
    pub uuids: Uuids,
    /// `elasticsearch.documents.event_type`: whether the name of the event's type is written as `_event_type`.
    pub event_type: EventType,
    /// `elasticsearch.documents.fields`: what becomes of single fields, by path. See `docs/field-rules.md`.
    pub fields: Option<BTreeMap<String, FieldRule>>,
    /// `elasticsearch.documents.hash_secret`: the key of the rule `hash`, at least 16 bytes.
    pub hash_secret: Option<Secret>,
    /// `elasticsearch.documents.hash_secret_file`: a file with that key. It is read when the process starts.
    pub hash_secret_file: Option<PathBuf>,
}

impl Documents {
    /// Returns how values are written.
    pub fn json(&self) -> JsonRules {
        JsonRules {
            timestamps: self.timestamps,
            decimals: self.decimals,
            event_type: self.event_type,
            uuids: self.uuids,
            pieces_in_maps: false,
        }
    }

    /// Returns the rules for single fields. Reads the file of the secret.
    ///
    /// # Errors
    /// [`ConfigError`], with the key whose value cannot be used.
    pub fn field_rules(&self) -> Result<FieldRules, ConfigError> {
        let Some(fields) = &self.fields else { return Ok(FieldRules::default()) };
        let key = |name: &str| format!("elasticsearch.documents.{name}");
        let secret = read_secret(self.hash_secret.as_ref(), self.hash_secret_file.as_ref())
            .map_err(|error| ConfigError(format!("{}: {error}", key("hash_secret_file"))))?;
        let secret = secret.as_ref().map(|secret| secret.expose().as_bytes());
        FieldRules::new(fields, secret).map_err(|error| {
            let at = error.path.map_or_else(|| key("hash_secret"), |path| key(&format!("fields.{path}")));
            ConfigError(format!("{at}: {}", error.problem))
        })
    }

    /// Takes over the rules of `other`, unless this section has its own.
    pub(crate) fn inherit(&mut self, other: &Self) {
        if self.fields.is_none() {
            self.fields.clone_from(&other.fields);
        }
        if self.hash_secret.is_none() && self.hash_secret_file.is_none() {
            self.hash_secret.clone_from(&other.hash_secret);
            self.hash_secret_file.clone_from(&other.hash_secret_file);
        }
    }
}
