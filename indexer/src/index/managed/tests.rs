use super::*;

fn live(content: &Value, meta: Value) -> Live {
    Live { content: content.clone(), meta }
}

#[test]
fn missing_resources_are_made_and_ours_follow_the_config() {
    let (old, new) = (json!({"a": 1}), json!({"a": 2}));
    assert_eq!(decide(&new, None, false), Decision::Make);
    assert_eq!(decide(&old, Some(&live(&old, mark(&old, &hash(&old)))), false), Decision::Leave);
    assert_eq!(decide(&new, Some(&live(&old, mark(&old, &hash(&old)))), false), Decision::Update);
}

#[test]
fn defaults_filled_in_by_elasticsearch_are_not_manual_changes() {
    let (sent, given_back, new) = (json!({"a": 1}), json!({"a": 1, "default": true}), json!({"a": 2}));
    let filled_in = live(&given_back, mark(&sent, &hash(&given_back)));
    assert!(!filled_in.is_theirs());
    assert_eq!(decide(&sent, Some(&filled_in), false), Decision::Leave);
    assert_eq!(decide(&new, Some(&filled_in), false), Decision::Update);
}

#[test]
fn manual_changes_are_kept_until_setup_is_forced() {
    let (ours, theirs, new) = (json!({"a": 1}), json!({"a": 7}), json!({"a": 2}));
    let changed = live(&theirs, mark(&ours, &hash(&ours)));
    assert_eq!(decide(&new, Some(&changed), false), Decision::KeepTheirs);
    // The config has not changed, so there is nothing to update.
    assert_eq!(decide(&ours, Some(&changed), false), Decision::Leave);
    for wanted in [&new, &ours] {
        assert_eq!(decide(wanted, Some(&changed), true), Decision::Update);
    }
    let foreign = live(&theirs, json!({"description": "mine"}));
    assert_eq!(decide(&new, Some(&foreign), false), Decision::KeepTheirs);
}

#[test]
fn an_older_version_keeps_what_a_newer_one_wrote() {
    let content = json!({"a": 1});
    let mut meta = mark(&content, &hash(&content));
    for (version, expected) in [("99.0.0", Decision::KeepNewer), ("0.0.1", Decision::Update), ("?", Decision::Update)] {
        meta[MARK]["version"] = json!(version);
        assert_eq!(decide(&json!({"a": 2}), Some(&live(&content, meta.clone())), false), expected, "{version}");
    }
}

#[test]
fn the_order_of_keys_does_not_change_the_hash() {
    let one: Value = serde_json::from_str(r#"{"a":{"x":1,"y":[1,2]},"b":2}"#).unwrap();
    let other: Value = serde_json::from_str(r#"{"b":2,"a":{"y":[1,2],"x":1}}"#).unwrap();
    assert_eq!(hash(&one), hash(&other));
    assert_ne!(hash(&one), hash(&json!({"b": 2, "a": {"y": [2, 1], "x": 1}})));
}

#[test]
fn an_opensearch_policy_is_marked_by_its_description() {
    let content = json!({"policy": {"description": "", "states": []}});
    let policy = Managed { kind: Kind::IsmPolicy, name: "p".to_owned(), content: content.clone() };
    let body = policy.body(Value::Null);
    let answer = json!({"_seq_no": 1, "policy": body["policy"].clone()});
    let live = Live { meta: ism_meta(&answer), content: answer };
    assert_eq!(decide(&content, Some(&live), false), Decision::Leave);
    assert_eq!(decide(&json!({}), Some(&live), false), Decision::Update);
    assert_eq!(ism_meta(&json!({"policy": {"description": "by hand"}})), Value::Null);
}
