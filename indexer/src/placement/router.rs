//! Which of a topic's index sets a document goes to: by the value of a field of its event (`elasticsearch.routes`), and
//! nothing else, so that a replay finds the same one.

use std::collections::HashMap;

use avro::{FoundField, SchemaError};
use prometheus::IntCounter;
use registry::wire::SchemaId;

use crate::config::{Elasticsearch, Routes};
use crate::message::target::Route;
use crate::metrics::PlacementMetrics;

/// Routes the documents of one topic.
#[derive(Debug)]
pub struct Router {
    topic: String,
    field: String,
    to: HashMap<String, Route>,
    counters: [IntCounter; Reason::ALL.len()],
}

/// Why a document goes to its index set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The config has an index for the value.
    Value,
    /// It has none.
    Other,
    /// The value is null, or the event has another type in a union.
    Empty,
    /// The schema has no such field, or one of a type that routes nothing.
    Missing,
}

impl Reason {
    /// Every reason, for metrics.
    pub const ALL: [Self; 4] = [Self::Value, Self::Other, Self::Empty, Self::Missing];

    /// A short fixed word for metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Other => "other",
            Self::Empty => "empty",
            Self::Missing => "missing",
        }
    }
}

impl Router {
    /// Returns that of `topic` by `settings`; none where all documents go to one index set.
    pub fn new(topic: &str, settings: &Elasticsearch, metrics: &PlacementMetrics) -> Option<Self> {
        let routes = settings.routes.as_ref()?;
        let counter = |reason: Reason| metrics.routes.with_label_values(&[topic, reason.as_str()]);
        Some(Self {
            topic: topic.to_owned(),
            field: routes.field.clone(),
            to: numbered(routes, &settings.index_name),
            counters: Reason::ALL.map(counter),
        })
    }

    /// Returns the path of the field.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// Returns the index set of an event with the value `found`, and why. `has_field`: the schema has the field.
    pub fn route(&self, has_field: bool, found: Option<&FoundField<'_>>) -> (Route, Reason) {
        let Some(found) = found else {
            return (Route::default(), if has_field { Reason::Empty } else { Reason::Missing });
        };
        let route = match found {
            FoundField::Text(text) => self.to.get(&**text),
            FoundField::Integer(number) => self.to.get(itoa::Buffer::new().format(*number)),
            FoundField::Boolean(true) => self.to.get("true"),
            FoundField::Boolean(false) => self.to.get("false"),
            // No such field is looked for.
            FoundField::Millis(_) => None,
        };
        route.map_or((Route::default(), Reason::Other), |route| (*route, Reason::Value))
    }

    /// Counts a document that was routed for this `reason`.
    pub fn note(&self, reason: Reason) {
        self.counters[reason as usize].inc();
    }

    /// Notes that the schema `id` has no field to route by.
    pub fn note_missing(&self, id: SchemaId, why: &SchemaError) {
        tracing::warn!(
            topic = self.topic,
            schema_id = id.0,
            reason = %why,
            "Events of this schema have no field to route by (elasticsearch.routes.field); they go to \
             elasticsearch.index_name."
        );
    }
}

/// Says where the documents of `topic` go by `settings`, if they are routed.
pub(crate) fn announce(topic: &str, settings: &Elasticsearch) {
    let Some(routes) = &settings.routes else { return };
    tracing::info!(
        topic,
        field = routes.field,
        values = routes.to.len(),
        indices = routes.names(&settings.index_name).join(","),
        otherwise = settings.index_name,
        "Documents go to an index by the value of a field (elasticsearch.routes). One event is one document while the \
         routes stay as they are: a record that is read again after its value was given another index becomes a \
         second document there."
    );
}

/// Returns the number of the index set for each value.
fn numbered(routes: &Routes, index_name: &str) -> HashMap<String, Route> {
    let names = routes.names(index_name);
    let number = |name: &str| {
        let position = names.iter().position(|known| *known == name).and_then(|at| u16::try_from(at + 1).ok());
        position.map_or_else(Route::default, Route)
    };
    routes.to.iter().map(|(value, name)| (value.clone(), number(name))).collect()
}

#[cfg(test)]
mod tests;
