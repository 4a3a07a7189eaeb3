//! Classifies the indices behind one alias by their names. Pure.
//!
//! A rollover derives the name of the next index from the last one, not from the alias (Elasticsearch reference,
//! "Rollover"). An alias on `calls-v2-000001` therefore leads to `calls-v2-000002` next, and both are its backing
//! indices, whatever the alias is called. So the series of the write index counts.

use super::names::{self, Role};

/// The prefixes of indices that were made from other indices one by one. The creation date of such an index does not
/// show when its documents were written, although the numbers continue.
const MADE_OF_OTHERS: [&str; 7] =
    ["shrink-", "reindexed-", "reindexed_", "restored-", "restored_", "partial-", "migrated-"];

/// Classifies the indices behind one alias, by the series of the alias or of its write index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Series<'a> {
    alias: &'a str,
    /// The common prefix of the write index's series, if it is not the alias.
    stem: Option<String>,
    /// The smallest number with six digits in the series of the write index.
    least: u64,
}

/// The role of one index behind its alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// The role by its name.
    pub(crate) role: Role,
    /// Whether it belongs to a series that began after the series of the alias's own name.
    pub(crate) is_of_later_series: bool,
}

impl<'a> Series<'a> {
    /// Classifies the indices `names` behind `alias`, whose write index is `write`.
    pub(crate) fn new(alias: &'a str, write: Option<&str>, names: &[&str]) -> Self {
        let is_foreign = |name: &&str| names.len() > 1 && Role::of(alias, name) == Role::Foreign;
        let stem = write.filter(is_foreign).and_then(names::stem).map(str::to_owned);
        let series = stem.as_deref().unwrap_or(alias);
        let own = names.iter().filter_map(|name| match Role::of(series, name) {
            Role::Own(generation) => Some(generation),
            Role::Mounted(_) | Role::Copy(_) | Role::Foreign => None,
        });
        let least = own.min().unwrap_or(0);
        Self { alias, stem, least }
    }

    /// Returns the role of the index `name`.
    pub(crate) fn of(&self, name: &str) -> Member {
        let by_alias = Role::of(self.alias, name);
        let role = match &self.stem {
            None => self.in_series(self.alias, name),
            Some(_) if matches!(by_alias, Role::Own(_) | Role::Mounted(_)) => Role::Foreign,
            Some(stem) => match self.in_series(stem, name) {
                Role::Own(generation) if MADE_OF_OTHERS.iter().any(|prefix| stem.starts_with(prefix)) => {
                    Role::Copy(generation)
                }
                role => role,
            },
        };
        match role {
            Role::Foreign => Member { role: by_alias, is_of_later_series: false },
            role => Member { role, is_of_later_series: self.stem.is_some() },
        }
    }

    /// Returns the role of `name` in the series of `stem`. Only the first index of a series may have a number with
    /// fewer digits than a rollover makes: `calls-1` comes before `calls-000002`, but `calls-2019` is something else.
    fn in_series(&self, stem: &str, name: &str) -> Role {
        match Role::of(stem, name) {
            Role::Foreign => match names::short_number(stem, name) {
                Some(number) if number < self.least => Role::Own(number),
                Some(_) | None => Role::Foreign,
            },
            role => role,
        }
    }
}

#[cfg(test)]
mod tests;
