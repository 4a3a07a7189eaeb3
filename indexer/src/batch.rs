//! A batch: the records of one bulk request, with everything needed to settle them.

use std::collections::{HashMap, HashSet};
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

/// The longest request id that is logged, in bytes.
const MAX_REQUEST_ID: usize = 256;

/// The records of one bulk request.
#[derive(Debug)]
pub struct Batch {
    /// The number of the batch.
    pub id: BatchId,
    /// The bulk body: the action line and document line of each item, without gaps.
    pub body: Bytes,
    /// The documents, in the body's order.
    pub items: Vec<Item>,
    /// The indices that the documents are sent to. The action lines of those for the first one of an index set do not
    /// name it: the request does.
    pub targets: Vec<Target>,
    /// Keys, values and headers of the records as consumed. A dead letter must contain them unchanged.
    pub raw: Bytes,
    /// Records that could not be decoded and go to the dead-letter topic.
    pub undecodable: Vec<Undecodable>,
    /// How far each partition advances when the whole batch is settled.
    pub progress: Vec<Progress>,
}

/// The position and bytes of a record.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The partition.
    pub partition: Partition,
    /// The offset.
    pub offset: Offset,
    /// The record's timestamp in milliseconds since the Unix epoch, if its format has one.
    pub timestamp: Option<i64>,
    /// The range of the key in [`Batch::raw`], if there is one.
    pub key: Option<Range<usize>>,
    /// The range of the headers in [`Batch::raw`], as [`Headers`].
    pub headers: Range<usize>,
    /// The range of the value in [`Batch::raw`].
    pub value: Range<usize>,
}

/// One document of a batch.
#[derive(Clone, Debug)]
pub struct Item {
    /// The record that the document was made from.
    pub origin: Origin,
    /// The range of its action line and document line in [`Batch::body`].
    pub body: Range<usize>,
    /// The schema it was written with.
    pub schema: SchemaId,
    /// The number of its index in [`Batch::targets`].
    pub target: u32,
    /// Its placement time, in milliseconds since the Unix epoch.
    pub time: i64,
    /// Whether it was taken out of a batch with another record of its id and timestamp.
    pub is_twin: bool,
}

/// A record that cannot become a document.
#[derive(Clone, Debug)]
pub struct Undecodable {
    /// The record.
    pub origin: Origin,
    /// The schema id its frame names, if it has a frame.
    pub schema: Option<SchemaId>,
    /// The kind of failure, a short fixed word.
    pub error_type: &'static str,
    /// The problem, for people.
    pub reason: String,
}

impl Batch {
    /// Returns a batch of `item` alone, for `index`, without progress. It has a copy of the item's bytes, so that the
    /// rest can be freed.
    pub fn only(&self, item: usize, index: Arc<str>) -> Self {
        let (route, is_twin) = (self.route(item), self.is_twin(item));
        let Item { origin, body, schema, time, .. } = &self.items[item];
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
            items: vec![Item { origin, body: 0..lines.len(), schema: *schema, target: 0, time: *time, is_twin }],
            body: lines.freeze(),
            targets: vec![Target { index, route, look_up: false, age: Age::Current }],
            raw: raw.freeze(),
            undecodable: Vec::new(),
            progress: Vec::new(),
        }
    }

    /// Returns the batch with its documents to be looked up before they are sent.
    #[must_use]
    pub fn looked_up(mut self) -> Self {
        self.targets.iter_mut().for_each(|target| target.look_up = true);
        self
    }

    /// Returns a batch of `items`, without progress. It shares the bytes of this batch.
    pub fn some(&self, items: impl Iterator<Item = usize>) -> Self {
        let twins = self.twins();
        let item = |item: usize| Item { is_twin: twins.contains(&item), ..self.items[item].clone() };
        Self {
            id: self.id,
            body: self.body.clone(),
            items: items.map(item).collect(),
            targets: self.targets.clone(),
            raw: self.raw.clone(),
            undecodable: Vec::new(),
            progress: Vec::new(),
        }
    }

    /// Returns the items for which their timestamp does not prove that a stored document is theirs: they share id and
    /// timestamp with another record of this batch, or of the batch that they were taken out of, or they were redriven.
    /// A redriven dead letter may come from a request with two events of one id.
    pub fn twins(&self) -> HashSet<usize> {
        let mut seen: HashMap<(&[u8], Option<i64>), usize> = HashMap::with_capacity(self.items.len());
        let mut twins = HashSet::new();
        for (number, item) in self.items.iter().enumerate() {
            if item.is_twin || self.is_redriven(&item.origin) {
                twins.insert(number);
            }
            let id = document::id_in(&self.body[item.body.clone()]);
            if let Some(other) = seen.insert((id, item.origin.timestamp), number) {
                twins.extend([other, number]);
            }
        }
        twins
    }

    /// Returns whether `item` is one of [`Self::twins`], without a set of all ids: whole batches are taken apart one by
    /// one.
    fn is_twin(&self, item: usize) -> bool {
        let own = &self.items[item];
        let id = |of: &Item| document::id_in(&self.body[of.body.clone()]);
        let is_same = |(number, other): (usize, &Item)| {
            number != item && other.origin.timestamp == own.origin.timestamp && id(other) == id(own)
        };
        own.is_twin || self.is_redriven(&own.origin) || self.items.iter().enumerate().any(is_same)
    }

    /// Returns the index set that the document `item` goes to.
    pub fn route(&self, item: usize) -> Route {
        self.targets.get(self.items[item].target as usize).map_or_else(Route::default, |target| target.route)
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

    /// Returns the id of the request that brought the record at `origin`, if its header has one that can be logged:
    /// visible ASCII.
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

    /// Returns how many bytes it holds: body, records and the overhead of each.
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
