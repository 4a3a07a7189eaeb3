//! What is to be known of one index: of several topics, each has its own.

use shared::config::{Config, ConfigError, Lifecycle, LifecyclePolicy, Strategy, load_lifecycle};

use super::mapping::MappingRules;

/// The settings of one index.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexSettings {
    /// The name of the index, the alias or the data stream.
    pub name: String,
    /// Where documents land.
    pub strategy: Strategy,
    /// How its mapping is made.
    pub mapping: MappingRules,
    /// Who lets it age.
    pub lifecycle: Lifecycle,
    /// How it ages, unless nobody lets it.
    pub policy: Option<LifecyclePolicy>,
}

impl IndexSettings {
    /// Those of `config`, the file of the lifecycle policy included.
    ///
    /// # Errors
    /// [`ConfigError`], with the line of that file.
    pub fn of(config: &Config) -> Result<Self, ConfigError> {
        let elasticsearch = &config.elasticsearch;
        let strategy = elasticsearch.strategy;
        let lifecycle = config.lifecycle();
        let policy = match (lifecycle, &config.ilm_config_path) {
            (Lifecycle::None, _) | (_, None) => None,
            (_, Some(path)) => Some(load_lifecycle(path, strategy != Strategy::Time)?),
        };
        let mapping = MappingRules {
            json: elasticsearch.documents,
            config: elasticsearch.mapping.clone(),
            at_timestamp: strategy == Strategy::DataStream,
        };
        Ok(Self { name: elasticsearch.index_name.clone(), strategy, mapping, lifecycle, policy })
    }

    /// What the names of its indices look like: the pattern of the template.
    pub fn pattern(&self) -> String {
        match self.strategy {
            Strategy::Rollover | Strategy::Time => format!("{}-*", self.name),
            Strategy::DataStream | Strategy::Single => self.name.clone(),
        }
    }
}
