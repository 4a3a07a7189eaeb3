//! How long the files are that go into production.

use anyhow::Result;

use crate::files;

/// The folders whose files are measured.
const FOLDERS: [&str; 3] = ["receiver/src", "indexer/src", "shared"];
/// The most lines of the file in the middle, of all of them.
const MAX_MEDIAN: usize = 110;
/// The most lines of a file.
const MAX_LINES: usize = 300;

/// Returns the value in the middle of `lengths`; 0 of none.
fn median(mut lengths: Vec<usize>) -> usize {
    lengths.sort_unstable();
    lengths.get(lengths.len() / 2).copied().unwrap_or_default()
}

#[test]
fn no_file_of_a_service_is_too_long_and_most_are_short() -> Result<()> {
    let mut sources = Vec::new();
    for folder in FOLDERS {
        sources.extend(files::below(folder, "rs")?);
    }
    sources.retain(|file| !files::is_test(&file.path));
    assert!(sources.len() > 300, "the sources were not found");
    let lines: Vec<usize> = sources.iter().map(|file| file.text.lines().count()).collect();
    let long: Vec<String> = sources
        .iter()
        .zip(&lines)
        .filter(|(_, lines)| **lines > MAX_LINES)
        .map(|(file, lines)| format!("{}: {lines} lines, more than {MAX_LINES}", file.path.display()))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
    let middle = median(lines);
    assert!(middle <= MAX_MEDIAN, "the median file has {middle} lines, more than {MAX_MEDIAN}");
    Ok(())
}

#[test]
fn the_median_is_the_value_in_the_middle() {
    assert_eq!(median(vec![9, 1, 5]), 5);
    assert_eq!(median(Vec::new()), 0);
}
