//! Interprets the name of an index behind an alias that rolls over. Pure.

/// The prefixes of a restored or mounted snapshot: those of Elasticsearch's lifecycle management, and those with an
/// underscore, which the references of both servers use for a restored index. Such an index keeps the creation date of
/// the original.
const MOUNTED: [&str; 4] = ["restored-", "partial-", "restored_", "partial_"];
/// The first words of a prefix that ends with an underscore. Other prefixes must end with a dash, because an underscore
/// also occurs within names.
const MAKERS: [&str; 10] =
    ["backup", "clone", "copy", "migrated", "partial", "recovered", "reindexed", "restore", "restored", "shrink"];
/// The fewest digits of the number at the end of a backing index's name (Elasticsearch reference, "Rollover").
const DIGITS: usize = 6;

/// The role of an index behind an alias, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A backing index with a name made by a rollover: `NAME-000003`, or with a date before the number.
    Own(u64),
    /// A mounted snapshot of a backing index: `partial-NAME-000003`.
    Mounted(u64),
    /// An index made from a backing index, with a name that contains its name: `shrink-x1y2-NAME-000003`,
    /// `reindexed-v9-NAME-000003`, `NAME-000003-v2`. Its creation date is not that of its documents.
    Copy(u64),
    /// An index that does not belong to the alias by its name, for example an archive that was added for searching.
    Foreign,
}

impl Role {
    /// Returns the role of `name` behind `alias`.
    pub(crate) fn of(alias: &str, name: &str) -> Self {
        let mut from = 0;
        while let Some(at) = name[from..].find(alias).map(|at| from + at) {
            let (before, after) = (&name[..at], &name[at + alias.len()..]);
            if is_prefix(before)
                && let Some((generation, rest)) = after.strip_prefix('-').and_then(numbered)
            {
                return match (before, rest) {
                    ("", "") => Self::Own(generation),
                    (before, "") if MOUNTED.contains(&before) => Self::Mounted(generation),
                    _ => Self::Copy(generation),
                };
            }
            from = at + name[at..].chars().next().map_or(1, char::len_utf8);
        }
        Self::Foreign
    }

    /// Returns the generation, if the name has one.
    pub(crate) fn generation(self) -> Option<u64> {
        match self {
            Self::Own(generation) | Self::Mounted(generation) | Self::Copy(generation) => Some(generation),
            Self::Foreign => None,
        }
    }
}

/// Returns whether `before` may stand before the name of a backing index in the name of its copy.
pub(super) fn is_prefix(before: &str) -> bool {
    let first_word = || before.split(['_', '-']).next().unwrap_or_default();
    before.is_empty() || before.ends_with('-') || before.ends_with('_') && MAKERS.contains(&first_word())
}

/// Returns the common prefix of the series of `name`: everything before the number that a rollover increments, and
/// before a date. `None` if `name` has no such number.
pub(super) fn stem(name: &str) -> Option<&str> {
    let (mut stem, number) = name.rsplit_once('-')?;
    if number.len() < DIGITS || digits(number) < number.len() {
        return None;
    }
    let is_date = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '_'));
    while let Some((before, _)) = stem.rsplit_once('-').filter(|(_, part)| is_date(part)) {
        stem = before;
    }
    Some(stem)
}

/// Returns the number of `name`, if `name` is `stem`, a dash and a number.
pub(super) fn short_number(stem: &str, name: &str) -> Option<u64> {
    let number = name.strip_prefix(stem)?.strip_prefix('-')?;
    number.parse().ok().filter(|_| digits(number) == number.len())
}

/// Returns the number at the beginning of `text`, after an optional date as in a date-math name, and the text after
/// the number.
fn numbered(text: &str) -> Option<(u64, &str)> {
    let mut rest = text;
    loop {
        let end = digits(rest);
        let after = &rest[end..];
        let is_number = end >= DIGITS && !is_date(&rest[..end], after);
        if is_number && (after.is_empty() || after.starts_with(['-', '_', '.'])) {
            return Some((rest[..end].parse().ok()?, after));
        }
        // Skip a part of a date: digits and the dot or dash behind them.
        rest = after.strip_prefix(['-', '.', '_']).filter(|_| end > 0)?;
    }
}

/// Returns whether `number` is a date without dots, for example `20261128`, and the number of the generation follows
/// in `after`.
fn is_date(number: &str, after: &str) -> bool {
    let is_followed = after.strip_prefix('-').is_some_and(|next| digits(next) >= DIGITS);
    is_followed && matches!(number.len(), 6 | 8 | 10) && (number.starts_with("19") || number.starts_with("20"))
}

/// Returns the number of digits at the start of `text`.
fn digits(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())
}

#[cfg(test)]
mod tests;
