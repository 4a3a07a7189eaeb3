//! The settings of one index. With several topics, each has its own.

use config::ConfigError;

use super::mapping::MappingRules;
use crate::config::{Config, Lifecycle, LifecyclePolicy, Strategy, load_lifecycle};
use crate::elasticsearch::server::{Product, Server};
use crate::placement::Pattern;

/// The settings of one index.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexSettings {
    /// The name of the index, the alias or the data stream.
    pub name: String,
    /// How documents are distributed over indices.
    pub strategy: Strategy,
    /// How the mapping is made.
    pub mapping: MappingRules,
    /// What carries the lifecycle out.
    pub lifecycle: Lifecycle,
    /// The lifecycle policy, unless the lifecycle is `none`.
    pub policy: Option<LifecyclePolicy>,
    /// The names of the indices, with the strategy `time`.
    pub dated: Option<Pattern>,
    /// The names of all indices of its topic, of which each has the same policy.
    pub siblings: Vec<String>,
}

impl IndexSettings {
    /// Returns the settings in `config`, including the file of the lifecycle policy.
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
            json: elasticsearch.documents.json(),
            fields: elasticsearch.documents.field_rules()?,
            config: elasticsearch.mapping.clone(),
            at_timestamp: strategy == Strategy::DataStream,
        };
        let name = elasticsearch.index_name.clone();
        let dated = || Pattern::new(&name, &elasticsearch.placement.time_pattern);
        let dated = (strategy == Strategy::Time).then(dated);
        let siblings = elasticsearch.siblings.clone();
        let siblings = if siblings.is_empty() { vec![name.clone()] } else { siblings };
        Ok(Self { name, strategy, mapping, lifecycle, policy, dated, siblings })
    }

    /// Returns the settings as they apply to `server`. The server's own kind of policy is used, whichever the config
    /// names. Only Elasticsearch has the data stream lifecycle.
    pub(super) fn on(&self, server: Server) -> Self {
        let lifecycle = match (self.lifecycle, server.product) {
            (Lifecycle::Ilm, Product::OpenSearch) => Lifecycle::Ism,
            (Lifecycle::Ism, Product::Elasticsearch) => Lifecycle::Ilm,
            (Lifecycle::Dsl, Product::OpenSearch) => Lifecycle::None,
            (same, _) => same,
        };
        Self { lifecycle, ..self.clone() }
    }

    /// Returns the product that the config is written for, if its lifecycle exists in only one product.
    pub(super) fn expected(&self) -> Option<Product> {
        (self.lifecycle == Lifecycle::Ism).then_some(Product::OpenSearch)
    }

    /// Returns the index pattern of the template.
    pub fn pattern(&self) -> String {
        self.pattern_of(&self.name)
    }

    /// Returns what the names of the indices look like that its policy is for.
    pub fn policy_patterns(&self) -> Vec<String> {
        self.siblings.iter().map(|name| self.pattern_of(name)).collect()
    }

    fn pattern_of(&self, name: &str) -> String {
        match self.strategy {
            Strategy::Rollover | Strategy::Time => format!("{name}-*"),
            Strategy::DataStream | Strategy::Single => name.to_owned(),
        }
    }
}
