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
mod tests {
    use bytes::Bytes;
    use prometheus::HistogramOpts;

    use super::*;
    use crate::bulk::tests::batch_of;
    use crate::message::record::headers::in_one_piece;

    /// What is counted of one event that is `age` milliseconds old and has the `header`: how many, and their seconds.
    fn counted(age: i64, header: &str, fate: Fate) -> (u64, f64) {
        let ages = Histogram::with_opts(HistogramOpts::new("age", "Age.")).unwrap();
        let mut batch = batch_of(&["a"]);
        batch.raw = Bytes::from(in_one_piece(&[(header, Some(b"x"))]));
        batch.items[0].origin.headers = 0..batch.raw.len();
        batch.items[0].origin.timestamp = Some(now_millis() - age);
        observe(&ages, &batch, &[0], &[fate]);
        (ages.get_sample_count(), ages.get_sample_sum())
    }

    #[test]
    fn the_age_is_from_the_record_to_the_answer() {
        let (count, sum) = counted(3_600_000, "source", Fate::Indexed);
        assert_eq!((count, sum.floor()), (1, 3_600.0));
        let (count, sum) = counted(-60_000, "source", Fate::Indexed);
        assert_eq!((count, sum), (1, 0.0), "the clock of the receiver is ahead");
    }

    #[test]
    fn what_was_redriven_or_not_written_does_not_count() {
        assert_eq!(counted(3_600_000, HEADER_REDRIVE_ORIGIN, Fate::Indexed).0, 0);
        assert_eq!(counted(3_600_000, "source", Fate::Duplicate(None)).0, 0);
    }
}
