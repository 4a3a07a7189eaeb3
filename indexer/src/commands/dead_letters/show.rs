//! `dead-letters show`: shows one letter in full.

use std::fmt;
use std::ops::ControlFlow;

use registry::SchemaRegistry;
use registry::wire::{self, SchemaId};
use serde::Serialize;
use serde_json::value::RawValue;

use super::DeadLetterError;
use super::letter::{Kind, Letter};
use super::marks::{LetterState, Marks, is_mark};
use crate::commands::log::{LogReader, Part};
use crate::commands::plain::{bytes, plain};
use crate::commands::position::RecordPosition;
use crate::commands::times;
use crate::config::Config;
use crate::document::{self, Rules};
use crate::elasticsearch::server::Server;

/// The most bytes of a payload that are shown in hexadecimal.
const MAX_HEX: usize = 64 * 1024;

/// A letter as it is shown.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// The position of the letter.
    pub letter: RecordPosition,
    /// The kind of the letter.
    pub kind: Kind,
    /// The state of the letter.
    pub state: LetterState,
    /// When it was written.
    pub written: Option<String>,
    /// The error type, a short word.
    pub error_type: String,
    /// The reason in words.
    pub reason: String,
    /// The record's key, as text or in hexadecimal.
    pub key: Option<String>,
    /// All headers, in their order.
    pub headers: Vec<(String, Option<String>)>,
    /// The event.
    pub payload: Payload,
}

/// The event of a letter.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Payload {
    /// Its schema can decode it: the document that it would become.
    Json(Box<RawValue>),
    /// It cannot be decoded.
    Hex {
        /// Its bytes in hexadecimal.
        hex: String,
        /// The number of bytes.
        bytes: usize,
        /// Why it cannot be decoded.
        why: String,
    },
    /// The letter lacks it, because it was larger than the dead-letter topic accepts.
    Omitted,
}

/// Reads the letter at `at`.
///
/// # Errors
/// If there is no letter, or the topic cannot be read.
pub(super) fn find(
    reader: &LogReader,
    kind: Kind,
    at: &RecordPosition,
) -> Result<(Letter, LetterState), DeadLetterError> {
    let parts = reader.parts(&at.topic)?;
    let whole = parts.iter().find(|part| part.partition == at.partition);
    let whole = whole
        .filter(|part| (part.from..part.to).contains(&at.offset))
        .ok_or_else(|| DeadLetterError::NoLetter(at.clone()))?;
    let marks = Marks::read(reader, &at.topic, &[Part { from: at.offset, ..*whole }])?;
    let mut found = None;
    let one = [Part { from: at.offset, to: at.offset + 1, ..*whole }];
    reader.scan::<DeadLetterError>(&at.topic, &one, |record| {
        found = (!is_mark(record)).then(|| Letter::of(&at.topic, kind, record));
        Ok(ControlFlow::Break(()))
    })?;
    let letter = found.ok_or_else(|| DeadLetterError::NoLetter(at.clone()))?;
    Ok((letter, marks.state(at.partition, at.offset)))
}

/// Prepares `letter` for display. Its payload is decoded by the schema that it names, with today's rules.
pub(super) async fn show(config: &Config, registry: &SchemaRegistry, letter: &Letter, state: LetterState) -> Shown {
    Shown {
        letter: letter.at.clone(),
        kind: letter.kind,
        state,
        written: letter.written.map(times::text),
        error_type: letter.error_type().to_owned(),
        reason: letter.reason().to_owned(),
        key: letter.key.as_deref().map(bytes),
        headers: letter.headers.iter().map(|(name, value)| (name.clone(), value.as_deref().map(bytes))).collect(),
        payload: payload(config, registry, letter).await,
    }
}

async fn payload(config: &Config, registry: &SchemaRegistry, letter: &Letter) -> Payload {
    let Some(value) = letter.value.as_deref() else { return Payload::Omitted };
    let why = match json(config, registry, letter, value).await {
        Ok(json) => return Payload::Json(json),
        Err(why) => why,
    };
    if hides_values(config) {
        let why = format!("{why}; its bytes are not shown, since elasticsearch.documents.fields hides values");
        return Payload::Hex { hex: String::new(), bytes: value.len(), why };
    }
    Payload::Hex { hex: hex::encode(&value[..value.len().min(MAX_HEX)]), bytes: value.len(), why }
}

/// Returns whether any topic hides the values of a field. Rules that cannot be read may hide some.
fn hides_values(config: &Config) -> bool {
    let hides = |topic: &Config| topic.elasticsearch.documents.field_rules().map(|rules| rules.hides_values());
    config.of_topics().iter().any(|topic| hides(topic).unwrap_or(true))
}

/// Returns the config of the topic that `letter` came from. A body in the quarantine has no topic, and is shown by
/// the rules of the only topic.
fn config_of(config: &Config, letter: &Letter) -> Result<Config, String> {
    let mut topics = config.of_topics();
    let own = topics.iter().position(|topic| letter.origin_topic() == Some(&topic.kafka.topic));
    match own.or((topics.len() == 1).then_some(0)) {
        Some(own) => Ok(topics.swap_remove(own)),
        None if hides_values(config) => Err("its topic is not in the config, so its rules are unknown".to_owned()),
        None => Ok(config.clone()),
    }
}

async fn json(
    config: &Config,
    registry: &SchemaRegistry,
    letter: &Letter,
    value: &[u8],
) -> Result<Box<RawValue>, String> {
    let named = ["q.x-schema-id", "q.schema-id"].iter().find_map(|name| letter.header(name)?.parse().ok());
    let (id, datum) = match (wire::unframe(value), named) {
        (Ok(framed), _) => framed,
        // A bare datum in the quarantine.
        (Err(_), Some(id)) => (SchemaId(id), value),
        (Err(error), None) => return Err(error.to_string()),
    };
    let config = config_of(config, letter)?;
    let rules = config.elasticsearch.documents.field_rules().map_err(|error| error.to_string())?;
    let schema = registry.by_id(id).await.map_err(|error| error.to_string())?;
    let schema = schema.with_rules(&rules).map_err(|error| error.to_string())?.schema;
    let timestamp = letter.first().and_then(|first| first.timestamp).or(letter.written);
    let mut document = Vec::new();
    document::write_document(&schema, datum, Rules::of(&config).on(None::<Server>), timestamp, &mut document)
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8(document).map_err(|error| error.to_string())?;
    RawValue::from_string(text.trim_end().to_owned()).map_err(|error| error.to_string())
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            LetterState::Open => "open",
            LetterState::Redriven => "redriven",
            LetterState::Dropped => "dropped",
        };
        writeln!(f, "{}: {state}, written {}", self.letter, self.written.as_deref().unwrap_or("at an unknown time"))?;
        writeln!(f, "  {}: {}", plain(&self.error_type), plain(&self.reason))?;
        writeln!(f, "  key: {}", plain(self.key.as_deref().unwrap_or("(none)")))?;
        for (name, value) in &self.headers {
            writeln!(f, "  {}: {}", plain(name), plain(value.as_deref().unwrap_or("(null)")))?;
        }
        match &self.payload {
            Payload::Json(json) => write!(f, "  payload: {}", plain(json.get())),
            Payload::Hex { hex, bytes, why } => {
                write!(f, "  payload: {bytes} bytes that cannot be read ({}): {hex}", plain(why))
            }
            Payload::Omitted => {
                write!(f, "  payload: none; it was too large for this topic: see dl.topic, dl.partition and dl.offset")
            }
        }
    }
}
