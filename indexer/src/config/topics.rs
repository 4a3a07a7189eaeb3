//! `indexer.topics`: several topics in one indexer, each with its own index.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Config, Documents, Lifecycle, Mapping, OnDuplicate, Placement, Routes, Strategy, VerifyDuplicates};

/// `indexer.topics.<topic>`: the settings of one topic that differ from `elasticsearch`. A section replaces the whole
/// section of `elasticsearch`, except for the rules for fields.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Topic {
    /// `indexer.topics.<topic>.index_name`: the index of this topic; by default the topic's own name. Each topic needs
    /// a different one.
    pub index_name: Option<String>,
    /// `indexer.topics.<topic>.strategy`: replaces `elasticsearch.strategy`.
    pub strategy: Option<Strategy>,
    /// `indexer.topics.<topic>.routes`: replaces `elasticsearch.routes` as a whole.
    pub routes: Option<Routes>,
    /// `indexer.topics.<topic>.on_duplicate`: replaces `elasticsearch.on_duplicate`.
    pub on_duplicate: Option<OnDuplicate>,
    /// `indexer.topics.<topic>.verify_duplicates`: replaces `elasticsearch.verify_duplicates`.
    pub verify_duplicates: Option<VerifyDuplicates>,
    /// `indexer.topics.<topic>.placement`: replaces `elasticsearch.placement` as a whole.
    pub placement: Option<Placement>,
    /// `indexer.topics.<topic>.documents`: replaces `elasticsearch.documents`, except for `fields` and the secret where
    /// it has none: the rules that hide values hold for a topic unless it has its own.
    pub documents: Option<Documents>,
    /// `indexer.topics.<topic>.mapping`: replaces `elasticsearch.mapping` as a whole.
    pub mapping: Option<Mapping>,
    /// `indexer.topics.<topic>.lifecycle`: replaces `elasticsearch.lifecycle`.
    pub lifecycle: Option<Lifecycle>,
    /// `indexer.topics.<topic>.ilm_config_path`: replaces `ilm_config_path`.
    pub ilm_config_path: Option<PathBuf>,
}

/// Returns the `common` config with the settings of `topic`, whose name is `name`, as if it were the only one. Common
/// limits are divided among the topics.
pub(super) fn of_topic(common: &Config, name: &str, topic: &Topic) -> Config {
    let mut config = common.clone();
    let count = common.indexer.topics.len();
    config.kafka.topic = name.to_owned();
    config.indexer.topics.clear();
    config.indexer.max_in_flight_requests = (common.indexer.max_in_flight_requests / count).max(1);
    config.indexer.max_in_flight_bytes.0 = common.indexer.max_in_flight_bytes.as_u64() / count as u64;
    if common.indexer.group_per_topic {
        config.indexer.group_id = format!("{}-{name}", common.indexer.group_id);
    }
    // Each topic has its own member of the group.
    config.indexer.group_instance_id = common.indexer.group_instance_id.as_ref().map(|id| format!("{id}-{name}"));
    let elasticsearch = &mut config.elasticsearch;
    elasticsearch.index_name = topic.index_name.clone().unwrap_or_else(|| name.to_owned());
    set(&mut elasticsearch.strategy, &topic.strategy);
    set(&mut elasticsearch.on_duplicate, &topic.on_duplicate);
    set(&mut elasticsearch.verify_duplicates, &topic.verify_duplicates);
    set(&mut elasticsearch.placement, &topic.placement);
    if let Some(documents) = &topic.documents {
        let shared = std::mem::replace(&mut elasticsearch.documents, documents.clone());
        elasticsearch.documents.inherit(&shared);
    }
    set(&mut elasticsearch.mapping, &topic.mapping);
    elasticsearch.routes = topic.routes.clone().or(elasticsearch.routes.take());
    elasticsearch.lifecycle = topic.lifecycle.or(elasticsearch.lifecycle);
    config.ilm_config_path = topic.ilm_config_path.clone().or(config.ilm_config_path);
    config
}

fn set<T: Clone>(value: &mut T, own: &Option<T>) {
    if let Some(own) = own {
        value.clone_from(own);
    }
}

#[cfg(test)]
mod tests;
