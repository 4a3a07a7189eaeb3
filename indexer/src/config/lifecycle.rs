//! The lifecycle of indices: `elasticsearch.lifecycle`, and the file at `ilm_config_path`.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use config::{ConfigError, load_other};

mod rules;
mod units;

/// `elasticsearch.lifecycle`: what applies the policy in the file at `ilm_config_path`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lifecycle {
    /// Elasticsearch's index lifecycle management.
    Ilm,
    /// The data stream lifecycle, which Elasticsearch Serverless has instead. It only supports how long data is kept.
    Dsl,
    /// Index State Management of `OpenSearch`.
    Ism,
    /// Nothing applies a policy.
    None,
}

/// The file at `ilm_config_path`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LifecyclePolicy {
    /// `policy_name`: the policy's name in the cluster.
    pub policy_name: String,
    /// `hot`: while an index is written to.
    #[serde(default)]
    pub hot: Hot,
    /// `warm`: when it is no longer written to.
    #[serde(default)]
    pub warm: Option<Warm>,
    /// `cold`: when it is rarely searched.
    #[serde(default)]
    pub cold: Option<Cold>,
    /// `delete`: when it is deleted. Without it indices are kept.
    #[serde(default)]
    pub delete: Option<Delete>,
}

/// `hot`. The index is rolled over when the first of these conditions is met.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hot {
    /// `hot.rollover_max_age`: the time since the index was created.
    pub rollover_max_age: Option<String>,
    /// `hot.rollover_max_size`: the size of all primary shards together.
    pub rollover_max_size: Option<String>,
    /// `hot.rollover_max_primary_shard_size`: the size of the largest primary shard.
    pub rollover_max_primary_shard_size: Option<String>,
    /// `hot.rollover_max_docs`: the number of documents.
    pub rollover_max_docs: Option<u64>,
    /// `hot.priority`: the index with the highest priority is recovered first after a restart.
    pub priority: Option<u32>,
}

/// `warm`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Warm {
    /// `warm.min_age`: the time since the rollover.
    pub min_age: String,
    /// `warm.forcemerge_segments`: merge each shard to this many segments.
    #[serde(default)]
    pub forcemerge_segments: Option<u32>,
    /// `warm.shrink_shards`: shrink to this many primary shards.
    #[serde(default)]
    pub shrink_shards: Option<u32>,
    /// `warm.readonly`: allow no more writes.
    #[serde(default)]
    pub readonly: bool,
    /// `warm.priority`.
    #[serde(default)]
    pub priority: Option<u32>,
}

/// `cold`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Cold {
    /// `cold.min_age`: the time since the rollover.
    pub min_age: String,
    /// `cold.readonly`: allow no more writes.
    #[serde(default)]
    pub readonly: bool,
    /// `cold.priority`.
    #[serde(default)]
    pub priority: Option<u32>,
}

/// `delete`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Delete {
    /// `delete.min_age`: the time since the rollover, or since the creation of an index that is not rolled over.
    pub min_age: String,
}

impl Hot {
    /// Returns the keys of the rollover conditions that are set.
    pub(super) fn conditions(&self) -> Vec<&'static str> {
        let given = [
            ("hot.rollover_max_age", self.rollover_max_age.is_some()),
            ("hot.rollover_max_size", self.rollover_max_size.is_some()),
            ("hot.rollover_max_primary_shard_size", self.rollover_max_primary_shard_size.is_some()),
            ("hot.rollover_max_docs", self.rollover_max_docs.is_some()),
        ];
        given.into_iter().filter(|(_, given)| *given).map(|(key, _)| key).collect()
    }
}

/// Parses an age in Elasticsearch's notation, for example `7d`. Returns `None` if it is not an age.
pub fn age(text: &str) -> Option<Duration> {
    units::age(text).ok().map(|nanos| Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
}

/// Loads and checks the file at `path`. `rolls_over` says whether the indices are rolled over.
///
/// # Errors
/// [`ConfigError`] with one line per problem, naming the file, the line and the key.
pub fn load_lifecycle(path: &Path, rolls_over: bool) -> Result<LifecyclePolicy, ConfigError> {
    load_other(path, |policy| rules::check(policy, rolls_over))
}

#[cfg(test)]
mod tests;
