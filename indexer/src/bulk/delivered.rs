//! What became of a batch: how many documents were written, and those that are refused or set aside.

use super::work::SetAside;

/// What became of a batch.
#[derive(Debug, Default)]
pub struct Delivered {
    /// Documents that were written.
    pub indexed: u64,
    /// Documents that were there already, under the same id.
    pub duplicates: u64,
    /// Documents that Elasticsearch will never take.
    pub refused: Vec<Refused>,
    /// Documents that are refused, and it is not known what is at fault: `Bulk::single_out` them.
    pub set_aside: Vec<SetAside>,
}

/// A document that Elasticsearch will never take.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The item's index in `Batch::items`.
    pub item: usize,
    /// The status of the item's answer.
    pub status: u16,
    /// Elasticsearch's `error.type`.
    pub error_type: String,
    /// Elasticsearch's `error.reason`, capped.
    pub reason: String,
    /// How many times it was sent.
    pub attempts: u32,
}
