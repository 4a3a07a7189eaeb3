//! Tests the handling of survey results, without a cluster.

use kafka::position::{NextOffset, Offset};
use service::admin::Readiness;
use service::metrics::Registry;

use super::super::reading::Reading;
use super::super::tests::alone;
use super::*;
use crate::metrics::Metrics;

const P: Partition = Partition(0);

/// Creates a topic with one partition, which is read up to offset 7.
fn topic(metrics: &Metrics) -> Topic {
    let mut topic = Topic::new(alone(), Reading::service(), metrics.clone());
    topic.partitions.assign(P, Some(NextOffset(7)), "");
    topic
}

fn condition() -> (Arc<Readiness>, Condition) {
    let readiness = Readiness::new();
    let condition = readiness.condition("kafka");
    condition.met();
    (readiness, condition)
}

fn found(start: i64, end: i64) -> Survey {
    let (start, end) = (NextOffset(start), NextOffset(end));
    let ends = |partition| Ends { partition, start, end, high: end };
    Survey { topic_id: None, access: None, ends: vec![ends(P), ends(Partition(9))] }
}

#[test]
fn a_survey_updates_the_lag_of_assigned_partitions() {
    let metrics = Metrics::new(&Registry::new()).unwrap();
    let (mut topic, mut surveyor) = (topic(&metrics), Surveyor::new(condition().1));
    surveyor.is_surveying = true;
    surveyor.take(&found(0, 10), &mut topic);
    assert!(!surveyor.is_surveying);
    assert_eq!(metrics.lag.with_label_values(&["events", "0"]).get(), 3);
    assert!(metrics.lag.remove_label_values(&["events", "9"]).is_err(), "it is not assigned");
}

/// A reader of committed records sees none of them, and no other metric would show that they wait.
#[test]
fn records_behind_an_open_transaction_count_as_lag() {
    let metrics = Metrics::new(&Registry::new()).unwrap();
    let (mut topic, mut surveyor) = (topic(&metrics), Surveyor::new(condition().1));
    let ends = Ends { partition: P, start: NextOffset(0), end: NextOffset(7), high: NextOffset(12) };
    surveyor.take(&Survey { topic_id: None, access: None, ends: vec![ends] }, &mut topic);
    assert_eq!(metrics.lag.with_label_values(&["events", "0"]).get(), 5);
}

#[test]
fn records_deleted_by_retention_before_reading_are_counted_and_passed() {
    let metrics = Metrics::new(&Registry::new()).unwrap();
    let (mut topic, mut surveyor) = (topic(&metrics), Surveyor::new(condition().1));
    for lost in [0, 5] {
        let read_positions = [(P, NextOffset(7))].into();
        topic.partitions.logs.gaps.begin(Vec::new(), read_positions);
        surveyor.take(&found(12, 20), &mut topic);
        assert_eq!(metrics.lost_records.with_label_values(&["events"]).get(), lost);
    }
    assert_eq!(topic.partitions.books.read_position(P), Some(NextOffset(12)));
}

#[test]
fn only_offsets_that_went_back_are_counted() {
    let metrics = Metrics::new(&Registry::new()).unwrap();
    let topic = topic(&metrics);
    let jump = |to| Jump { partition: P, from: NextOffset(7), to: Offset(to) };
    report_jumps_back(&[jump(3), jump(9)], &topic);
    assert_eq!(metrics.log_resets.with_label_values(&["events", "went_back"]).get(), 1);
}

/// librdkafka says so once, and then nothing is read, without any error.
#[test]
fn a_topic_that_may_not_be_read_is_not_ready_until_it_may() {
    let metrics = Metrics::new(&Registry::new()).unwrap();
    let (readiness, condition) = condition();
    let (mut topic, mut surveyor) = (topic(&metrics), Surveyor::new(condition));
    let survey = |access| Survey { topic_id: None, access, ends: Vec::new() };
    let (readable, denied) = (Some(Access::Readable), Some(Access::Denied));
    for (access, is_met) in [(None, true), (readable, true), (denied, false), (None, false), (denied, false)] {
        surveyor.take(&survey(access), &mut topic);
        let unmet = readiness.unmet();
        assert_eq!(unmet.is_empty(), is_met, "{access:?}: {unmet:?}");
        assert!(is_met || unmet[0].1.contains("may not read topic events"), "{unmet:?}");
        assert!(is_met || !topic.subscription.answers(), "no probe meets the condition");
    }
    surveyor.take(&survey(readable), &mut topic);
    assert!(!topic.subscription.set_may_read(true), "then a probe does");
}

/// The group assigns nothing of it, and the member has joined.
#[test]
fn a_topic_that_does_not_exist_is_not_ready() {
    let metrics = Metrics::new(&Registry::new()).unwrap();
    let (readiness, condition) = condition();
    let (mut topic, mut surveyor) = (topic(&metrics), Surveyor::new(condition));
    let (missing, readable) = (Some(Access::Missing), Some(Access::Readable));
    for (access, may_read) in
        [(missing, true), (readable, true), (missing, true), (missing, false), (None, false), (readable, true)]
    {
        surveyor.take(&Survey { topic_id: None, access, ends: Vec::new() }, &mut topic);
        assert!(!topic.subscription.set_may_read(may_read), "{access:?}");
    }
    let unmet = readiness.unmet();
    assert!(unmet[0].1.contains("no topic events"), "{unmet:?}");
}
