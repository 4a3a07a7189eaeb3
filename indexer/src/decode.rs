//! Turns a record into a document in the current batch, or returns why that is not possible. Reads no clock and waits
//! for nothing: the caller fetches schemas that are not in memory.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use avro::{DecodeError, FieldPath, Schema};
use config::ConfigError;
use registry::wire::{self, SchemaId};

use crate::backing::Placer;
use crate::batch::BatchBuilder;
use crate::config::{Config, OnDuplicate};
use crate::document;
use crate::elasticsearch::server::Server;
use crate::fields::Fields;
use crate::message::record::{First, Record};
use crate::message::target::{NoPlacement, Route};
use crate::metrics::{Metrics, PlacementMetrics};
use crate::placement::router::Router;
use crate::placement::times::Times;
use schemas::{Known, Schemas};

pub use missing::Missing;

mod missing;
mod schemas;

/// How many schema ids are remembered as unusable. When there are more, all are forgotten and requested again.
const MAX_MISSING: usize = 1_024;

/// The outcome of decoding a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// The record is a document in the batch.
    Document,
    /// The record is a tombstone or is not wanted: there is nothing to index.
    Tombstone,
    /// The record cannot become a document: it is a dead letter in the batch.
    Undecodable,
    /// The record's schema is unknown: fetch it and decode again. The batch is unchanged.
    SchemaUnknown(SchemaId),
    /// The table of backing indices of this index set is too old for this placement time: read it again and decode
    /// again. The batch is unchanged.
    TableTooOld(Route, i64),
    /// The record's index is deleted, and the config says to skip it: the offset moves past it.
    Expired,
}

/// Why a record did not become a document.
enum NoDocument {
    Undecodable(DecodeError),
    Unplaced(NoPlacement, Route, i64),
}

/// Decodes records of one topic.
#[derive(Debug)]
pub struct Decoder {
    topic: String,
    schemas: Schemas,
    rules: document::Rules,
    fields: Fields,
    on_duplicate: OnDuplicate,
    time_field: String,
    /// Whether that field is hidden.
    hides_time: bool,
    /// The newest schema, until [`Fields::watch_key`] has checked one of its events.
    unwatched: Option<SchemaId>,
    times: Times,
    /// `None` if all documents go to one index set.
    router: Option<Router>,
    placer: Placer,
    metrics: PlacementMetrics,
    missing: HashMap<SchemaId, Missing>,
    /// The ids of the wanted documents; `None` means all.
    only: Option<HashSet<String>>,
}

impl Decoder {
    /// Creates a decoder for the records of `kafka.topic`, which `placer` assigns to indices.
    ///
    /// # Errors
    /// If `elasticsearch.documents.fields` or its secret cannot be used.
    pub fn new(config: &Config, placer: Placer, metrics: &Metrics) -> Result<Self, ConfigError> {
        let fields = Fields::new(config, metrics)?;
        let metrics = metrics.placement.clone();
        let time_field = &config.elasticsearch.placement.time_field;
        Ok(Self {
            topic: config.kafka.topic.clone(),
            schemas: Schemas::new(&config.schema_registry),
            rules: document::Rules::of(config),
            hides_time: fields.hides(time_field),
            unwatched: None,
            on_duplicate: config.elasticsearch.on_duplicate,
            time_field: time_field.clone(),
            times: Times::new(&config.kafka.topic, &config.elasticsearch, fields.hides(time_field), &metrics),
            router: Router::new(&config.kafka.topic, &config.elasticsearch, &metrics),
            fields,
            placer,
            metrics,
            missing: HashMap::new(),
            only: None,
        })
    }

    /// Limits the decoder to records whose document id or key is in `ids`. If `ids` is empty, all records are
    /// decoded.
    #[must_use]
    pub fn only(self, ids: HashSet<String>) -> Self {
        Self { only: (!ids.is_empty()).then_some(ids), ..self }
    }

    /// Writes documents in the form that `server` accepts.
    #[must_use]
    pub fn for_server(self, server: Option<Server>) -> Self {
        Self { rules: self.rules.on(server), ..self }
    }

    /// Adds the schema of `id`, whose fields the index has. Records that name it become documents from now on. When
    /// there is no more room, all others are forgotten; those in use are fetched again.
    pub fn note_schema(&mut self, id: SchemaId, schema: Arc<Schema>) {
        let schema = match self.fields.apply(id, schema) {
            Ok(schema) => schema,
            Err(error) => {
                let reason = format!("elasticsearch.documents.fields: {error}");
                return self.note_missing(id, Missing { error_type: "field-rules", reason });
            }
        };
        let time = self.placer.wants_event_time().then(|| schema.time_field(&self.time_field));
        let time = time.and_then(|field| field.inspect_err(|why| self.times.note_missing(id, why)).ok());
        let route = self
            .router
            .as_ref()
            .and_then(|router| schema.route_field(router.field()).inspect_err(|why| router.note_missing(id, why)).ok());
        self.unwatched = Some(id);
        let (has_time, has_route) = (time.is_some(), route.is_some());
        let wanted = FieldPath::both(time, route).map(Arc::new);
        self.schemas.note(Known { id, schema, has_time, has_route, wanted });
    }

    /// Notes that `id` has no usable schema. Records that name it become dead letters until
    /// [`Decoder::forget_missing`].
    pub fn note_missing(&mut self, id: SchemaId, missing: Missing) {
        if self.missing.len() >= MAX_MISSING {
            self.missing.clear();
        }
        self.missing.insert(id, missing);
    }

    /// Forgets which ids have no schema, so that they are requested again.
    pub fn forget_missing(&mut self) {
        self.missing.clear();
    }

    /// Forgets all schemas, so that they are requested again: the registry may have given their ids to others.
    pub fn forget_schemas(&mut self) {
        self.schemas.clear();
        self.missing.clear();
    }

    /// Returns the id of the schema used last, if there is one.
    pub fn last_schema(&self) -> Option<SchemaId> {
        self.schemas.last()
    }

    /// Turns `record` into a document and appends it to `batch`. A redriven record keeps the time of its first
    /// writing.
    pub fn decode(&mut self, record: &Record<'_>, batch: &mut BatchBuilder) -> Decoded {
        let record = &Record { timestamp: First::of(&self.topic, record).timestamp, ..*record };
        let Some(value) = record.value.filter(|_| self.wants(record)) else {
            batch.skip(record);
            return Decoded::Tombstone;
        };
        let (id, datum) = match wire::unframe(value) {
            Ok(framed) => framed,
            Err(error) => {
                batch.refuse(record, None, "not-framed", error.to_string());
                return Decoded::Undecodable;
            }
        };
        let Some(known) = self.schemas.get(id) else {
            return self.without_schema(id, record, batch);
        };
        if self.unwatched == Some(id) {
            self.unwatched = None;
            self.fields.watch_key(&known.schema, datum, self.rules.limits, record.key);
        }
        match self.append(&known, datum, record, batch) {
            Ok(()) => Decoded::Document,
            Err(NoDocument::Undecodable(error)) => {
                batch.refuse(record, Some(id), error.code(), error.to_string());
                Decoded::Undecodable
            }
            Err(NoDocument::Unplaced(why, route, time)) => {
                self.without_placement(why, (route, time), id, record, batch)
            }
        }
    }

    fn wants(&self, record: &Record<'_>) -> bool {
        let Some(only) = &self.only else { return true };
        let key = record.key.and_then(|key| std::str::from_utf8(key).ok());
        key.is_some_and(|key| only.contains(key)) || only.contains(&document::id_of(&self.topic, record))
    }

    fn append(
        &mut self,
        known: &Known,
        datum: &[u8],
        record: &Record<'_>,
        batch: &mut BatchBuilder,
    ) -> Result<(), NoDocument> {
        let (topic, rules, on_duplicate, placer) = (&self.topic, self.rules, self.on_duplicate, &mut self.placer);
        let (times, router) = (&mut self.times, &self.router);
        batch.append(record, known.id, |draft| {
            let start = draft.body.len();
            document::write_action(topic, record, on_duplicate, draft.body);
            let wanted = known.wanted.as_deref();
            let found =
                document::write_document_and_find(&known.schema, datum, rules, record.timestamp, wanted, draft.body)
                    .map_err(NoDocument::Undecodable)?;
            let routed = router.as_ref().map(|router| router.route(known.has_route, found.route.as_ref()));
            let route = routed.map_or_else(Route::default, |(route, _)| route);
            let time = placer.time(found.time, record.timestamp);
            let target = placer.place(route, time).map_err(|why| NoDocument::Unplaced(why, route, time))?;
            if draft.set_target(target, time) {
                document::name_index(start, &target.index, draft.body);
            }
            times.note(placer.source(known.has_time, found.time, record.timestamp), found.time);
            if let (Some(router), Some((_, reason))) = (router, routed) {
                router.note(reason);
            }
            Ok(())
        })
    }

    fn without_placement(
        &mut self,
        why: NoPlacement,
        (route, time): (Route, i64),
        id: SchemaId,
        record: &Record<'_>,
        batch: &mut BatchBuilder,
    ) -> Decoded {
        let (error_type, reason) = match why {
            NoPlacement::NotYet => return Decoded::TableTooOld(route, time),
            NoPlacement::Skip => {
                self.metrics.placements.with_label_values(&[self.topic.as_str(), "skipped"]).inc();
                batch.skip(record);
                return Decoded::Expired;
            }
            NoPlacement::DeadLetter => {
                ("expired", "it is older than the oldest backing index (elasticsearch.placement.expired)")
            }
            NoPlacement::Future => (
                "in-the-future",
                "its timestamps are further ahead than elasticsearch.placement.max_ahead: a clock is wrong",
            ),
        };
        self.metrics.placements.with_label_values(&[self.topic.as_str(), "dead_letter"]).inc();
        let time = if self.hides_time { "hidden".to_owned() } else { time.to_string() };
        batch.refuse(record, Some(id), error_type, format!("placement time {time}: {reason}"));
        Decoded::Undecodable
    }

    fn without_schema(&self, id: SchemaId, record: &Record<'_>, batch: &mut BatchBuilder) -> Decoded {
        match self.missing.get(&id) {
            None => Decoded::SchemaUnknown(id),
            Some(missing) => {
                batch.refuse(record, Some(id), missing.error_type, missing.reason.clone());
                Decoded::Undecodable
            }
        }
    }
}
