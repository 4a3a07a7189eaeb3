//! `elasticsearch.routes`: several indices of one topic, chosen by the value of a field.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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

#[cfg(test)]
mod tests;
