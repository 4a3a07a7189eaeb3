use std::time::Duration;

use service::metrics::Registry;

use super::*;
use crate::bulk::tests::batch_of;
use crate::metrics::Metrics;

fn report() -> (ConflictReport, Metrics) {
    let metrics = Metrics::new(&Registry::new()).unwrap();
    (ConflictReport::new("events", &metrics.verify), metrics)
}

#[test]
fn each_conflict_is_counted_and_logged_at_most_once_a_minute() {
    let (report, metrics) = report();
    let suspect = |item| (Suspect { item, index: "a".into() }, None);
    report.report(&batch_of(&["x", "y"]), &vec![suspect(0), suspect(1)]);
    assert_eq!(metrics.verify.conflicts.with_label_values(&["events"]).get(), 2);
    let now = Instant::now();
    assert_eq!(report.lines.take(3, now), None, "there was a line a moment ago");
    assert_eq!(report.lines.take(4, now + Duration::from_secs(60)), Some(7), "it speaks of all since the last one");
}

#[test]
fn a_dead_letter_names_both_events_and_truncates_stored_text() {
    let (report, _) = report();
    let mut batch = batch_of(&["x"]);
    batch.items[0].origin.timestamp = Some(0);
    let suspect = Suspect { item: 0, index: "a".into() };
    let refusal = report.refusal(&batch, &suspect, Some(&"9".repeat(50)));
    assert_eq!((refusal.status, refusal.error_type.as_str()), (409, "id-conflict"));
    assert!(
        refusal.reason.contains("events-0@0 of 1970-01-01T00:00:00.000Z and the document \"x\" in a"),
        "{refusal:?}"
    );
    assert!(refusal.reason.contains(&format!(" of {} are two", "9".repeat(MAX_SHOWN))), "{refusal:?}");
}
