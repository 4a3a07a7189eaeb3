//! The length of production files.

use anyhow::Result;

use crate::files;

/// The folders to measure.
const FOLDERS: [&str; 3] = ["receiver/src", "indexer/src", "shared"];
/// The highest allowed median of lines.
const MAX_MEDIAN: usize = 110;
/// The most lines of a file.
const MAX_LINES: usize = 300;

/// Returns the median of `lengths`; 0 if there are none.
fn median(mut lengths: Vec<usize>) -> usize {
    lengths.sort_unstable();
    lengths.get(lengths.len() / 2).copied().unwrap_or_default()
}

#[test]
fn files_of_a_service_are_short() -> Result<()> {
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
