use super::*;
use crate::config::Delete;

fn policy() -> LifecyclePolicy {
    LifecyclePolicy {
        policy_name: "p".to_owned(),
        hot: Hot {
            rollover_max_age: Some("1d".to_owned()),
            rollover_max_size: Some("50gb".to_owned()),
            rollover_max_docs: Some(7),
            priority: Some(100),
            ..Hot::default()
        },
        warm: Some(Warm {
            min_age: "2d".to_owned(),
            forcemerge_segments: Some(1),
            shrink_shards: Some(2),
            readonly: true,
            priority: Some(50),
        }),
        cold: Some(Cold { min_age: "30d".to_owned(), readonly: true, priority: None }),
        delete: Some(Delete { min_age: "90d".to_owned() }),
    }
}

#[test]
fn each_key_becomes_an_action_of_its_phase() {
    let expected = json!({ "phases": {
        "hot": { "min_age": "0ms", "actions": {
            "rollover": { "max_age": "1d", "max_size": "50gb", "max_docs": 7 }, "set_priority": { "priority": 100 }
        } },
        "warm": { "min_age": "2d", "actions": {
            "set_priority": { "priority": 50 }, "readonly": {},
            "shrink": { "number_of_shards": 2 }, "forcemerge": { "max_num_segments": 1 }
        } },
        "cold": { "min_age": "30d", "actions": { "readonly": {} } },
        "delete": { "min_age": "90d", "actions": { "delete": {} } },
    } });
    assert_eq!(ilm(&policy()), expected);
}

#[test]
fn absent_keys_are_not_sent() {
    let policy = LifecyclePolicy {
        hot: Hot { rollover_max_size: Some("1gb".to_owned()), ..Hot::default() },
        warm: None,
        cold: None,
        delete: None,
        ..policy()
    };
    let hot = json!({ "min_age": "0ms", "actions": { "rollover": { "max_size": "1gb" } } });
    assert_eq!(ilm(&policy), json!({ "phases": { "hot": hot } }));
}

#[test]
fn opensearch_phases_are_consecutive_states() {
    let ism = ism(&policy(), &["e-*".to_owned()], "ours");
    let states = ism["policy"]["states"].as_array().unwrap();
    let names: Vec<_> = states.iter().map(|state| state["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["hot", "warm", "cold", "delete"]);
    assert_eq!(states[0]["transitions"], json!([{ "state_name": "warm", "conditions": { "min_rollover_age": "2d" } }]));
    assert_eq!(
        states[0]["actions"],
        json!([
            { "index_priority": { "priority": 100 } },
            { "rollover": { "min_index_age": "1d", "min_size": "50gb", "min_doc_count": 7 } }
        ])
    );
    assert_eq!(states[3]["transitions"], json!([]));
    assert_eq!(ism["policy"]["ism_template"][0]["index_patterns"], json!(["e-*"]));
}

#[test]
fn for_opensearch_one_policy_is_for_the_indices_of_all_index_sets() {
    let ism = ism(&policy(), &["e-*".to_owned(), "e-calls-*".to_owned()], "ours");
    let expected = json!([
        { "index_patterns": ["e-*"], "priority": 501 },
        { "index_patterns": ["e-calls-*"], "priority": 507 },
    ]);
    assert_eq!(ism["policy"]["ism_template"], expected);
}
