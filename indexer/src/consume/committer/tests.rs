//! Tests the handling of a commit's result, without a cluster.

use std::time::Instant;

use kafka::position::Offset;
use service::admin::Readiness;
use service::metrics::Registry;

use super::super::reading::Reading;
use super::super::tests::alone;
use super::*;
use crate::decode::Decoded;
use crate::message::record::{Headers, Record};
use crate::metrics::Metrics;

const P: Partition = Partition(0);

/// Creates a topic with one record that is settled but not committed.
fn topic() -> Topic {
    let mut topic = Topic::new(alone(), Reading::service(), Metrics::new(&Registry::new()).unwrap());
    topic.partitions.assign(P, Some(NextOffset(7)), "");
    topic.partitions.logs.lag.note(P, NextOffset(0), NextOffset(10));
    let headers = Headers::default();
    let record = Record { partition: P, offset: Offset(7), timestamp: None, key: None, value: Some(b"v"), headers };
    topic.partitions.take(&record, &mut |record, batch| {
        batch.refuse(record, None, "not-framed", String::new());
        Decoded::Undecodable
    });
    let batch = topic.partitions.dispatch(Instant::now()).unwrap();
    topic.partitions.books.ledger.settle(&batch.progress);
    topic
}

#[test]
fn a_commit_carries_the_ledgers_offset_and_mark_and_is_taken_once() {
    let mut topic = topic();
    let commit = Commit::next(&mut topic).unwrap();
    assert_eq!(commit.offsets, [(P, NextOffset(8))]);
    let list = commit.list.unwrap();
    assert!(list.elements()[0].metadata().starts_with("last="));
    assert!(Commit::next(&mut topic).is_none());
}

#[test]
fn a_failed_commit_is_retried_and_does_not_change_the_lag() {
    for (outcome, is_met, lag, is_again) in [
        (Ok(()), true, 2, false),
        (Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)), false, 3, false),
        (Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::RebalanceInProgress)), false, 3, true),
    ] {
        let kafka = Readiness::new().condition("kafka");
        let mut topic = topic();
        let mut committer = Committer { kafka: kafka.clone(), is_committing: true };
        let offsets = topic.partitions.take_commits();
        committer.end(&offsets, outcome, &mut topic);
        assert_eq!((kafka.is_met(), topic.partitions.logs.lag.of(P)), (is_met, Some(lag)));
        assert_eq!(!topic.partitions.take_commits().is_empty(), is_again);
        assert!(!committer.is_committing());
    }
}
