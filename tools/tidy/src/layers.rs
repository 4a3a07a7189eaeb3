//! The allowed uses between modules: no circles, and arrows only from higher to lower layers.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::graph::{Arrows, Crate, between_top_levels, circles, describe, unit};

/// The crates, by source folder.
const CRATES: [&str; 15] = [
    "indexer/src",
    "receiver/src",
    "shared/avro/src",
    "shared/config/src",
    "shared/kafka/src",
    "shared/registry/src",
    "shared/service/src",
    "shared/topic-id/src",
    "shared/traces/src",
    "tests/src",
    "tools/bench/src",
    "tools/demo/src",
    "tools/fuzz/src",
    "tools/models/src",
    "tools/tidy/src",
];

/// The modules of each service from lowest to highest, each a file with its folder: a module uses only those before it.
/// The stages of the receiver are in the order in which an event passes them.
const LAYERS: [(&str, &[&str]); 2] = [
    (
        "receiver/src",
        &[
            "config",
            "drift",
            "body_budget",
            "listeners",
            "proxy_protocol",
            "workers",
            "request_trace",
            "message",
            "quoted",
            "stages::authenticate",
            "stages::decompress",
            "stages::unframe",
            "stages::validate",
            "stages::produce",
            "client",
            "reject",
            "openapi",
            "metrics",
            "status_page",
            "quarantine",
            "source",
            "server",
            "receive",
            "cxone",
            "reload",
            "router",
            "ingest_offline",
            "schema_command",
            "setup",
            "background",
        ],
    ),
    (
        "indexer/src",
        &[
            "config",
            "fuse",
            "message",
            "metrics",
            "status_page",
            "patience",
            "elasticsearch",
            "fields",
            "placement",
            "document",
            "index",
            "backing",
            "batch",
            "decode",
            "bulk",
            "dead_letter",
            "tasks",
            "settle",
            "commit",
            "consume",
            "pipeline",
            "commands",
        ],
    ),
];

#[test]
fn files_form_no_circles() -> Result<()> {
    refuse_circles(|arrows| arrows)
}

#[test]
fn folders_form_no_circles() -> Result<()> {
    refuse_circles(|arrows| between_top_levels(&arrows))
}

/// Fails with the circles of all crates, as seen by `view`.
fn refuse_circles(view: impl Fn(Arrows) -> Arrows) -> Result<()> {
    let mut complaints = Vec::new();
    for folder in CRATES {
        let arrows = view(Crate::read(folder)?.arrows());
        for circle in circles(&arrows) {
            complaints.push(format!("{folder}: a circle of {circle:?}:\n{}", describe(&circle, &arrows)));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    Ok(())
}

/// `use super::*` would hide what a file depends on, which belongs at its top.
#[test]
fn only_tests_import_all_names_of_their_parent() -> Result<()> {
    let mut complaints = Vec::new();
    for folder in CRATES {
        let of_crate = Crate::read(folder)?;
        complaints.extend(of_crate.that_take_all().map(|module| format!("{folder}: {module} uses super::*")));
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    Ok(())
}

#[test]
fn each_module_uses_only_those_below_it() -> Result<()> {
    for (folder, layers) in LAYERS {
        let of_crate = Crate::read(folder)?;
        let units: BTreeSet<&str> = of_crate.modules().map(unit).filter(|unit| !unit.is_empty()).collect();
        let listed: BTreeSet<&str> = layers.iter().copied().collect();
        let missing: Vec<&&str> = units.difference(&listed).filter(|unit| **unit != "stages").collect();
        assert!(missing.is_empty(), "{folder}: not in the list of layers: {missing:?}");
        let gone: Vec<&&str> = listed.difference(&units).collect();
        assert!(gone.is_empty(), "{folder}: in the list of layers, but not there: {gone:?}");
        let arrows = between_top_levels(&of_crate.arrows());
        for (number, layer) in layers.iter().enumerate() {
            for higher in &layers[number + 1..] {
                let used = arrows.get(*layer).and_then(|used| used.get(*higher));
                assert!(used.is_none(), "{folder}: {layer} uses {higher}, which is above it: {used:?}");
            }
        }
    }
    Ok(())
}
