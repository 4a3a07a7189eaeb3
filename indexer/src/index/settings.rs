//! What is to be known of one index: of several topics, each has its own.

use shared::config::{Config, Strategy};

/// The settings of one index.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexSettings {
    /// The name of the index, the alias or the data stream.
    pub name: String,
    /// Where documents land.
    pub strategy: Strategy,
}

impl IndexSettings {
    /// Those of `elasticsearch`.
    pub fn of(config: &Config) -> Self {
        let elasticsearch = &config.elasticsearch;
        Self { name: elasticsearch.index_name.clone(), strategy: elasticsearch.strategy }
    }

    /// What the names of its indices look like: the pattern of the template.
    pub fn pattern(&self) -> String {
        match self.strategy {
            Strategy::Rollover | Strategy::Time => format!("{}-*", self.name),
            Strategy::DataStream | Strategy::Single => self.name.clone(),
        }
    }
}
