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
    let commit = Commit::next(&mut topic, true).unwrap();
    assert_eq!(commit.offsets, [(P, NextOffset(8))]);
    let list = commit.list.unwrap();
    assert!(list.elements()[0].metadata().starts_with("last="));
    assert!(Commit::next(&mut topic, true).is_none());
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
        let mut committer = Committer { is_committing: true, ..Committer::new(kafka.clone()) };
        let offsets = topic.partitions.take_commits();
        committer.end(&offsets, outcome, &mut topic);
        assert_eq!((kafka.is_met(), topic.partitions.logs.lag.of(P)), (is_met, Some(lag)));
        assert_eq!(!topic.partitions.take_commits().is_empty(), is_again);
        assert!(!committer.is_committing());
    }
}

/// As with a broker whose `offset.metadata.max.bytes` is lower than the metadata is long.
#[test]
fn if_kafka_refuses_the_metadata_offsets_are_committed_without_it() {
    let mut topic = topic();
    let mut committer = Committer::new(Readiness::new().condition("kafka"));
    for has_metadata in [true, false] {
        let Commit { offsets, list } = Commit::next(&mut topic, !committer.without_metadata).unwrap();
        assert_eq!(list.unwrap().elements()[0].metadata().is_empty(), !has_metadata);
        let refused = KafkaError::ConsumerCommit(RDKafkaErrorCode::OffsetMetadataTooLarge);
        committer.end(&offsets, Err(refused), &mut topic);
    }
    assert!(Commit::next(&mut topic, !committer.without_metadata).is_some(), "another refusal is a failure as any");
}
