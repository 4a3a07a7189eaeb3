//! The result of `explain` for a record.

use std::fmt;

use kafka::headers::HEADER_ID_SCOPE;
use serde::Serialize;
use serde_json::Value;

use crate::batch::Batch;
use crate::config::{Config, Routes, Strategy};
use crate::document;
use crate::index::verdict::Verdict;
use crate::message::record::Record;
use crate::message::target::{Age, Route};

/// The state of the document's id in the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stored {
    /// Nothing is stored: the document would be written.
    Nothing,
    /// A document of the same event is stored: the record would count as a duplicate.
    Same,
    /// A document of another event is stored: the record would be a dead letter (with `keep_last` the later event
    /// stays).
    Conflict,
}

/// What happens to a record.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Explanation {
    record: String,
    id: String,
    /// The rule for the id.
    id_rule: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema_id: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<String>,
    /// The rule for the index.
    #[serde(skip_serializing_if = "Option::is_none")]
    index_rule: Option<String>,
    /// The field that chose the index set, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    route_rule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<Value>,
    /// What is stored under the id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stored: Option<Stored>,
    /// Whether the mapping accepts the document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mapping: Option<Verdict>,
    /// Why the record would be a dead letter, if Elasticsearch is not the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    dead_letter: Option<String>,
    /// Why nothing is indexed.
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<String>,
    #[serde(skip)]
    strategy: Strategy,
    #[serde(skip)]
    routes: Option<Routes>,
    #[serde(skip)]
    timestamp: Option<i64>,
    #[serde(skip)]
    time_field: String,
    /// Whether the value of that field must be hidden.
    #[serde(skip)]
    hides_time: bool,
}

impl Explanation {
    /// Creates the explanation with the facts of the record itself.
    pub(super) fn new(name: String, config: &Config, record: &Record<'_>) -> Self {
        let has_scope = record.headers.get(HEADER_ID_SCOPE).is_some_and(|scope| !scope.is_empty());
        let id_rule = match record.key {
            None | Some([]) => "topic-partition-offset-timestamp, because the record has no key",
            Some(_) if has_scope => "the header id-scope, a colon and the record's key",
            Some(_) => "the record's key",
        };
        Self {
            record: name,
            id: document::id_of(&config.kafka.topic, record),
            id_rule,
            schema_id: None,
            index: None,
            index_rule: None,
            route_rule: None,
            document: None,
            stored: None,
            mapping: None,
            dead_letter: None,
            skipped: None,
            strategy: config.elasticsearch.strategy,
            routes: config.elasticsearch.routes.clone(),
            timestamp: record.timestamp,
            time_field: config.elasticsearch.placement.time_field.clone(),
            hides_time: hides(config, &config.elasticsearch.placement.time_field),
        }
    }

    /// Notes why nothing is indexed.
    pub(super) fn skip(&mut self, why: &str) {
        self.skipped = Some(why.to_owned());
    }

    /// Notes why the only record of `batch` cannot become a document.
    pub(super) fn refuse(&mut self, batch: &Batch) {
        let Some(undecodable) = batch.undecodable.first() else { return };
        self.schema_id = undecodable.schema.map(|id| id.0);
        self.dead_letter = Some(format!("{}: {}", undecodable.error_type, undecodable.reason));
    }

    /// Notes the only document of `batch`, and its index.
    pub(super) fn describe(&mut self, batch: &Batch) {
        let Some(item) = batch.items.first() else { return };
        let lines = &batch.body[item.body.clone()];
        let line = lines.split(|byte| *byte == b'\n').nth(1).unwrap_or_default();
        self.document = serde_json::from_slice(line).ok();
        self.schema_id = Some(item.schema.0);
        let Some(target) = batch.targets.get(item.target as usize) else { return };
        self.index = Some(target.index.to_string());
        self.route_rule = self.routes.as_ref().map(|routes| route_rule(routes, target.route));
        self.index_rule = Some(self.rule(target.age, target.look_up, item.time));
    }

    fn rule(&self, age: Age, is_closed: bool, time: i64) -> String {
        let whose = if self.timestamp == Some(time) { "the record's timestamp" } else { &*self.time_field };
        let by_time = match (self.strategy, age) {
            (Strategy::Single, _) => return "single: there is one index".to_owned(),
            (Strategy::DataStream, _) => {
                return "data_stream: Elasticsearch writes to the newest backing index".to_owned();
            }
            (Strategy::Time, Age::Expired) => "time: its index is deleted, and this one receives its events",
            (Strategy::Time, _) => "time: the index is named by the placement time",
            (Strategy::Rollover, Age::Expired) => "rollover: it is older than the oldest backing index, which takes it",
            (Strategy::Rollover, _) => "rollover: the newest backing index that existed at the placement time",
        };
        let closed = if is_closed { "; it accepts no documents, so a missing one goes to the write index" } else { "" };
        let time = if self.hides_time { "hidden".to_owned() } else { time.to_string() };
        format!("{by_time}, {time} ({whose}){closed}")
    }

    /// Returns index, id and document.
    pub(super) fn parts(&self) -> (&str, &str, &Value) {
        (self.index.as_deref().unwrap_or_default(), &self.id, self.document.as_ref().unwrap_or(&Value::Null))
    }

    /// Returns whether the record would be a dead letter.
    pub(super) fn is_refused(&self) -> bool {
        let by_mapping = self.mapping.as_ref().is_some_and(Verdict::is_refusal);
        // An existing document is not written again, so the mapping does not matter.
        let is_new = self.stored != Some(Stored::Same);
        self.dead_letter.is_some() || self.stored == Some(Stored::Conflict) || (by_mapping && is_new)
    }
}

/// Returns why a document is in the index set `route`. The value may be hidden, so it is not shown.
fn route_rule(routes: &Routes, route: Route) -> String {
    let field = &routes.field;
    match route {
        Route(0) => {
            format!("elasticsearch.index_name: elasticsearch.routes names no other index for the value of {field}")
        }
        Route(_) => format!("elasticsearch.routes names this index for the value of {field}"),
    }
}

/// Returns whether a rule hides the field at `path`. An unreadable rule may.
fn hides(config: &Config, path: &str) -> bool {
    config.elasticsearch.documents.field_rules().map_or(true, |rules| rules.hides(path))
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "record    {}", self.record)?;
        writeln!(f, "_id       {} ({})", self.id, self.id_rule)?;
        if let Some(schema) = self.schema_id {
            writeln!(f, "schema    {schema}")?;
        }
        if let (Some(index), Some(rule)) = (&self.index, &self.index_rule) {
            writeln!(f, "index     {index} ({rule})")?;
        }
        if let Some(rule) = &self.route_rule {
            writeln!(f, "route     {rule}")?;
        }
        match self.stored {
            Some(Stored::Nothing) => writeln!(f, "stored    nothing: it would be written")?,
            Some(Stored::Same) => writeln!(f, "stored    the same event: it is a duplicate")?,
            Some(Stored::Conflict) => writeln!(f, "stored    another event with this id: a dead letter (id-conflict)")?,
            None => {}
        }
        if let Some(mapping) = &self.mapping {
            writeln!(f, "mapping   {mapping}")?;
        }
        if let Some(document) = &self.document {
            write!(f, "document  {document:#}")?;
        }
        if let Some(why) = &self.dead_letter {
            write!(f, "verdict   a dead letter: {why}")?;
        }
        self.skipped.as_ref().map_or(Ok(()), |why| write!(f, "verdict   not indexed: {why}"))
    }
}
