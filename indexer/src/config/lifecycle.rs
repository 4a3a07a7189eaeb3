//! The lifecycle of indices: `elasticsearch.lifecycle`, and the file at `ilm_config_path`.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use config::{ConfigError, load_other};

mod rules;
mod units;

/// `elasticsearch.lifecycle`: who lets indices age by the file at `ilm_config_path`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lifecycle {
    /// Elasticsearch's index lifecycle management.
    Ilm,
    /// The data stream lifecycle, which Elasticsearch Serverless has instead. It knows how long data is kept, nothing
    /// else.
    Dsl,
    /// Index State Management, which `OpenSearch` has.
    Ism,
    /// Nobody.
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
    /// `delete`: when it goes. Without it indices stay.
    #[serde(default)]
    pub delete: Option<Delete>,
}

/// `hot`. The index is rolled over when the first of its conditions is met.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hot {
    /// `hot.rollover_max_age`: since the index was made.
    pub rollover_max_age: Option<String>,
    /// `hot.rollover_max_size`: of all primary shards together.
    pub rollover_max_size: Option<String>,
    /// `hot.rollover_max_primary_shard_size`: of the largest primary shard.
    pub rollover_max_primary_shard_size: Option<String>,
    /// `hot.rollover_max_docs`: documents.
    pub rollover_max_docs: Option<u64>,
    /// `hot.priority`: which indices are recovered first after a restart: the highest.
    pub priority: Option<u32>,
}

/// `warm`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Warm {
    /// `warm.min_age`: since the rollover.
    pub min_age: String,
    /// `warm.forcemerge_segments`: merge each shard to so many segments.
    #[serde(default)]
    pub forcemerge_segments: Option<u32>,
    /// `warm.shrink_shards`: shrink to so many primary shards.
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
    /// `cold.min_age`: since the rollover.
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
    /// `delete.min_age`: since the rollover, or without one since the index was made.
    pub min_age: String,
}

impl Hot {
    /// Returns the conditions of the rollover that are given: `(key, condition)`, for a message.
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

/// An age as Elasticsearch writes it, such as `7d`; none if it is no age.
pub fn age(text: &str) -> Option<Duration> {
    units::age(text).ok().map(|nanos| Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
}

/// Loads and checks the file at `path`, for indices that are rolled over or not.
///
/// # Errors
/// [`ConfigError`]: one line for each problem, with the file, the line and the key.
pub fn load_lifecycle(path: &Path, rolls_over: bool) -> Result<LifecyclePolicy, ConfigError> {
    load_other(path, |policy| rules::check(policy, rolls_over))
}

#[cfg(test)]
mod tests;
