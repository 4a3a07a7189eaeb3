use bytes::Bytes;
use kafka::headers::HEADER_REDRIVE_ORIGIN;
use prometheus::HistogramOpts;

use super::*;
use crate::bulk::tests::batch_of;
use crate::message::record::headers::in_one_piece;

/// Returns the count and sum in seconds for one event that is `age` milliseconds old and has the `header`.
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
fn the_age_runs_from_the_record_to_the_answer() {
    let (count, sum) = counted(3_600_000, "source", Fate::Indexed);
    assert_eq!((count, sum.floor()), (1, 3_600.0));
    let (count, sum) = counted(-60_000, "source", Fate::Indexed);
    assert_eq!((count, sum), (1, 0.0), "the clock of the receiver is ahead");
}

#[test]
fn redriven_or_unwritten_events_are_not_measured() {
    assert_eq!(counted(3_600_000, HEADER_REDRIVE_ORIGIN, Fate::Indexed).0, 0);
    assert_eq!(counted(3_600_000, "source", Fate::Duplicate(None)).0, 0);
}
