//! What every source file must fulfil.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;

use crate::files::{self, TextFile};

/// Lines of a source file, tests included.
const MAX_LINES: usize = 400;
/// Folders of packages.
const PACKAGES: [&str; 5] = ["shared", "receiver", "indexer", "tests", "tools"];

/// The folders in which each type has its methods in one file.
const WHOLE_TYPES: [&str; 2] = ["indexer/src/bulk", "indexer/src/consume"];

fn sources() -> Result<Vec<TextFile>> {
    let mut sources = Vec::new();
    for package in PACKAGES {
        sources.extend(files::below(package, "rs")?);
    }
    assert!(sources.len() > 50, "the sources were not found");
    Ok(sources)
}

/// Fails with the files for which `rule` gives a complaint.
fn assert_all(rule: impl Fn(&Path, &str) -> Option<String>) -> Result<()> {
    let complaints: Vec<String> = sources()?
        .iter()
        .filter_map(|file| Some(format!("{}: {}", file.path.display(), rule(&file.path, &file.text)?)))
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    Ok(())
}

/// The tests of a module need no such words: they lie in a folder of its name.
#[test]
fn each_module_begins_by_saying_what_it_is() -> Result<()> {
    assert_all(|path, text| {
        let says = text.starts_with("//! ") || path.ends_with("tests.rs");
        (!says).then(|| "does not begin with `//! `".to_owned())
    })
}

#[test]
fn no_file_is_too_long() -> Result<()> {
    assert_all(|_, text| {
        let lines = text.lines().count();
        (lines > MAX_LINES).then(|| format!("{lines} lines, more than {MAX_LINES}"))
    })
}

#[test]
fn nothing_is_left_for_later_and_no_test_is_ignored() -> Result<()> {
    // Written apart, so that this file does not hold them.
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("#[ign", "ore")];
    assert_all(|_, text| {
        let line = text.lines().find(|line| words.iter().any(|word| line.contains(word)))?;
        Some(line.trim().to_owned())
    })
}

/// A log line in JSON is read by machines: a list in Rust's own notation is nothing that they can take apart.
#[test]
fn no_log_line_has_a_field_in_debug_form() -> Result<()> {
    assert_all(|_, text| {
        let lines = text.split("tracing::").skip(1).filter_map(|rest| {
            let (name, rest) = rest.split_once("!(")?;
            let is_line = ["trace", "debug", "info", "warn", "error"].contains(&name);
            // The message comes last, and its arguments are no fields.
            is_line.then(|| rest.split_once('"').map_or(rest, |(fields, _)| fields))
        });
        let is_debug = |field: &str| field.trim_start().starts_with('?') || field.contains("= ?");
        let found = lines.flat_map(|fields| fields.split(',')).find(|field| is_debug(field))?;
        Some(format!("the field `{}` of a log line: say it with %, or as a number or text", found.trim()))
    })
}

/// Returns the type whose own methods the block that `line` begins is of; none where it is of a trait, or no such
/// block.
fn type_of(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("impl").filter(|_| !line.contains(" for "))?;
    let rest = if rest.starts_with('<') { rest.split_once("> ")?.1 } else { rest.strip_prefix(' ')? };
    rest.split(|c: char| !c.is_alphanumeric()).next()
}

/// A type whose methods are spread over files has no owner for what it holds.
#[test]
fn what_a_type_does_stands_in_one_file() -> Result<()> {
    let mut places: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for folder in WHOLE_TYPES {
        for file in files::below(folder, "rs")?.iter().filter(|file| !files::is_test(&file.path)) {
            for name in file.text.lines().filter_map(type_of) {
                places.entry(format!("{folder}: {name}")).or_default().insert(file.path.display().to_string());
            }
        }
    }
    assert!(places.len() > 50, "the types were not found");
    let spread: Vec<String> = places
        .iter()
        .filter(|(_, files)| files.len() > 1)
        .map(|(name, files)| format!("{name}: in {files:?}"))
        .collect();
    assert!(spread.is_empty(), "{}", spread.join("\n"));
    Ok(())
}

#[test]
fn the_type_of_a_block_is_its_own_and_not_that_of_a_trait() {
    assert_eq!(type_of("impl<'a> Work<'a> {"), Some("Work"));
    assert_eq!(type_of("impl Bulk {"), Some("Bulk"));
    assert_eq!(type_of("impl Drop for Lone {"), None);
    assert_eq!(type_of("    impl Bulk {"), None);
}

#[test]
fn a_module_with_others_below_it_stands_beside_their_folder() -> Result<()> {
    assert_all(|path, _| path.ends_with("mod.rs").then(|| "is a mod.rs".to_owned()))
}

#[test]
fn each_crate_that_a_few_files_are_to_know_is_known_to_those_only() -> Result<()> {
    // The crate, the files that may know it.
    let rules: [(&str, &[&str]); 3] = [
        ("elasticsearch::", &["indexer/src/elasticsearch"]),
        ("sd_notify::", &["shared/service/src/notify.rs"]),
        // Stubs of servers are what some tests ask instead of real ones.
        ("axum::", &["receiver/src/", "shared/service/src/admin", "shared/registry/src/tests", "tests/it/"]),
    ];
    assert_all(|path, text| {
        let path = path.to_string_lossy();
        let (name, _) = rules.iter().find(|(name, allowed)| {
            let imports = text.lines().any(|line| line.trim_start().starts_with(&format!("use {name}")));
            imports && !allowed.iter().any(|place| path.starts_with(place))
        })?;
        Some(format!("uses {name}"))
    })
}
