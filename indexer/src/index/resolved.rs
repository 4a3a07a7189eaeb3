//! The answer to `GET /_resolve/index/…`: which indices are behind an alias. It is all that the server reveals about an
//! index whose metadata is blocked (`index.blocks.metadata`).

use serde::Deserialize;

/// The aliases among the resolved names.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Resolved {
    #[serde(default)]
    aliases: Vec<ResolvedAlias>,
}

#[derive(Debug, Deserialize)]
struct ResolvedAlias {
    name: String,
    indices: Vec<String>,
}

impl Resolved {
    /// Returns the names of the indices behind the alias `name`, if it was resolved.
    pub(crate) fn behind(self, name: &str) -> Option<Vec<String>> {
        self.aliases.into_iter().find(|alias| alias.name == name).map(|alias| alias.indices)
    }
}
