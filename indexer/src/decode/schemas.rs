//! The schemas that decode the records of a topic.

use std::collections::HashMap;
use std::sync::Arc;

use avro::{FieldPath, Schema};
use registry::Weighed;
use registry::wire::SchemaId;

/// A schema in use.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) id: SchemaId,
    pub(super) schema: Arc<Schema>,
    /// Whether it has a usable field with the event's own timestamp.
    pub(super) has_time: bool,
    /// Whether it has a field to route by.
    pub(super) has_route: bool,
    /// Where these fields are, if there are any.
    pub(super) wanted: Option<Arc<FieldPath>>,
}

/// The schemas whose fields the index has. They take no more bytes than the registry's caches (P6).
#[derive(Debug)]
pub(super) struct Schemas {
    by_id: HashMap<SchemaId, Known>,
    weighed: Weighed,
    /// The schema used last, which is nearly always the next one too.
    last: Option<Known>,
}

impl Schemas {
    /// Creates an empty set, with the room that `config` gives.
    pub(super) fn new(config: &config::SchemaRegistry) -> Self {
        Self { by_id: HashMap::new(), weighed: Weighed::new(config), last: None }
    }

    /// Stores `known`. If there is no more room, forgets all others; those in use are fetched again.
    pub(super) fn note(&mut self, known: Known) {
        self.by_id.remove(&known.id);
        if !self.weighed.have_room(self.by_id.values().map(|known| &known.schema), &known.schema) {
            self.by_id.clear();
        }
        self.by_id.insert(known.id, known);
    }

    /// Forgets all schemas.
    pub(super) fn clear(&mut self) {
        self.by_id.clear();
        self.last = None;
    }

    /// Returns the id of the schema used last, if it is stored.
    pub(super) fn last(&self) -> Option<SchemaId> {
        self.last.as_ref().map(|known| known.id)
    }

    /// Returns the schema of `id`, if it is stored.
    pub(super) fn get(&mut self, id: SchemaId) -> Option<Known> {
        if self.last.as_ref().is_none_or(|known| known.id != id) {
            self.last = Some(self.by_id.get(&id)?.clone());
        }
        self.last.clone()
    }
}

#[cfg(test)]
mod tests;
