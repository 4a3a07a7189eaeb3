//! Checks each of `indexer.topics` as if it were the only one.

use config::check::Problems;

use super::names::Names;
use super::{elasticsearch, lifecycle, placement, routes};
use crate::config::Config;

pub(super) fn check(config: &Config, problems: &mut Problems) {
    let indexer = &config.indexer;
    let count = indexer.topics.len();
    if count > indexer.max_in_flight_requests {
        let message = format_args!("must be at least {count}, one for each of indexer.topics");
        problems.add("indexer.max_in_flight_requests", message);
    }
    if indexer.batch.max_bytes.as_u64().saturating_mul(count as u64) > indexer.max_in_flight_bytes.as_u64() {
        let message = "must be at least indexer.batch.max_bytes for each of indexer.topics: no batch would ever fill";
        problems.add("indexer.max_in_flight_bytes", message);
    }
    let mut names = Names::default();
    for topic in config.of_topics() {
        let name = topic.kafka.topic.clone();
        problems.topic(format_args!("indexer.topics.{name}"), &name);
        if name == config.kafka.dead_letter_topic {
            let message = "must not be kafka.dead_letter_topic: dead letters would be consumed, fail and be written again without end";
            problems.add(format_args!("indexer.topics.{name}"), message);
        }
        names.add(
            &topic,
            &format_args!("indexer.topics.{name}.index_name"),
            &format_args!("indexer.topics.{name}: elasticsearch.routes"),
        );
        let mut own = Problems::default();
        elasticsearch::check(&topic.elasticsearch, &mut own);
        placement::check(&topic.elasticsearch, &mut own);
        routes::check(&topic.elasticsearch, &mut own);
        lifecycle::check(&topic, &mut own);
        for problem in own.0 {
            problems.add(format_args!("indexer.topics.{name}"), problem);
        }
    }
    names.check(problems);
}
