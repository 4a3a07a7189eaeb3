//! Turns a record into the two lines of the bulk body: the action with the document's id, and the document. Pure.
//!
//! The document is a function of the Kafka record alone, so that a replay writes the same bytes (P4). No clock is
//! read here.

use avro::{DecodeError, FieldPath, FoundField, JsonRules, Limits, Schema};
use bytes::BytesMut;
use kafka::headers::HEADER_ID_SCOPE;
use sha2::{Digest, Sha256};

use crate::config::{Config, OnDuplicate, Strategy, TimeUnit};
use crate::elasticsearch::server::Server;
use crate::message::record::{First, Record};
use crate::placement;

/// The longest `_id` in bytes that Elasticsearch accepts (Elasticsearch reference, "`_id` field").
const MAX_ID_BYTES: usize = 512;

/// The bits of a version that hold the offset: enough for a million records of one partition per millisecond.
const OFFSET_BITS: u32 = 20;

/// The rules for turning events into documents. They are the same for every record of a topic, so that a replay gives
/// the same bytes.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// What an event may hold.
    pub limits: Limits,
    /// How values are written.
    pub json: JsonRules,
    /// The unit of a plain number in the event's own timestamp field.
    pub time_unit: TimeUnit,
    /// Whether the record's timestamp is also written as `@timestamp`, which data streams require.
    pub at_timestamp: bool,
}

impl Rules {
    /// Returns the rules of the config.
    pub fn of(config: &Config) -> Self {
        let indexer = &config.indexer;
        Self {
            limits: Limits {
                max_depth: indexer.max_depth,
                max_items: indexer.max_items,
                max_values: indexer.max_values,
            },
            json: config.elasticsearch.documents.json(),
            time_unit: config.elasticsearch.placement.time_unit,
            at_timestamp: config.elasticsearch.strategy == Strategy::DataStream,
        }
    }

    /// Returns the rules for documents on `server`. Without a known server, documents are written for Elasticsearch.
    #[must_use]
    pub fn on(self, server: Option<Server>) -> Self {
        let pieces_in_maps = server.is_some_and(Server::is_opensearch);
        Self { json: JsonRules { pieces_in_maps, ..self.json }, ..self }
    }
}

/// Appends the action line of `record`, with the document's id.
///
/// The id is the record's key, or with a header `id-scope` its value, a colon and the key. If the id has more than
/// 512 bytes or is not UTF-8, the hexadecimal SHA-256 of its bytes is used instead. A record without a key, or with
/// an empty one, has the id `topic-partition-offset-timestamp`: in a re-created topic offsets start again, but
/// timestamps do not. A redriven record has the position of its first writing ([`First`]). The rules are in
/// `docs/ids.md`.
///
/// To keep the first event of an id, the action is `create`, so a second one is answered 409. To keep the last one,
/// it is `index` with an external version that grows with each record, so an older one is answered 409 (Elasticsearch
/// reference, "Versioning").
pub fn write_action(topic: &str, record: &Record<'_>, on_duplicate: OnDuplicate, body: &mut Vec<u8>) {
    let action: &[u8] = match on_duplicate {
        OnDuplicate::KeepFirst => br#"{"create":{"_id":"#,
        OnDuplicate::KeepLast => br#"{"index":{"_id":"#,
    };
    body.extend_from_slice(action);
    write_id(topic, record, body);
    if on_duplicate == OnDuplicate::KeepLast {
        body.extend_from_slice(br#","version":"#);
        body.extend_from_slice(itoa::Buffer::new().format(version(&First::of(topic, record))).as_bytes());
        body.extend_from_slice(br#","version_type":"external_gte""#);
    }
    body.extend_from_slice(b"}}\n");
}

/// Appends the document id of `record` of `topic` as a JSON string, by the rules of [`write_action`].
fn write_id(topic: &str, record: &Record<'_>, body: &mut Vec<u8>) {
    match record.key {
        None | Some([]) => write_position_id(topic, record, body),
        Some(key) => match record.headers.get(HEADER_ID_SCOPE) {
            None | Some([]) => write_key_id(key, body),
            Some(scope) => write_key_id(&[scope, b":", key].concat(), body),
        },
    }
}

/// Returns the document id of `record`, as in its action line.
pub fn id_of(topic: &str, record: &Record<'_>) -> String {
    let mut json = Vec::new();
    write_id(topic, record, &mut json);
    serde_json::from_slice(&json).unwrap_or_default()
}

/// The member of an action line that names the index, up to the name.
const INDEX_MEMBER: &[u8] = br#""_index":""#;

/// Returns the position of the first member in the action line at the start of `lines`: after the second brace, as in
/// `{"create":{`.
fn members_start(lines: &[u8]) -> Option<usize> {
    let mut braces = lines.iter().enumerate().filter(|(_, byte)| **byte == b'{');
    braces.nth(1).map(|(brace, _)| brace + 1)
}

/// Returns the `_id` in the action line at the start of `lines`, as a JSON string.
pub(crate) fn id_in(lines: &[u8]) -> &[u8] {
    const ID: &[u8] = br#""_id":"#;
    // Only the index may precede it, and its name contains no quote.
    let Some(at) = lines.windows(ID.len()).position(|window| window == ID) else { return br#""""# };
    let json = &lines[at + ID.len()..];
    let mut escaped = false;
    let end = json.iter().skip(1).position(|byte| {
        let is_end = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        is_end
    });
    &json[..end.map_or(json.len(), |end| end + 2)]
}

/// Inserts `index` into the action line that begins at `start` of `body` and names no index.
pub fn name_index(start: usize, index: &str, body: &mut Vec<u8>) {
    let Some(members) = body.get(start..).and_then(members_start) else { return };
    let (at, end) = (start + members, body.len());
    // Index names contain nothing that must be escaped (Elasticsearch reference, "Create index API").
    let parts: [&[u8]; 3] = [INDEX_MEMBER, index.as_bytes(), br#"","#];
    let room: usize = parts.iter().map(|part| part.len()).sum();
    body.resize(end + room, 0);
    body.copy_within(at..end, at + room);
    let mut at = at;
    for part in parts {
        body[at..at + part.len()].copy_from_slice(part);
        at += part.len();
    }
}

/// Returns the document version for the record `first`: its timestamp in milliseconds, followed by the low
/// [`OFFSET_BITS`] of its offset.
///
/// An offset alone is not enough: it restarts at 0 in a re-created topic, and is meaningless after an id has moved to
/// another partition.
fn version(first: &First) -> i64 {
    // Times before 1970 or after 2248 get the smallest or largest version.
    let millis = first.timestamp.unwrap_or(0).clamp(0, i64::MAX >> OFFSET_BITS);
    (millis << OFFSET_BITS) | (first.offset.0 & ((1 << OFFSET_BITS) - 1))
}

fn write_position_id(topic: &str, record: &Record<'_>, body: &mut Vec<u8>) {
    // Topic names consist of letters, digits, '.', '_' and '-' (Kafka's Topic.validate), so nothing must be escaped.
    body.push(b'"');
    body.extend_from_slice(topic.as_bytes());
    let First { partition, offset, timestamp } = First::of(topic, record);
    for number in [Some(i64::from(partition.0)), Some(offset.0), timestamp].into_iter().flatten() {
        body.push(b'-');
        body.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    }
    body.push(b'"');
}

fn write_key_id(key: &[u8], body: &mut Vec<u8>) {
    match std::str::from_utf8(key) {
        Ok(id) if id.len() <= MAX_ID_BYTES => avro::write_string(id, body),
        _ => {
            body.push(b'"');
            body.extend_from_slice(hex::encode(Sha256::digest(key)).as_bytes());
            body.push(b'"');
        }
    }
}

/// Appends the document line: the event's fields by `rules`, and `_ingested_at`, the record's timestamp.
///
/// # Errors
/// If `datum` does not match `schema`. `body` is then unchanged.
pub fn write_document(
    schema: &Schema,
    datum: &[u8],
    rules: Rules,
    timestamp: Option<i64>,
    body: &mut Vec<u8>,
) -> Result<(), DecodeError> {
    write_document_and_find(schema, datum, rules, timestamp, None, body).map(drop)
}

/// The fields of an event that decide where its document goes.
#[derive(Debug, Default)]
pub struct PlacementFields<'a> {
    /// Its own timestamp, in milliseconds since the Unix epoch.
    pub time: Option<i64>,
    /// The value that it is routed by.
    pub route: Option<FoundField<'a>>,
}

/// Works like [`write_document`], and returns the values of the fields of time and route that `wanted` leads to.
///
/// # Errors
/// The same as those of [`write_document`].
pub fn write_document_and_find<'a>(
    schema: &Schema,
    datum: &'a [u8],
    rules: Rules,
    timestamp: Option<i64>,
    wanted: Option<&FieldPath>,
    body: &mut Vec<u8>,
) -> Result<PlacementFields<'a>, DecodeError> {
    let start = body.len();
    body.push(b'{');
    let found = avro::write_members_and_find_both(schema, datum, rules.limits, rules.json, wanted, body);
    let [time, route] = match found {
        Ok(found) => found,
        Err(error) => {
            body.truncate(start);
            return Err(error);
        }
    };
    if let Some(millis) = timestamp {
        if body.len() > start + 1 {
            body.push(b',');
        }
        body.extend_from_slice(br#""_ingested_at":"#);
        avro::write_timestamp_millis(millis, body);
        if rules.at_timestamp {
            body.extend_from_slice(br#","@timestamp":"#);
            avro::write_timestamp_millis(millis, body);
        }
    }
    body.extend_from_slice(b"}\n");
    Ok(PlacementFields {
        time: time.as_ref().and_then(|found| placement::time::of_field(found, rules.time_unit)),
        route,
    })
}

/// Appends `lines` with another `index` in the action line, or with none.
pub(crate) fn rename(lines: &[u8], index: Option<&str>, body: &mut BytesMut) {
    let (start, mut rest) = lines.split_at(members_start(lines).unwrap_or(0));
    if let Some(named) = rest.strip_prefix(INDEX_MEMBER) {
        let end = named.iter().position(|byte| *byte == b'"').unwrap_or(0);
        // Skip the quote and the comma.
        rest = named.get(end + 2..).unwrap_or_default();
    }
    body.extend_from_slice(start);
    if let Some(index) = index {
        body.extend_from_slice(INDEX_MEMBER);
        body.extend_from_slice(index.as_bytes());
        body.extend_from_slice(b"\",");
    }
    body.extend_from_slice(rest);
}

#[cfg(test)]
mod tests;
