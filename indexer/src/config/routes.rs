//! `elasticsearch.routes`: several indices of one topic, chosen by the value of a field.

use std::collections::BTreeMap;

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

impl Config {
    /// Returns the config of each index set of the one topic of this config, as if it were the only one, in the order of
    /// `Elasticsearch::index_names`.
    pub fn of_index_sets(&self) -> Vec<Self> {
        let names = self.elasticsearch.index_names();
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
