//! How old events are when Elasticsearch acknowledges them.

use prometheus::Histogram;

use super::outcome::Fate;
use crate::backing::now_millis;
use crate::batch::Batch;

/// The age in milliseconds from which on an event may have been redriven. The headers of younger events are not read,
/// since reading those of every event would cost time.
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
        if age < MAYBE_REDRIVEN || !batch.is_redriven(&item.origin) {
            local.observe(age as f64 / 1_000.0);
        }
    }
    local.flush();
}

#[cfg(test)]
mod tests;
