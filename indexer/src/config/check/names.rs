//! Checks that each name of an index belongs to only one index set.

use std::collections::HashMap;
use std::fmt::Display;

use config::check::Problems;

use crate::config::{Config, Strategy};

/// The index sets seen so far.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<Named>);

/// One index set.
#[derive(Debug)]
struct Named {
    /// The key that names it.
    key: String,
    /// The topic that it belongs to.
    topic: String,
    index_name: String,
    strategy: Strategy,
}

impl Names {
    /// Adds the index sets of the one topic of `config`. The key `key` names the first one, and `routes` the others.
    pub(super) fn add(&mut self, config: &Config, key: &dyn Display, routes: &dyn Display) {
        for (number, name) in config.elasticsearch.index_names().into_iter().enumerate() {
            self.0.push(Named {
                key: if number == 0 { key.to_string() } else { routes.to_string() },
                topic: config.kafka.topic.clone(),
                index_name: name.to_owned(),
                strategy: config.elasticsearch.strategy,
            });
        }
    }

    /// Reports index sets with the same name, and those that may create an index with the name of another one.
    pub(super) fn check(&self, problems: &mut Problems) {
        let mut owners = HashMap::new();
        for Named { key, topic, index_name, .. } in &self.0 {
            if let Some(other) = owners.insert(index_name, topic) {
                problems.add(key, format_args!("{index_name} is already the index of {other}"));
            }
        }
        for Named { key, index_name, .. } in &self.0 {
            if let Some(other) = self.0.iter().find(|other| may_make(&other.index_name, other.strategy, index_name)) {
                let (topic, of) = (&other.topic, &other.index_name);
                problems.add(key, format_args!("{index_name} may be the name of an index of {topic} ({of})"));
            }
        }
    }
}

/// Returns whether the strategy may create an index called `name` for the index name `of`, by adding a number or a
/// date.
fn may_make(of: &str, strategy: Strategy, name: &str) -> bool {
    let rest = name.strip_prefix(of).and_then(|rest| rest.strip_prefix('-'));
    let is_number = |c: char| c.is_ascii_digit() || ".-_".contains(c);
    matches!(strategy, Strategy::Rollover | Strategy::Time) && rest.is_some_and(|rest| rest.chars().all(is_number))
}
