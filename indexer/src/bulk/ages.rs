//! Measures how old events are when Elasticsearch acknowledges them.

use prometheus::Histogram;

use super::outcome::Fate;
use crate::backing::now_millis;
use crate::batch::Batch;

/// The age in milliseconds from which an event may have been redriven. Headers of younger events are not read,
/// because reading the headers of every event would cost time.
const MAYBE_REDRIVEN: i64 = 10_000;

/// Observes in `ages` the ages of the items of `chunk` that were written. Takes one lock for all of them. Redriven
/// events do not count, because they waited for a person.
pub(super) fn observe(ages: &Histogram, batch: &Batch, chunk: &[usize], fates: &[Fate]) {
    let (now, local) = (now_millis(), ages.local());
    for (item, _) in chunk.iter().zip(fates).filter(|(_, fate)| **fate == Fate::Indexed) {
        let Some(item) = batch.items.get(*item) else { continue };
        let Some(taken) = item.origin.timestamp else { continue };
        // If the clock of the receiver is ahead, the age counts as zero.
        let age = now.saturating_sub(taken).max(0);
        if age < MAYBE_REDRIVEN || !batch.is_redriven(&item.origin) {
            local.observe(age as f64 / 1_000.0);
        }
    }
    local.flush();
}

#[cfg(test)]
mod tests;
