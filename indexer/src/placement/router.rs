//! Chooses the index set of a document by the value of a field of its event (`elasticsearch.routes`). Nothing else
//! matters, so a replay chooses the same one.

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
    /// The config has no index for the value.
    Other,
    /// The value is null, or the event has another type in a union.
    Empty,
    /// The schema has no such field, or its type cannot be routed by.
    Missing,
}

impl Reason {
    /// Every reason, for metrics.
    pub const ALL: [Self; 4] = [Self::Value, Self::Other, Self::Empty, Self::Missing];

    /// Returns a short fixed word for metrics.
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
    /// Creates the router of `topic`; `None` if all documents go to one index set.
    pub fn new(topic: &str, settings: &Elasticsearch, metrics: &PlacementMetrics) -> Option<Self> {
        let routes = settings.routes.as_ref()?;
        let counter = |reason: Reason| metrics.routes.with_label_values(&[topic, reason.as_str()]);
        Some(Self {
            topic: topic.to_owned(),
            field: routes.field.clone(),
            to: numbered(routes, &settings.index_names()),
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
            // The search does not accept such a field.
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

/// Logs where the documents of `topic` go, if they are routed.
pub(crate) fn announce(topic: &str, settings: &Elasticsearch) {
    let Some(routes) = &settings.routes else { return };
    tracing::info!(
        topic,
        field = routes.field,
        values = routes.to.len(),
        indices = settings.index_names()[1..].join(","),
        otherwise = settings.index_name,
        "Documents go to an index by the value of a field (elasticsearch.routes). One event is one document as \
         long as the routes do not change: if you assign another index to a value, records that are read again become \
         second documents there."
    );
}

/// Returns the number of the index set for each value.
fn numbered(routes: &Routes, names: &[&str]) -> HashMap<String, Route> {
    let number = |name: &String| {
        let position = names.iter().position(|known| *known == name).and_then(|at| u16::try_from(at).ok());
        position.map_or_else(Route::default, Route)
    };
    routes.to.iter().map(|(value, name)| (value.clone(), number(name))).collect()
}

#[cfg(test)]
mod tests;
