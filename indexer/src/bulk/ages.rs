//! How old events are when Elasticsearch acknowledges them.

use kafka::headers::HEADER_REDRIVE_ORIGIN;
use prometheus::Histogram;

use super::outcome::Fate;
use crate::backing::now_millis;
use crate::batch::{Batch, Item};
use crate::message::record::Headers;

/// From which age on, in milliseconds, an event is looked at: whether it was redriven. A younger one hardly was, and
/// to read all headers of all events would cost.
const MAYBE_REDRIVEN: i64 = 10_000;

/// Observes the ages of those items of `chunk` that were written, in `ages`. One lock for all of them, not one each.
/// Redriven ones do not count: they waited for a person.
pub(super) fn observe(ages: &Histogram, batch: &Batch, chunk: &[usize], fates: &[Fate]) {
    let (now, local) = (now_millis(), ages.local());
    for (item, _) in chunk.iter().zip(fates).filter(|(_, fate)| **fate == Fate::Indexed) {
        let Some(item) = batch.items.get(*item) else { continue };
        let Some(taken) = item.origin.timestamp else { continue };
        // A clock that is ahead makes nothing younger than new.
        let age = now.saturating_sub(taken).max(0);
        if age < MAYBE_REDRIVEN || !is_redriven(batch, item) {
            local.observe(age as f64 / 1_000.0);
        }
    }
    local.flush();
}

fn is_redriven(batch: &Batch, item: &Item) -> bool {
    let headers = batch.raw.get(item.origin.headers.clone()).unwrap_or_default();
    Headers::from_bytes(headers).get(HEADER_REDRIVE_ORIGIN).is_some()
}

#[cfg(test)]
mod tests;
