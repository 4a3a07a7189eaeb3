use serde_json::json;

use super::super::finding::Grade;
use super::*;

#[test]
fn a_lack_of_shards_is_reported_before_a_rollover_fails() {
    let health = |active: u64| json!({"number_of_data_nodes": 2, "active_shards": active, "unassigned_shards": 10});
    let settings = json!({"persistent": {"cluster.max_shards_per_node": "500"}, "defaults": {}});
    for (active, expected) in
        [(100, Grade::Ok), (890, Grade::Ok), (891, Grade::Warn), (971, Grade::Fail), (2_000, Grade::Fail)]
    {
        assert_eq!(shards(&health(active), &settings).grade, expected, "{active}");
    }
    assert_eq!(shards(&health(1_500), &json!({})).grade, Grade::Ok, "the default is 1,000 for each node");
}

#[test]
fn a_disk_is_judged_by_the_watermarks_of_the_cluster() {
    let allocation =
        |percent: &str| json!([{"node": "a", "disk.percent": percent}, {"node": "UNASSIGNED", "disk.percent": null}]);
    let settings = json!({"transient": {"cluster.routing.allocation.disk.watermark.low": "50%"}});
    for (percent, settings, expected) in [
        ("84", &json!({}), Grade::Ok),
        ("85", &json!({}), Grade::Warn),
        ("95", &json!({}), Grade::Fail),
        ("49", &settings, Grade::Ok),
        ("50", &settings, Grade::Warn),
        ("60", &json!({"persistent": {"cluster.routing.allocation.disk.watermark.low": "10gb"}}), Grade::Ok),
    ] {
        let findings = disks(&allocation(percent), settings);
        assert_eq!(findings.iter().map(|finding| finding.grade).collect::<Vec<_>>(), [expected], "{percent}");
    }
}

#[test]
fn a_clock_difference_within_the_request_time_is_ignored() {
    let nodes =
        |at: i64| json!({"nodes": {"x": {"name": "a", "timestamp": at}, "y": {"name": "b", "timestamp": 1_000_100}}});
    for (at, expected) in [
        (1_000_000, Grade::Ok),
        (1_000_200, Grade::Ok),
        (1_002_000, Grade::Ok),
        (1_002_200, Grade::Warn),
        (998_000, Grade::Warn),
        (1_015_200, Grade::Fail),
        (985_000, Grade::Fail),
    ] {
        assert_eq!(clocks("clocks", &nodes(at), 1_000_000, 1_000_200, 30_000).grade, expected, "{at}");
    }
    assert_eq!(clocks("clocks", &json!({}), 0, 0, 30_000).grade, Grade::Warn);
}

#[test]
fn blocks_are_graded_by_their_kind() {
    let index = |block: &str| json!({"e-000001": {"settings": {format!("index.blocks.{block}"): "true"}}, "e-000002": {"settings": {}}});
    assert_eq!(indices("e", &index("write"))[0].grade, Grade::Warn);
    assert_eq!(indices("e", &index("read_only_allow_delete"))[0].grade, Grade::Fail);
    assert_eq!(indices("e", &index("metadata"))[0].grade, Grade::Ok);
    assert_eq!(indices("e", &json!({}))[0].grade, Grade::Ok);
    assert!(blocks(&json!({"persistent": {"cluster.blocks.read_only": "true"}})).is_some());
    assert!(blocks(&json!({"persistent": {}, "defaults": {"cluster.blocks.read_only": "false"}})).is_none());
    for (status, expected) in [("green", Grade::Ok), ("yellow", Grade::Warn), ("red", Grade::Fail)] {
        assert_eq!(health(&json!({"status": status, "number_of_data_nodes": 1})).grade, expected);
    }
}

/// The shapes of `_ilm/explain?only_errors=true`: a step that failed, and an index whose policy does not exist.
#[test]
fn a_lifecycle_that_stands_still_is_reported() {
    let info = json!({"type": "illegal_argument_exception", "reason": "alias [x] does not point to index [e-000001]"});
    let step = json!({"indices": {"e-000001": {"managed": true, "policy": "p", "step": "ERROR",
        "failed_step": "check-rollover-ready", "is_auto_retryable_error": true, "step_info": info}}});
    let policy = json!({"indices": {"e-000001": {"managed": true, "policy": "gone"}}});
    for (mode, errors, expected, words) in [
        ("RUNNING", &json!({"indices": {}}), Grade::Ok, ""),
        ("STOPPED", &json!({"indices": {}}), Grade::Warn, "is STOPPED"),
        ("RUNNING", &step, Grade::Warn, "e-000001 (check-rollover-ready): alias [x] does not point to"),
        ("RUNNING", &policy, Grade::Warn, "e-000001 (no step): its policy does not exist"),
    ] {
        let finding = lifecycle("e", &json!({"operation_mode": mode}), errors);
        assert_eq!(finding.grade, expected, "{finding}");
        assert!(finding.found.contains(words), "{finding}");
    }
    assert_eq!(lifecycle("e", &Value::Null, &Value::Null).grade, Grade::Ok, "there is no index, and no right to ask");
}
