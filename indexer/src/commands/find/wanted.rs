//! Decides whether a record or a letter belongs to the wanted event. Pure.

use crate::commands::dead_letters::letter::Letter;
use crate::document::id_of;
use crate::message::record::{First, Headers, Record};
use kafka::headers::HEADER_REQUEST_ID;

/// What an operator knows of the event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The `_id` of its document, or the event's own id.
    Id(String),
    /// The key of its record.
    Key(String),
    /// The id of the request that brought it.
    Request(String),
}

impl Wanted {
    /// Returns whether `record` of `topic` belongs to the event.
    pub(super) fn is_record(&self, topic: &str, record: &Record<'_>) -> bool {
        match self {
            Self::Id(id) => record.key == Some(id.as_bytes()) || id_of(topic, record) == *id,
            Self::Key(key) => record.key == Some(key.as_bytes()),
            Self::Request(request) => record.headers.get(HEADER_REQUEST_ID) == Some(request.as_bytes()),
        }
    }

    /// Returns whether `letter` belongs to the event.
    pub(super) fn is_letter(&self, letter: &Letter) -> bool {
        let has_key = |key: &String| letter.key_text().as_ref() == Some(key);
        match self {
            Self::Id(id) => has_key(id) || letter_id(letter).as_ref() == Some(id),
            Self::Key(key) => has_key(key),
            Self::Request(request) => letter.request_id() == Some(request),
        }
    }

    /// Returns the keys that its record may have: the text itself, and the part after the scope of a qualified id.
    pub(super) fn keys(&self) -> Vec<&str> {
        match self {
            Self::Id(id) => [Some(id.as_str()), id.split_once(':').map(|(_, key)| key)].into_iter().flatten().collect(),
            Self::Key(key) => vec![key],
            Self::Request(_) => Vec::new(),
        }
    }

    /// Returns the position of its record, if its id is that of an event without a key in `topic`.
    pub(super) fn position(&self, topic: &str) -> Option<First> {
        let Self::Id(id) = self else { return None };
        let rest = id.strip_prefix(topic)?.strip_prefix('-')?;
        let mut parts = rest.splitn(3, '-');
        let (partition, offset) = (parts.next()?, parts.next()?);
        let timestamp = parts.next().unwrap_or("-");
        First::parse(topic, format!("{topic}:{partition}:{offset}:{timestamp}").as_bytes())
    }
}

/// Returns the `_id` of the document of the record of `letter`, or `None` for a body in the quarantine.
pub(super) fn letter_id(letter: &Letter) -> Option<String> {
    let (position, first) = (letter.record_position()?, letter.first()?);
    let headers: Vec<(&str, Option<&[u8]>)> = letter.record_headers().collect();
    let headers = crate::message::record::headers::in_one_piece(&headers);
    let record = Record {
        partition: first.partition,
        offset: first.offset,
        timestamp: first.timestamp,
        key: letter.key.as_deref(),
        value: None,
        headers: Headers::from_bytes(&headers),
    };
    Some(id_of(&position.topic, &record))
}

#[cfg(test)]
mod tests;
