//! Checks each of `indexer.topics` as if it were the only one.

use std::collections::HashMap;

use config::check::Problems;

use super::{elasticsearch, lifecycle, placement};
use crate::config::{Config, Strategy};

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
    let mut indices = HashMap::new();
    let mut names = Vec::new();
    for topic in config.of_topics() {
        let name = topic.kafka.topic.clone();
        problems.topic(format_args!("indexer.topics.{name}"), &name);
        if name == config.kafka.dead_letter_topic {
            let message = "must not be kafka.dead_letter_topic: dead letters would be consumed, fail and be written again without end";
            problems.add(format_args!("indexer.topics.{name}"), message);
        }
        if let Some(other) = indices.insert(topic.elasticsearch.index_name.clone(), name.clone()) {
            let message = format_args!("{} is already the index of {other}", topic.elasticsearch.index_name);
            problems.add(format_args!("indexer.topics.{name}.index_name"), message);
        }
        names.push((name.clone(), topic.elasticsearch.index_name.clone(), topic.elasticsearch.strategy));
        let mut own = Problems::default();
        elasticsearch::check(&topic.elasticsearch, &mut own);
        placement::check(&topic.elasticsearch, &mut own);
        lifecycle::check(&topic, &mut own);
        for problem in own.0 {
            problems.add(format_args!("indexer.topics.{name}"), problem);
        }
    }
    for (topic, index_name, _) in &names {
        let makes_it = |(_, other, strategy): &&(String, String, Strategy)| may_make(other, *strategy, index_name);
        if let Some((other, ..)) = names.iter().find(makes_it) {
            let message = format_args!("{index_name} may be the name of an index of {other}");
            problems.add(format_args!("indexer.topics.{topic}.index_name"), message);
        }
    }
}

/// Returns whether the strategy may create an index called `name` for the index name `of`, by appending a number or a
/// date.
fn may_make(of: &str, strategy: Strategy, name: &str) -> bool {
    let rest = name.strip_prefix(of).and_then(|rest| rest.strip_prefix('-'));
    let is_number = |c: char| c.is_ascii_digit() || ".-_".contains(c);
    matches!(strategy, Strategy::Rollover | Strategy::Time) && rest.is_some_and(|rest| rest.chars().all(is_number))
}
