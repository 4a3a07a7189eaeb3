//! `indexer`.

use std::time::Duration;

use config::Kafka;
use config::check::{Problems, as_u64};

use crate::config::{Config, Fuse, Indexer, Retry};

/// librdkafka's default for `max.poll.interval.ms` (its CONFIGURATION.md).
const DEFAULT_MAX_POLL_INTERVAL: Duration = Duration::from_secs(300);

pub(super) fn check(config: &Config, problems: &mut Problems) {
    dead_letter_topic(&config.kafka, problems);
    let indexer = &config.indexer;
    problems.not_empty("indexer.group_id", &indexer.group_id);
    if let Some(id) = &indexer.group_instance_id {
        problems.not_empty("indexer.group_instance_id", id);
    }
    sizes(indexer, problems);
    problems.not_zero("indexer.commit_interval", indexer.commit_interval);
    drain_timeout(config, problems);
    retry(&indexer.retry, problems);
    fuse(&indexer.fuse, problems);
    problems.limits("indexer", indexer.max_depth, indexer.max_items, indexer.max_values);
}

/// Checks the dead-letter topic, to which only the indexer writes.
fn dead_letter_topic(kafka: &Kafka, problems: &mut Problems) {
    problems.topic("kafka.dead_letter_topic", &kafka.dead_letter_topic);
    if kafka.dead_letter_topic == kafka.topic {
        let message = "must not be kafka.topic: dead letters would be consumed, fail and be written again without end";
        problems.add("kafka.dead_letter_topic", message);
    }
}

fn sizes(indexer: &Indexer, problems: &mut Problems) {
    let batch = &indexer.batch;
    problems.within("indexer.batch.max_documents", as_u64(batch.max_documents), 1, 1_000_000);
    problems.within("indexer.batch.max_bytes", batch.max_bytes.as_u64(), 1, u64::MAX);
    problems.not_zero("indexer.batch.max_age", batch.max_age);
    problems.within("indexer.max_in_flight_requests", as_u64(indexer.max_in_flight_requests), 1, 10_000);
    if batch.max_bytes > indexer.max_in_flight_bytes {
        let message = "must be at least indexer.batch.max_bytes: no batch would ever fill";
        problems.add("indexer.max_in_flight_bytes", message);
    }
}

/// Checks the drain time-out: no polls happen during a drain, and a member without polls for `max.poll.interval.ms`
/// is removed from the group.
fn drain_timeout(config: &Config, problems: &mut Problems) {
    let key = "indexer.drain_timeout";
    let drain = config.indexer.drain_timeout;
    problems.not_zero(key, drain);
    let max_poll_interval = match config.kafka.options.get("max.poll.interval.ms").map(|text| text.trim().parse()) {
        None => DEFAULT_MAX_POLL_INTERVAL,
        Some(Ok(milliseconds)) => Duration::from_millis(milliseconds),
        Some(Err(_)) => {
            problems.add("kafka.options.max.poll.interval.ms", "must be a number of milliseconds");
            return;
        }
    };
    if drain > max_poll_interval / 2 {
        let most = max_poll_interval.as_millis() / 2;
        problems.add(
            key,
            format_args!(
                "must be at most {most} ms, half of Kafka's max.poll.interval.ms: a drain that takes longer gets the \
                 indexer removed from its group; shorten it, or set kafka.options.max.poll.interval.ms"
            ),
        );
    }
}

fn retry(retry: &Retry, problems: &mut Problems) {
    problems.not_zero("indexer.retry.initial", retry.initial);
    if retry.max < retry.initial {
        problems.add("indexer.retry.max", "must be at least indexer.retry.initial");
    }
    problems.within("indexer.retry.max_retries", u64::from(retry.max_retries), 1, u64::from(u32::MAX));
}

fn fuse(fuse: &Fuse, problems: &mut Problems) {
    problems.within("indexer.fuse.window", fuse.window, 1, u64::MAX);
    problems.within("indexer.fuse.max_consecutive", fuse.max_consecutive, 1, u64::MAX);
    if !(fuse.max_ratio > 0.0 && fuse.max_ratio <= 1.0) {
        problems.add("indexer.fuse.max_ratio", "must be more than 0 and at most 1");
    }
}
