//! The walk of one event in ARCHITECTURE.md: it is short, and passes each file once.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result};

use crate::files;

/// The heading of each part of the walk, and the most files that an event may pass there.
const PARTS: [(&str, usize); 2] = [("### In the receiver", 14), ("### In the indexer", 16)];

/// Returns the files of a part of the walk, in order: the path in backticks at the beginning of each item.
fn hops(text: &str, heading: &str) -> Vec<String> {
    let lines = text.lines().skip_while(|line| *line != heading).skip(1).take_while(|line| !line.starts_with('#'));
    lines.filter_map(first_path).collect()
}

/// Returns the path at the beginning of an item of a numbered list.
fn first_path(line: &str) -> Option<String> {
    let (number, rest) = line.split_once(". `")?;
    number.parse::<u32>().ok()?;
    rest.split_once('`').map(|(path, _)| path.to_owned())
}

#[test]
fn the_walk_passes_few_files_and_each_once() -> Result<()> {
    let text = fs::read_to_string(files::repository().join("ARCHITECTURE.md")).context("ARCHITECTURE.md")?;
    for (heading, most) in PARTS {
        let hops = hops(&text, heading);
        assert!(!hops.is_empty(), "ARCHITECTURE.md has no walk under {heading:?}");
        assert!(hops.len() <= most, "{heading}: {} files, more than {most}", hops.len());
        let missing: Vec<&String> = hops.iter().filter(|path| !files::repository().join(path).is_file()).collect();
        assert!(missing.is_empty(), "{heading}: no such file: {missing:?}");
        assert_eq!(hops.iter().collect::<BTreeSet<_>>().len(), hops.len(), "{heading}: a file is passed twice");
    }
    Ok(())
}

#[test]
fn hops_are_the_paths_at_the_beginning_of_items() {
    let text = "### A\n1. `x.rs` does.\n2. `y.rs` uses `z.rs`.\nmore `w.rs`\n### B\n1. `v.rs`\n";
    assert_eq!(hops(text, "### A"), ["x.rs", "y.rs"]);
}
