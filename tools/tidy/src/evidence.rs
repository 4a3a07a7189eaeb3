//! Checks that the tests exist that docs/reliability.md names as evidence.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::files;

/// A name in backquotes with at least this many underscores is the name of a test.
const UNDERSCORES: usize = 3;

/// Returns the names of tests in `text`: `` `name` `` or `` `scenario::name` ``.
fn named(text: &str) -> BTreeSet<&str> {
    let is_name = |name: &&str| {
        name.matches('_').count() >= UNDERSCORES && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let quoted = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    quoted.filter_map(|name| name.rsplit("::").next()).filter(is_name).collect()
}

/// Returns the name of the function that `line` begins, if it begins one.
fn function(line: &str) -> Option<&str> {
    let rest = line.split_once("fn ")?.1;
    rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

#[test]
fn each_test_that_is_named_as_evidence_exists() -> Result<()> {
    let document = files::below("docs", "md")?.into_iter().find(|file| file.path.ends_with("reliability.md"));
    let text = document.map(|file| file.text).unwrap_or_default();
    let named = named(&text);
    assert!(named.len() > 50, "the names were not found");
    let mut sources = Vec::new();
    for folder in ["shared", "receiver", "indexer", "tests", "tools"] {
        sources.extend(files::below(folder, "rs")?);
    }
    let functions: BTreeSet<&str> = sources.iter().flat_map(|file| file.text.lines()).filter_map(function).collect();
    let missing: Vec<&&str> = named.difference(&functions).collect();
    assert!(missing.is_empty(), "docs/reliability.md names tests that do not exist: {missing:?}");
    Ok(())
}

#[test]
fn names_of_tests_are_found_and_others_are_not() {
    let found =
        named("| `a_test_of_something` and `scenario::another_test_of_it` | `acks=all`, `max_age`, no_test_of_it |");
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["a_test_of_something", "another_test_of_it"]);
    assert_eq!(function("    pub async fn a_test() -> Result<()> {"), Some("a_test"));
}
