//! Reports id conflicts, in the log and in the dead letters.

use std::time::Instant;

use service::budget::MinuteLog;

use super::verdict::Suspect;
use crate::batch::Batch;
use crate::bulk::outcome::Refusal;
use crate::document;
use crate::metrics::VerifyMetrics;

/// The `error_type` of the dead letter.
const ID_CONFLICT: &str = "id-conflict";
/// The most bytes of a stored `_ingested_at` that a message shows; our own has 24.
const MAX_SHOWN: usize = 40;

/// Documents whose id belongs to another event, with the `_ingested_at` of the stored document.
pub(in crate::bulk) type Conflicts = Vec<(Suspect, Option<String>)>;

/// Reports the id conflicts of one topic.
#[derive(Debug)]
pub(super) struct ConflictReport {
    topic: String,
    metrics: VerifyMetrics,
    lines: MinuteLog,
}

impl ConflictReport {
    /// Creates the report for `topic`.
    pub(super) fn new(topic: &str, metrics: &VerifyMetrics) -> Self {
        Self { topic: topic.to_owned(), metrics: metrics.clone(), lines: MinuteLog::default() }
    }

    /// Counts the `conflicts` of `batch`, and logs them unless conflicts were logged within the interval.
    pub(super) fn report(&self, batch: &Batch, conflicts: &Conflicts) {
        let Some((first, _)) = conflicts.first() else { return };
        let count = conflicts.len() as u64;
        self.metrics.conflicts.with_label_values(&[&self.topic]).inc_by(count);
        let Some(conflicts) = self.lines.take(count, Instant::now()) else { return };
        let origin = &batch.items[first.item].origin;
        tracing::error!(
            topic = self.topic,
            conflicts,
            partition = origin.partition.0,
            offset = origin.offset.0,
            request_id = batch.request_id(origin),
            index = %first.index,
            "Events have the id of another event that is already indexed; they become dead letters (id-conflict). \
             See \"The scope of an id\" in docs/ids.md. This is logged at most once a minute."
        );
    }

    /// Returns the refusal of the document of `suspect`. It names both events but no field values.
    pub(super) fn refusal(&self, batch: &Batch, suspect: &Suspect, ingested_at: Option<&str>) -> Refusal {
        let item = &batch.items[suspect.item];
        let origin = &item.origin;
        let id = String::from_utf8_lossy(document::id_in(&batch.body[item.body.clone()]));
        let timestamp = origin.timestamp.map_or_else(|| "no timestamp".to_owned(), timestamp);
        let ingested_at = ingested_at.map_or("no _ingested_at", |at| &at[..at.floor_char_boundary(MAX_SHOWN)]);
        let reason = format!(
            "the record {}-{}@{} of {timestamp} and the document {id} in {} of {ingested_at} are two events with one \
             id; see \"The scope of an id\" in docs/ids.md",
            self.topic, origin.partition, origin.offset, suspect.index,
        );
        Refusal { status: 409, error_type: ID_CONFLICT.to_owned(), reason }
    }
}

fn timestamp(millis: i64) -> String {
    let mut json = Vec::with_capacity(32);
    avro::write_timestamp_millis(millis, &mut json);
    String::from_utf8_lossy(&json).trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests;
