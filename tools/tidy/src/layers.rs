//! Which module may use which: no circles, and no stage knows a later one.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::graph::{Arrows, Crate, between_top_levels, circles, describe};

/// The crates, by the folder of their sources.
const CRATES: [&str; 13] = [
    "indexer/src",
    "receiver/src",
    "shared/avro/src",
    "shared/config/src",
    "shared/kafka/src",
    "shared/registry/src",
    "shared/service/src",
    "shared/topic-id/src",
    "tests/src",
    "tools/bench/src",
    "tools/demo/src",
    "tools/fuzz/src",
    "tools/tidy/src",
];

/// Circles that are there still, with their files. The list must only shrink.
const CIRCLES: [(&str, &[&str]); 10] = [
    (
        "indexer/src",
        &[
            "batch",
            "bulk",
            "bulk::body",
            "index",
            "place::barrier",
            "place::calendar",
            "place::keeper",
            "place::list",
            "place::lists",
            "place::placer",
            "place::table",
        ],
    ),
    ("indexer/src", &["bulk::elasticsearch", "server"]),
    ("indexer/src", &["consume::group", "consume::prefetch"]),
    ("indexer/src", &["index::lifecycle", "index::resources"]),
    (
        "receiver/src",
        &[
            "authenticate",
            "decompress",
            "metrics",
            "quarantine",
            "receive::anteroom",
            "receive::body",
            "receive::held",
            "receive::rate",
            "reject",
            "reject::place",
            "source",
            "validate",
            "validate::batch",
        ],
    ),
    ("receiver/src", &["produce::alone", "produce::delivery", "produce::health"]),
    ("shared/avro/src", &["field_path", "schema"]),
    ("shared/avro/src", &["json", "uuid"]),
    ("shared/registry/src", &["address", "credentials"]),
    ("tests/src", &["stack", "way"]),
];

/// Circles between folders that are there still.
const FOLDER_CIRCLES: [(&str, &[&str]); 7] = [
    ("indexer/src", &["batch", "bulk", "index", "place", "server"]),
    (
        "receiver/src",
        &[
            "authenticate",
            "client",
            "decompress",
            "metrics",
            "produce",
            "quarantine",
            "receive",
            "reject",
            "source",
            "validate",
        ],
    ),
    ("shared/avro/src", &["decimal", "field_path", "json", "schema", "uuid", "walk"]),
    (
        "shared/config/src",
        &["check", "cxone", "elasticsearch", "indexer", "kafka", "kafka_security", "lifecycle", "load", "topics"],
    ),
    ("shared/registry/src", &["address", "credentials"]),
    ("shared/service/src", &["admin", "notify"]),
    ("tests/src", &["stack", "way"]),
];

/// The stages of each service, in the order in which an event passes them.
const STAGES: [(&str, &[&str]); 2] = [
    ("receiver/src", &["authenticate", "decompress", "unframe", "validate", "produce"]),
    ("indexer/src", &["decode", "bulk", "settle"]),
];

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn allowed(folder: &str, list: &[(&str, &[&str])]) -> Vec<BTreeSet<String>> {
    list.iter().filter(|(of, _)| *of == folder).map(|(_, names)| set(names)).collect()
}

#[test]
fn no_files_use_each_other_in_a_circle() -> Result<()> {
    compare(&CIRCLES, |arrows| arrows)
}

#[test]
fn no_folders_use_each_other_in_a_circle() -> Result<()> {
    compare(&FOLDER_CIRCLES, |arrows| between_top_levels(&arrows))
}

/// Fails with the circles of all crates that `list` does not have, and with those that it has and that are gone.
fn compare(list: &[(&str, &[&str])], view: impl Fn(Arrows) -> Arrows) -> Result<()> {
    let mut complaints = Vec::new();
    for folder in CRATES {
        let arrows = view(Crate::read(folder)?.arrows());
        let (found, allowed) = (circles(&arrows), allowed(folder, list));
        let new = found.iter().filter(|circle| !allowed.contains(circle));
        complaints
            .extend(new.map(|circle| format!("{folder}: a circle of {circle:?}:\n{}", describe(circle, &arrows))));
        let gone = allowed.iter().filter(|circle| !found.contains(circle));
        complaints.extend(gone.map(|circle| format!("{folder}: take this circle off the list: {circle:?}")));
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    Ok(())
}

#[test]
fn no_stage_uses_a_later_one() -> Result<()> {
    for (folder, stages) in STAGES {
        let arrows = between_top_levels(&Crate::read(folder)?.arrows());
        for (number, stage) in stages.iter().enumerate() {
            for later in &stages[number + 1..] {
                let used = arrows.get(*stage).and_then(|used| used.get(*later));
                assert!(used.is_none(), "{folder}: the stage {stage} uses {later}, which comes after it: {used:?}");
            }
        }
    }
    Ok(())
}
