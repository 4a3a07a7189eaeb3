//! A batch: one bulk request's worth of records, and all that is needed to settle them.

use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use kafka::headers::{HEADER_REDRIVE_ORIGIN, HEADER_REQUEST_ID};
use kafka::position::{Offset, Partition};
use registry::wire::SchemaId;

use crate::document;
use crate::message::progress::{BatchId, Progress};
use crate::message::record::Headers;
use crate::message::target::{Age, Route, Target};

pub use builder::{BatchBuilder, Draft};

mod builder;

/// The longest id of a request that is shown, in bytes.
const MAX_REQUEST_ID: usize = 256;

/// One bulk request's worth of records.
#[derive(Debug)]
pub struct Batch {
    /// Which one.
    pub id: BatchId,
    /// The bulk body: for each item its action line and its document line, without gaps.
    pub body: Bytes,
    /// The documents, in the body's order.
    pub items: Vec<Item>,
    /// The indices that the documents are sent to. The action lines of those for the first one of an index set do not
    /// name it: the request does.
    pub targets: Vec<Target>,
    /// Keys, values and headers of the records as they were consumed, which a dead letter must hold unchanged.
    pub raw: Bytes,
    /// Records that could not be decoded and go to the dead-letter topic.
    pub undecodable: Vec<Undecodable>,
    /// How far each partition gets when all of the batch is settled.
    pub progress: Vec<Progress>,
}

/// A record's own coordinates and bytes.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The partition.
    pub partition: Partition,
    /// The offset.
    pub offset: Offset,
    /// The record's timestamp in milliseconds since the Unix epoch, if its format has one.
    pub timestamp: Option<i64>,
    /// Where the key stands in [`Batch::raw`], if there is one.
    pub key: Option<Range<usize>>,
    /// Where the headers stand in [`Batch::raw`], as [`Headers`].
    pub headers: Range<usize>,
    /// Where the value stands in [`Batch::raw`].
    pub value: Range<usize>,
}

/// One document of a batch.
#[derive(Clone, Debug)]
pub struct Item {
    /// The record it was made of.
    pub origin: Origin,
    /// Where its action line and document line stand in [`Batch::body`].
    pub body: Range<usize>,
    /// The schema it was written with.
    pub schema: SchemaId,
    /// Which of [`Batch::targets`] it is sent to.
    pub target: u32,
    /// Its placement time, in milliseconds since the Unix epoch.
    pub time: i64,
}

/// A record that no document can be made of.
#[derive(Clone, Debug)]
pub struct Undecodable {
    /// The record.
    pub origin: Origin,
    /// The schema id its frame names, if it has a frame.
    pub schema: Option<SchemaId>,
    /// The kind of failure, a short fixed word.
    pub error_type: &'static str,
    /// What is wrong, for people.
    pub reason: String,
}

impl Batch {
    /// A batch of `item` alone, which goes to `index`. It has a copy of its bytes, so that the others can be let go of,
    /// and no progress.
    pub fn only(&self, item: usize, index: Arc<str>) -> Self {
        let Item { origin, body, schema, time, target } = &self.items[item];
        let route = self.targets.get(*target as usize).map_or_else(Route::default, |target| target.route);
        let mut raw = BytesMut::new();
        let mut keep = |range: Range<usize>| {
            let start = raw.len();
            raw.extend_from_slice(&self.raw[range]);
            start..raw.len()
        };
        let origin = Origin {
            key: origin.key.clone().map(&mut keep),
            headers: keep(origin.headers.clone()),
            value: keep(origin.value.clone()),
            ..origin.clone()
        };
        let mut lines = BytesMut::with_capacity(body.len());
        document::rename(&self.body[body.clone()], None, &mut lines);
        Self {
            id: self.id,
            items: vec![Item { origin, body: 0..lines.len(), schema: *schema, target: 0, time: *time }],
            body: lines.freeze(),
            targets: vec![Target { index, route, look_up: false, age: Age::Current }],
            raw: raw.freeze(),
            undecodable: Vec::new(),
            progress: Vec::new(),
        }
    }

    /// A batch of those `items`, with no progress. It shares the bytes of this one.
    pub fn some(&self, items: impl Iterator<Item = usize>) -> Self {
        Self {
            id: self.id,
            body: self.body.clone(),
            items: items.map(|item| self.items[item].clone()).collect(),
            targets: self.targets.clone(),
            raw: self.raw.clone(),
            undecodable: Vec::new(),
            progress: Vec::new(),
        }
    }

    /// Returns the documents of the index set `route`, as a batch with no progress that shares the bytes of this one,
    /// and the number of each in this one.
    pub fn part(&self, route: Route) -> (Self, Vec<usize>) {
        let mut numbers = vec![None; self.targets.len()];
        let mut targets = Vec::new();
        for (number, target) in numbers.iter_mut().zip(&self.targets).filter(|(_, target)| target.route == route) {
            *number = u32::try_from(targets.len()).ok();
            targets.push(target.clone());
        }
        let (mut items, mut originals) = (Vec::new(), Vec::new());
        for (original, item) in self.items.iter().enumerate() {
            if let Some(target) = numbers.get(item.target as usize).copied().flatten() {
                items.push(Item { target, ..item.clone() });
                originals.push(original);
            }
        }
        let (body, raw) = (self.body.clone(), self.raw.clone());
        let part = Self { id: self.id, body, items, targets, raw, undecodable: Vec::new(), progress: Vec::new() };
        (part, originals)
    }

    /// Returns the id of the request that brought the record at `origin`, where its header has one that a log can
    /// show: visible ASCII.
    pub fn request_id(&self, origin: &Origin) -> Option<&str> {
        let id = std::str::from_utf8(self.header(origin, HEADER_REQUEST_ID)?).ok()?;
        let is_shown = (1..=MAX_REQUEST_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
        is_shown.then_some(id)
    }

    /// Returns whether the record at `origin` was redriven from a dead letter.
    pub fn is_redriven(&self, origin: &Origin) -> bool {
        self.header(origin, HEADER_REDRIVE_ORIGIN).is_some()
    }

    /// Returns the value of the last header `name` of the record at `origin`, if there is one.
    pub fn header(&self, origin: &Origin, name: &str) -> Option<&[u8]> {
        Headers::from_bytes(self.raw.get(origin.headers.clone()).unwrap_or_default()).get(name)
    }

    /// Bytes it holds in all: body, records and what is kept of each.
    pub fn held_bytes(&self) -> usize {
        let reasons: usize = self.undecodable.iter().map(|undecodable| undecodable.reason.len()).sum();
        self.body.len()
            + self.raw.len()
            + self.items.len() * size_of::<Item>()
            + self.undecodable.len() * size_of::<Undecodable>()
            + reasons
    }
}

#[cfg(test)]
mod tests;
