//! Judges the cluster and its indices by their answers. Pure.

use serde_json::Value;

use super::finding::Finding;

/// The default disk watermarks of Elasticsearch, in per cent (Elasticsearch reference, "Disk-based shard
/// allocation").
const WATERMARKS: [(&str, f64); 3] = [("low", 85.0), ("high", 90.0), ("flood_stage", 95.0)];
/// The default limit of shards per node (`cluster.max_shards_per_node`).
const SHARDS_OF_A_NODE: u64 = 1_000;
/// The difference between clocks, in milliseconds, from which a warning is given.
const CLOCK_MILLIS: i64 = 2_000;

/// Returns the setting `name` from an answer with flat settings: the transient value, or else the persistent one, or
/// else the default.
fn setting<'a>(settings: &'a Value, name: &str) -> Option<&'a str> {
    ["transient", "persistent", "defaults"].iter().find_map(|kind| settings[*kind][name].as_str())
}

/// Judges the answer to `_cluster/health`.
pub(super) fn health(health: &Value) -> Finding {
    let subject = "elasticsearch: health";
    let nodes = &health["number_of_data_nodes"];
    match health["status"].as_str().unwrap_or("unknown") {
        "green" => Finding::ok(subject, format!("green, {nodes} data nodes")),
        "yellow" => {
            let found = format!("yellow, {nodes} data nodes: replicas are not assigned");
            Finding::warn(subject, found, "add a data node, or see _cluster/allocation/explain")
        }
        status => Finding::fail(subject, format!("{status}: shards are missing"), "see _cluster/allocation/explain"),
    }
}

/// Judges how much room the cluster has for more shards.
pub(super) fn shards(health: &Value, settings: &Value) -> Finding {
    let subject = "elasticsearch: shards";
    let of_node = setting(settings, "cluster.max_shards_per_node").and_then(|number| number.parse().ok());
    let most = of_node.unwrap_or(SHARDS_OF_A_NODE).saturating_mul(health["number_of_data_nodes"].as_u64().unwrap_or(1));
    let count = |name: &str| health[name].as_u64().unwrap_or(0);
    let used = count("active_shards") + count("unassigned_shards") + count("initializing_shards");
    let found = format!("{used} of {most} are in use (cluster.max_shards_per_node)");
    let todo = "delete or shrink old indices, or add data nodes: the next rollover fails without room";
    match most.saturating_sub(used) {
        left if left * 50 < most => Finding::fail(subject, found, todo),
        left if left * 10 < most => Finding::warn(subject, found, todo),
        _ => Finding::ok(subject, found),
    }
}

/// Judges blocks on the whole cluster. Returns `None` if there are none.
pub(super) fn blocks(settings: &Value) -> Option<Finding> {
    let names = ["cluster.blocks.read_only", "cluster.blocks.read_only_allow_delete"];
    let blocked = names.into_iter().find(|name| setting(settings, name) == Some("true"))?;
    let todo = "set it to null by PUT _cluster/settings, once its cause is fixed";
    Some(Finding::fail("elasticsearch: blocks", format!("{blocked} is set: nothing can be written"), todo))
}

/// Judges the disks of the nodes by the answer to `_cat/allocation` and the watermarks.
pub(super) fn disks(allocation: &Value, settings: &Value) -> Vec<Finding> {
    let watermark = |(name, default): (&str, f64)| {
        let setting = setting(settings, &format!("cluster.routing.allocation.disk.watermark.{name}"));
        // A watermark in bytes is not compared.
        setting.and_then(|percent| percent.strip_suffix('%')?.parse().ok()).unwrap_or(default)
    };
    let [low, high, flood] = WATERMARKS.map(watermark);
    let nodes = allocation.as_array().map(Vec::as_slice).unwrap_or_default();
    let judge = |node: &Value| {
        let percent: f64 = node["disk.percent"].as_str()?.parse().ok()?;
        let subject = format!("elasticsearch: disk of {}", node["node"].as_str().unwrap_or("a node"));
        let found = format!("{percent} % used; watermarks {low}, {high} and {flood} %");
        Some(match percent {
            percent if percent >= flood => {
                Finding::fail(subject, found, "free the disk: indices on it become read-only at the last watermark")
            }
            percent if percent >= low => {
                Finding::warn(subject, found, "free the disk, or add a data node: new shards do not go there")
            }
            _ => Finding::ok(subject, found),
        })
    };
    nodes.iter().filter_map(judge).collect()
}

/// Judges the clocks of the nodes, read between `before` and `after` (milliseconds since the Unix epoch), by the
/// margin of the placement.
pub(super) fn clocks(subject: &str, nodes: &Value, before: i64, after: i64, margin: i64) -> Finding {
    let nodes = nodes["nodes"].as_object().into_iter().flatten();
    let offset = |node: &Value| {
        let at = node["timestamp"].as_i64()?;
        // A difference within the duration of the request is not known.
        Some((at - after).max(0) - (before - at).max(0))
    };
    let all = nodes.filter_map(|(_, node)| Some((node["name"].as_str().unwrap_or("a node"), offset(node)?)));
    let Some((name, offset)) = all.max_by_key(|(_, offset)| offset.abs()) else {
        return Finding::warn(subject, "no node reports its time", "compare them by hand");
    };
    let found =
        format!("the clock of {name} is {offset} ms off the one here; elasticsearch.placement.margin is {margin} ms");
    let todo = "set both by NTP: a document may go to two indices if clocks differ by more than the margin";
    match offset.abs() {
        off if off >= margin / 2 => Finding::fail(subject, found, todo),
        off if off >= CLOCK_MILLIS => Finding::warn(subject, found, todo),
        _ => Finding::ok(subject, found),
    }
}

/// Judges blocks on the indices behind `name`, by the answer to `_settings` with flat settings.
pub(super) fn indices(name: &str, indices: &Value) -> Vec<Finding> {
    let subject = format!("elasticsearch: index {name}");
    let Some(found) = indices.as_object().filter(|indices| !indices.is_empty()) else {
        return vec![Finding::ok(subject, "it does not exist yet; it is created at start")];
    };
    let is_set = |index: &Value, block: &str| index["settings"][format!("index.blocks.{block}")] == "true";
    let with = |block: &str| {
        let names: Vec<&str> =
            found.iter().filter(|(_, index)| is_set(index, block)).map(|(name, _)| name.as_str()).collect();
        (!names.is_empty()).then(|| names.join(", "))
    };
    let mut findings = Vec::new();
    if let Some(names) = with("read_only_allow_delete") {
        let todo = "free the disk of their nodes; Elasticsearch then removes the block by itself";
        findings.push(Finding::fail(subject.clone(), format!("read-only because a disk is full: {names}"), todo));
    }
    for block in ["write", "read_only"] {
        if let Some(names) = with(block) {
            let todo = "nothing, if the lifecycle set the block: late events are placed elsewhere. Otherwise remove it";
            findings.push(Finding::warn(subject.clone(), format!("index.blocks.{block} is set: {names}"), todo));
        }
    }
    if findings.is_empty() {
        findings.push(Finding::ok(subject, format!("{} backing indices, none of them blocked", found.len())));
    }
    findings
}

/// Judges the lifecycle of the indices behind `name` by the answers to `_ilm/status` and `_ilm/explain`. The latter has
/// only indices with errors.
pub(super) fn lifecycle(name: &str, status: &Value, errors: &Value) -> Finding {
    let subject = format!("elasticsearch: lifecycle of {name}");
    if let Some(mode) = status["operation_mode"].as_str().filter(|mode| *mode != "RUNNING") {
        let found = format!("index lifecycle management is {mode}: nothing rolls over, and nothing is deleted");
        return Finding::warn(subject, found, "POST _ilm/start");
    }
    let failed = errors["indices"].as_object().into_iter().flatten().map(|(index, explained)| {
        let step = explained["failed_step"].as_str().unwrap_or("no step");
        let reason = explained["step_info"]["reason"].as_str().unwrap_or("its policy does not exist");
        format!("{index} ({step}): {reason}")
    });
    match failed.collect::<Vec<_>>().as_slice() {
        [] => Finding::ok(subject, "no step has failed"),
        failed => {
            let todo = "fix the cause, then POST INDEX/_ilm/retry: until then it neither rolls over nor is deleted";
            Finding::warn(subject, failed.join("; "), todo)
        }
    }
}

#[cfg(test)]
mod tests;
