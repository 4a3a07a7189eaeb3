//! The fields of all schemas seen, as one mapping. What the server has of them is in
//! [`live_mappings`](super::live_mappings).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use avro::Schema;
use serde_json::Value;

use super::mapping::{self, NoteKind};
use super::requests::Requests;
use super::settings::IndexSettings;

/// The most fields that all schemas of one index may have together.
const MAX_FIELDS: usize = 10_000;
/// How many contradicting schemas are remembered.
const MAX_CONTRADICTING: usize = 64;

/// The fields that documents may have, according to the schemas seen so far.
#[derive(Debug)]
pub(crate) struct KnownFields {
    requests: Requests,
    settings: Arc<IndexSettings>,
    learned: Mutex<Learned>,
}

/// What the schemas define.
#[derive(Debug)]
struct Learned {
    /// The mapping of all schemas seen.
    mapping: Value,
    /// Mappings of schemas that contradict `mapping`, which holds the earlier ones.
    contradicting: Vec<Value>,
    /// Changes whenever `mapping` or `contradicting` changes.
    version: u64,
}

impl KnownFields {
    /// Creates the fields before the first schema: those that every document has.
    pub(super) fn new(requests: &Requests, settings: &Arc<IndexSettings>) -> Self {
        let mapping = mapping::without_fields(&settings.mapping);
        let learned = Mutex::new(Learned { mapping, contradicting: Vec::new(), version: 0 });
        Self { requests: requests.clone(), settings: Arc::clone(settings), learned }
    }

    /// Remembers the fields of `schema` for the next check of the index. Sends nothing.
    pub(crate) fn learn(&self, schema: &Schema) {
        let generated = mapping::generate(schema, &self.settings.mapping);
        let index = &self.settings.name;
        for note in generated.notes.iter().filter(|note| note.kind != NoteKind::Unused) {
            tracing::warn!(index, %note, "A field is not mapped as its schema defines it.");
        }
        let mut learned = self.learned();
        let chosen = &self.settings.mapping.config.fields;
        let mut merged = mapping::compare::merge(&learned.mapping, &generated.mapping, chosen);
        let fields = mapping::count_fields(&merged);
        let is_too_large = fields > MAX_FIELDS;
        if is_too_large {
            tracing::error!(
                index,
                fields,
                most = MAX_FIELDS,
                "All schemas together exceed the field limit of an index; the fields of the newest are in its documents, \
                 but cannot be searched for."
            );
            merged.clone_from(&learned.mapping);
        }
        if is_too_large || generated.mapping["dynamic"] == "false" {
            mapping::leave_others_out(&mut merged);
        }
        let mut is_new = learned.mapping != merged;
        learned.mapping = merged;
        // Fields that are left out contradict nothing.
        let contradicts =
            !is_too_large && !mapping::compare::compare(&generated.mapping, &learned.mapping).conflicts.is_empty();
        if contradicts
            && !learned.contradicting.contains(&generated.mapping)
            && learned.contradicting.len() < MAX_CONTRADICTING
        {
            learned.contradicting.push(generated.mapping);
            is_new = true;
        }
        learned.version += u64::from(is_new);
    }

    /// Returns the mapping of all schemas seen, in the form that the server accepts.
    pub(super) fn mapping(&self) -> Value {
        let mapping = self.learned().mapping.clone();
        self.for_server(mapping)
    }

    /// Returns the mappings of the schemas that contradict [`KnownFields::mapping`], in the form that the server
    /// accepts.
    pub(super) fn contradicting(&self) -> Vec<Value> {
        let contradicting = self.learned().contradicting.clone();
        contradicting.into_iter().map(|mapping| self.for_server(mapping)).collect()
    }

    /// Returns a number that changes whenever a schema changes the fields.
    pub(super) fn version(&self) -> u64 {
        self.learned().version
    }

    fn for_server(&self, mapping: Value) -> Value {
        if self.requests.client().is_opensearch() { mapping::flavour::for_opensearch(mapping) } else { mapping }
    }

    fn learned(&self) -> MutexGuard<'_, Learned> {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
