//! One dead letter as a Kafka record, and what of it can be left out.

use std::fmt;

use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::FutureRecord;

use crate::batch::{Batch, Origin};
use crate::message::record::Headers;

/// The longest reason that is kept, in bytes.
const MAX_REASON: usize = 1_024;
/// What the names of our own headers begin with. The record has headers of such names if it was a dead letter before:
/// they are replaced.
const PREFIX: &str = "dl.";

/// One record and what happened to it.
pub(super) struct DeadLetter<'a> {
    pub(super) origin: &'a Origin,
    pub(super) stage: &'static str,
    pub(super) error_type: &'a str,
    pub(super) reason: &'a str,
    pub(super) http_status: Option<u16>,
    pub(super) schema: Option<u32>,
    pub(super) attempts: u32,
    /// Milliseconds since the Unix epoch.
    pub(super) first_seen: u128,
}

/// What of a record its letter goes without, because it would be larger than the dead-letter topic takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Omitted {
    value: bool,
    key: bool,
    headers: bool,
}

impl fmt::Display for Omitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [("value", self.value), ("key", self.key), ("headers", self.headers)];
        let omitted = parts.iter().filter(|(_, is_omitted)| *is_omitted).map(|(part, _)| *part);
        f.write_str(&omitted.collect::<Vec<_>>().join(","))
    }
}

impl DeadLetter<'_> {
    /// Returns about how many bytes it takes on its way.
    pub(super) fn len(&self) -> usize {
        let key = self.origin.key.as_ref().map_or(0, |key| key.len());
        key + self.origin.value.len() + self.origin.headers.len() + MAX_REASON
    }

    /// What to leave out besides `omitted`: the larger one of value and key, then the other, then the record's own
    /// headers. None when nothing more can be left out.
    pub(super) fn omit_more(&self, omitted: Omitted) -> Option<Omitted> {
        let key = self.origin.key.as_ref().map_or(0, |key| key.len());
        let is_key_next = omitted.value || key > self.origin.value.len();
        match omitted {
            Omitted { value: true, key: true, headers: true } => None,
            Omitted { value: true, key: true, .. } => Some(Omitted { headers: true, ..omitted }),
            Omitted { key: false, .. } if is_key_next => Some(Omitted { key: true, ..omitted }),
            _ => Some(Omitted { value: true, ..omitted }),
        }
    }

    /// Returns the letter for `to`, of the record in `batch` that was read from `topic`, without what is `omitted`.
    pub(super) fn record<'a>(
        &self,
        to: &'a str,
        topic: &str,
        batch: &'a Batch,
        omitted: Omitted,
    ) -> FutureRecord<'a, [u8], [u8]> {
        let key = self.origin.key.clone().map(|key| &batch.raw[key]);
        let value = &batch.raw[self.origin.value.clone()];
        let own = &batch.raw[self.origin.headers.clone()];
        let mut headers = self.headers(topic);
        let mut record: FutureRecord<'_, [u8], [u8]> = FutureRecord::to(to);
        if omitted.value {
            headers = insert(headers, "dl.value-omitted", &value.len().to_string());
        } else {
            record.payload = Some(value);
        }
        match key {
            Some(key) if omitted.key => {
                headers = insert(headers, "dl.key-omitted", &key.len().to_string());
            }
            key => record.key = key,
        }
        if omitted.headers {
            headers = insert(headers, "dl.headers-omitted", &own.len().to_string());
        } else {
            for (key, value) in Headers::from_bytes(own).filter(|(name, _)| !name.starts_with(PREFIX)) {
                headers = headers.insert(Header { key, value });
            }
        }
        record.headers(headers)
    }

    fn headers(&self, topic: &str) -> OwnedHeaders {
        let origin = self.origin;
        let mut headers = OwnedHeaders::new_with_capacity(16);
        let mut add = |key: &str, value: &str| headers = insert(std::mem::take(&mut headers), key, value);
        add("dl.stage", self.stage);
        add("dl.error-type", self.error_type);
        add("dl.reason", capped(self.reason));
        add("dl.topic", topic);
        add("dl.partition", &origin.partition.to_string());
        add("dl.offset", &origin.offset.to_string());
        add("dl.attempts", &self.attempts.to_string());
        add("dl.first-seen", &self.first_seen.to_string());
        if let Some(timestamp) = origin.timestamp {
            add("dl.timestamp", &timestamp.to_string());
        }
        if let Some(status) = self.http_status {
            add("dl.http-status", &status.to_string());
        }
        if let Some(schema) = self.schema {
            add("dl.schema-id", &schema.to_string());
        }
        headers
    }
}

fn insert(headers: OwnedHeaders, key: &str, value: &str) -> OwnedHeaders {
    headers.insert(Header { key, value: Some(value) })
}

/// Returns the first bytes of `reason`, cut where a character ends.
fn capped(reason: &str) -> &str {
    &reason[..reason.floor_char_boundary(MAX_REASON)]
}
