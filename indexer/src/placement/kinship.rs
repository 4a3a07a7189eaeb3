//! What the indices behind one alias are to each other, by their names. Pure.
//!
//! A rollover names the next index after the last one and not after the alias (Elasticsearch reference, "Rollover").
//! So an alias that somebody put before `calls-v2-000001` leads to `calls-v2-000002` next, and both are its backing
//! indices, whatever its name is. The series of the write index counts for that reason.

use super::names::{self, Kin};

/// What the names begin with of indices that are made of others one by one: the creation date of such an index says
/// nothing about its documents, although their numbers go on.
const MADE_OF_OTHERS: [&str; 5] = ["shrink-", "reindexed-", "restored-", "partial-", "migrated-"];

/// The indices behind one alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kinship<'a> {
    alias: &'a str,
    /// What the names of the write index's series begin with, if that is not the alias.
    stem: Option<String>,
    /// The least number of six digits in the series of the write index.
    least: u64,
}

/// What one index is behind its alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// What its name says.
    pub(crate) kin: Kin,
    /// Whether it belongs to a series that began after that of the alias's own name.
    pub(crate) is_of_later_series: bool,
}

impl<'a> Kinship<'a> {
    /// Returns that of the indices of `names` behind `alias`, which writes to `write`.
    pub(crate) fn new(alias: &'a str, write: Option<&str>, names: &[&str]) -> Self {
        let is_foreign = |name: &&str| names.len() > 1 && Kin::of(alias, name) == Kin::Foreign;
        let stem = write.filter(is_foreign).and_then(names::stem).map(str::to_owned);
        let series = stem.as_deref().unwrap_or(alias);
        let own = names.iter().filter_map(|name| match Kin::of(series, name) {
            Kin::Own(generation) => Some(generation),
            Kin::Mounted(_) | Kin::Copy(_) | Kin::Foreign => None,
        });
        let least = own.min().unwrap_or(0);
        Self { alias, stem, least }
    }

    /// Returns what the index `name` is.
    pub(crate) fn of(&self, name: &str) -> Member {
        let by_alias = Kin::of(self.alias, name);
        let kin = match &self.stem {
            None => self.in_series(self.alias, name),
            Some(_) if matches!(by_alias, Kin::Own(_) | Kin::Mounted(_)) => Kin::Foreign,
            Some(stem) => match self.in_series(stem, name) {
                Kin::Own(generation) if MADE_OF_OTHERS.iter().any(|prefix| stem.starts_with(prefix)) => {
                    Kin::Copy(generation)
                }
                kin => kin,
            },
        };
        match kin {
            Kin::Foreign => Member { kin: by_alias, is_of_later_series: false },
            kin => Member { kin, is_of_later_series: self.stem.is_some() },
        }
    }

    /// Returns what `name` is in the series of `stem`. Only its first index may have a number of fewer digits than a
    /// rollover gives: `calls-1` comes before `calls-000002`, and `calls-2019` is something else.
    fn in_series(&self, stem: &str, name: &str) -> Kin {
        match Kin::of(stem, name) {
            Kin::Foreign => match names::short_number(stem, name) {
                Some(number) if number < self.least => Kin::Own(number),
                Some(_) | None => Kin::Foreign,
            },
            kin => kin,
        }
    }
}

#[cfg(test)]
mod tests;
