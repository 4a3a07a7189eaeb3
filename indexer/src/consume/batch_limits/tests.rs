use kafka::position::{Offset, Partition};
use registry::wire::SchemaId;

use super::*;
use crate::message::progress::Epoch;
use crate::message::record::{Headers, Record};

const LIMITS: BatchLimits = BatchLimits { max_documents: 2, max_body_bytes: 100, max_age: Duration::from_secs(3_600) };

/// Creates a batch with a document for each of `bodies` and a dead letter for each of `reasons`.
fn batch(bodies: &[&str], reasons: &[&str]) -> BatchBuilder {
    let mut builder = BatchBuilder::default();
    let (partition, headers) = (Partition(0), Headers::default());
    builder.assign(partition, Epoch(1), None);
    let record = Record { partition, offset: Offset(0), timestamp: None, key: None, value: None, headers };
    for body in bodies {
        let write: Result<(), ()> = builder.append(&record, SchemaId(1), |draft| {
            draft.body.extend_from_slice(body.as_bytes());
            Ok(())
        });
        write.unwrap();
    }
    reasons.iter().for_each(|reason| builder.refuse(&record, None, "not-framed", (*reason).to_owned()));
    builder
}

#[test]
fn a_batch_is_full_by_documents_dead_letters_or_bytes() {
    let long = "x".repeat(100);
    for (builder, target_bytes, is_full, why) in [
        (batch(&["a"], &["b"]), 100, false, "one of each"),
        (batch(&["a", "b"], &[]), 100, true, "two documents"),
        (batch(&[], &["a", "b"]), 100, true, "two dead letters"),
        (batch(&[&long], &[]), 1_000, true, "the bytes of the config"),
        (batch(&["abc"], &[]), 3, true, "the bytes that Elasticsearch takes now"),
        (batch(&["abc"], &[]), 4, false, "fewer than those"),
    ] {
        assert_eq!(LIMITS.is_full(&builder, target_bytes), is_full, "{why}");
    }
}

#[test]
fn the_age_of_a_batch_counts_from_its_first_record() {
    let mut builder = batch(&["a"], &[]);
    let now = Instant::now();
    assert!(!LIMITS.is_old(&builder, now + LIMITS.max_age) && LIMITS.left(&builder).is_none(), "nobody looked yet");
    builder.open_with(|| now);
    assert!(!LIMITS.is_old(&builder, now + LIMITS.max_age / 2));
    assert!(LIMITS.is_old(&builder, now + LIMITS.max_age));
    assert!(LIMITS.left(&builder).is_some_and(|left| left <= LIMITS.max_age));
}
