//! Rules for every source file.

use std::path::Path;

use anyhow::Result;

use crate::files::{self, TextFile};

/// The most lines of a source file, including tests.
const MAX_LINES: usize = 400;
/// The folders of packages.
const PACKAGES: [&str; 5] = ["shared", "receiver", "indexer", "tests", "tools"];

fn sources() -> Result<Vec<TextFile>> {
    let mut sources = Vec::new();
    for package in PACKAGES {
        sources.extend(files::below(package, "rs")?);
    }
    assert!(sources.len() > 50, "the sources were not found");
    Ok(sources)
}

/// Fails with the files for which `rule` returns a complaint.
fn assert_all(rule: impl Fn(&Path, &str) -> Option<String>) -> Result<()> {
    let complaints: Vec<String> = sources()?
        .iter()
        .filter_map(|file| Some(format!("{}: {}", file.path.display(), rule(&file.path, &file.text)?)))
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    Ok(())
}

/// Test modules are exempt: they are in a folder named after their module.
#[test]
fn each_module_begins_with_a_doc_comment() -> Result<()> {
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
fn no_task_is_postponed_and_no_test_is_ignored() -> Result<()> {
    // The words are split so that this file does not contain them.
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("#[ign", "ore")];
    assert_all(|_, text| {
        let line = text.lines().find(|line| words.iter().any(|word| line.contains(word)))?;
        Some(line.trim().to_owned())
    })
}

/// Machines read log lines in JSON, and they cannot parse a list in Rust's notation.
#[test]
fn no_log_line_has_a_field_in_debug_form() -> Result<()> {
    assert_all(|_, text| {
        let lines = text.split("tracing::").skip(1).filter_map(|rest| {
            let (name, rest) = rest.split_once("!(")?;
            let is_line = ["trace", "debug", "info", "warn", "error"].contains(&name);
            // The message comes last, and its arguments are not fields.
            is_line.then(|| rest.split_once('"').map_or(rest, |(fields, _)| fields))
        });
        let is_debug = |field: &str| field.trim_start().starts_with('?') || field.contains("= ?");
        let found = lines.flat_map(|fields| fields.split(',')).find(|field| is_debug(field))?;
        Some(format!("the field `{}` of a log line: say it with %, or as a number or text", found.trim()))
    })
}

/// A type with methods in several files has no single owner for its data.
#[test]
fn no_module_is_a_mod_rs() -> Result<()> {
    assert_all(|path, _| path.ends_with("mod.rs").then(|| "is a mod.rs".to_owned()))
}

#[test]
fn restricted_crates_are_used_only_in_their_files() -> Result<()> {
    // The crate, and the files that may use it.
    let rules: [(&str, &[&str]); 3] = [
        ("elasticsearch::", &["indexer/src/elasticsearch"]),
        ("sd_notify::", &["shared/service/src/notify.rs"]),
        // Some tests use stubs instead of real servers.
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
