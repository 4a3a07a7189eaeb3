//! A dead letter as a Kafka record, and the parts that can be omitted.

use std::fmt;

use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::FutureRecord;

use crate::batch::{Batch, Origin};
use crate::message::record::Headers;

/// The longest reason that is kept, in bytes.
const MAX_REASON: usize = 1_024;
/// The prefix of our own headers. If a record already has such headers, it was a dead letter before, and they are
/// replaced.
const PREFIX: &str = "dl.";

/// A record with the reason why it became a dead letter.
pub(super) struct DeadLetter<'a> {
    pub(super) origin: &'a Origin,
    pub(super) stage: &'static str,
    pub(super) error_type: &'a str,
    pub(super) reason: &'a str,
    pub(super) http_status: Option<u16>,
    pub(super) schema: Option<u32>,
    pub(super) attempts: u32,
    /// In milliseconds since the Unix epoch.
    pub(super) first_seen: u128,
}

/// The parts of a record that its letter omits, because the dead-letter topic would not accept it whole.
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
    /// Returns its approximate size in bytes while in flight.
    pub(super) fn len(&self) -> usize {
        let key = self.origin.key.as_ref().map_or(0, |key| key.len());
        key + self.origin.value.len() + self.origin.headers.len() + MAX_REASON
    }

    /// Returns what to omit in addition to `omitted`: the larger of value and key, then the other, then the record's
    /// own headers. `None` if nothing is left to omit.
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

    /// Creates the letter for the topic `to`, from the record in `batch` that was read from `topic`, without the
    /// `omitted` parts.
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

/// Returns the beginning of `reason`, cut at a character boundary.
fn capped(reason: &str) -> &str {
    &reason[..reason.floor_char_boundary(MAX_REASON)]
}
