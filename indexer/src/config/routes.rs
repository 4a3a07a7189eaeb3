//! `elasticsearch.routes`: several indices of one topic, chosen by the value of a field.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Config;

/// `elasticsearch.routes`: documents go to one of several indices by the value of a field. See `docs/routing.md`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Routes {
    /// `elasticsearch.routes.field`: the path of the field in the schema: a string, an enum, a boolean, an int or a
    /// long, in the event or in records within it.
    pub field: String,
    /// `elasticsearch.routes.to`: the name of the index for each value, a number or boolean as its text. All other
    /// values, null, and events without the field go to `elasticsearch.index_name`.
    pub to: BTreeMap<String, String>,
}

impl Routes {
    /// Returns the names of the indices that values lead to, each once and in order, without `index_name`.
    pub(crate) fn names(&self, index_name: &str) -> Vec<&str> {
        let names: BTreeSet<&str> = self.to.values().map(String::as_str).filter(|name| *name != index_name).collect();
        names.into_iter().collect()
    }
}

impl Config {
    /// Returns the config of each index set of the one topic of this config, as if it were the only one. The first is
    /// that of `elasticsearch.index_name`, the others are those of `elasticsearch.routes` in the order of their names.
    pub fn of_index_sets(&self) -> Vec<Self> {
        let elasticsearch = &self.elasticsearch;
        let routed = elasticsearch.routes.as_ref().map(|routes| routes.names(&elasticsearch.index_name));
        let names: Vec<&str> = std::iter::once(&*elasticsearch.index_name).chain(routed.unwrap_or_default()).collect();
        let of = |name: &&str| {
            let mut config = self.clone();
            config.elasticsearch.routes = None;
            (*name).clone_into(&mut config.elasticsearch.index_name);
            config.elasticsearch.siblings = names.iter().map(|name| (*name).to_owned()).collect();
            config
        };
        names.iter().map(of).collect()
    }
}

#[cfg(test)]
mod tests;
