//! Builds the lifecycle policy as a request body, for index lifecycle management or for `OpenSearch`'s Index State
//! Management. Pure.
//!
//! Elasticsearch reference, "Index lifecycle actions"; documentation of `OpenSearch`, "ISM policies".

use serde_json::{Map, Value, json};

use crate::config::{Cold, Hot, LifecyclePolicy, Warm};

/// The base priority of the index template: above Elastic's own templates for the same patterns, which have 100 to
/// 200.
const PRIORITY: usize = 500;

/// Returns the priority of the template of the index `name`. The names of the index `X-Y` also match the pattern of
/// the index `X`, so the longer name must win. Elasticsearch refuses two templates of equal priority that match the
/// same name; with this rule ours never do.
pub(super) fn priority(name: &str) -> usize {
    PRIORITY + name.len()
}

/// Returns the policy for `PUT _ilm/policy/{name}`, without its envelope.
pub(super) fn ilm(policy: &LifecyclePolicy) -> Value {
    let mut phases = Map::new();
    let mut phase = |name: &str, min_age: &str, actions: Map<String, Value>| {
        phases.insert(name.to_owned(), json!({ "min_age": min_age, "actions": actions }));
    };
    phase("hot", "0ms", hot(&policy.hot));
    if let Some(part) = &policy.warm {
        phase("warm", &part.min_age, warm(part));
    }
    if let Some(part) = &policy.cold {
        phase("cold", &part.min_age, cold(part));
    }
    if let Some(part) = &policy.delete {
        phase("delete", &part.min_age, Map::from_iter([("delete".to_owned(), json!({}))]));
    }
    json!({ "phases": phases })
}

fn hot(hot: &Hot) -> Map<String, Value> {
    let mut conditions = Map::new();
    let texts = [
        ("max_age", &hot.rollover_max_age),
        ("max_size", &hot.rollover_max_size),
        ("max_primary_shard_size", &hot.rollover_max_primary_shard_size),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            conditions.insert(name.to_owned(), json!(text));
        }
    }
    if let Some(documents) = hot.rollover_max_docs {
        conditions.insert("max_docs".to_owned(), json!(documents));
    }
    let mut actions = Map::new();
    if !conditions.is_empty() {
        actions.insert("rollover".to_owned(), Value::Object(conditions));
    }
    set_priority(hot.priority, &mut actions);
    actions
}

fn warm(warm: &Warm) -> Map<String, Value> {
    let mut actions = Map::new();
    set_priority(warm.priority, &mut actions);
    if warm.readonly {
        actions.insert("readonly".to_owned(), json!({}));
    }
    if let Some(shards) = warm.shrink_shards {
        actions.insert("shrink".to_owned(), json!({ "number_of_shards": shards }));
    }
    if let Some(segments) = warm.forcemerge_segments {
        actions.insert("forcemerge".to_owned(), json!({ "max_num_segments": segments }));
    }
    actions
}

fn cold(cold: &Cold) -> Map<String, Value> {
    let mut actions = Map::new();
    set_priority(cold.priority, &mut actions);
    if cold.readonly {
        actions.insert("readonly".to_owned(), json!({}));
    }
    actions
}

fn set_priority(priority: Option<u32>, actions: &mut Map<String, Value>) {
    if let Some(priority) = priority {
        actions.insert("set_priority".to_owned(), json!({ "priority": priority }));
    }
}

/// Returns the policy for `PUT _plugins/_ism/policies/{name}`, for the indices of `patterns`. `description` stands in
/// it.
pub(super) fn ism(policy: &LifecyclePolicy, patterns: &[String], description: &str) -> Value {
    let template = |pattern: &String| {
        let priority = priority(pattern.trim_end_matches("-*"));
        json!({ "index_patterns": [pattern], "priority": priority })
    };
    let templates: Vec<Value> = patterns.iter().map(template).collect();
    let phases = [
        Some(("hot", None, ism_hot(&policy.hot))),
        policy.warm.as_ref().map(|part| ("warm", Some(&part.min_age), ism_warm(part))),
        policy.cold.as_ref().map(|part| ("cold", Some(&part.min_age), ism_actions(part.priority, part.readonly))),
        policy.delete.as_ref().map(|part| ("delete", Some(&part.min_age), vec![json!({ "delete": {} })])),
    ];
    let phases: Vec<_> = phases.into_iter().flatten().collect();
    let rolls_over = !ism_rollover(&policy.hot).is_empty();
    let states: Vec<Value> = phases
        .iter()
        .enumerate()
        .map(|(index, (name, _, actions))| {
            let next = phases.get(index + 1).and_then(|(name, min_age, _)| Some((name, min_age.as_ref()?)));
            let condition = if rolls_over { "min_rollover_age" } else { "min_index_age" };
            let transitions: Vec<Value> = next
                .map(|(name, age)| json!({ "state_name": name, "conditions": { condition: age } }))
                .into_iter()
                .collect();
            json!({ "name": name, "actions": actions, "transitions": transitions })
        })
        .collect();
    json!({ "policy": {
        "description": description,
        "default_state": "hot",
        "states": states,
        "ism_template": templates,
    } })
}

fn ism_rollover(hot: &Hot) -> Map<String, Value> {
    let mut conditions = Map::new();
    let texts = [
        ("min_index_age", &hot.rollover_max_age),
        ("min_size", &hot.rollover_max_size),
        ("min_primary_shard_size", &hot.rollover_max_primary_shard_size),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            conditions.insert(name.to_owned(), json!(text));
        }
    }
    if let Some(documents) = hot.rollover_max_docs {
        conditions.insert("min_doc_count".to_owned(), json!(documents));
    }
    conditions
}

fn ism_hot(hot: &Hot) -> Vec<Value> {
    let conditions = ism_rollover(hot);
    let mut actions = ism_actions(hot.priority, false);
    if !conditions.is_empty() {
        actions.push(json!({ "rollover": conditions }));
    }
    actions
}

fn ism_warm(warm: &Warm) -> Vec<Value> {
    let mut actions = ism_actions(warm.priority, warm.readonly);
    if let Some(shards) = warm.shrink_shards {
        actions.push(json!({ "shrink": { "num_new_shards": shards } }));
    }
    if let Some(segments) = warm.forcemerge_segments {
        actions.push(json!({ "force_merge": { "max_num_segments": segments } }));
    }
    actions
}

fn ism_actions(priority: Option<u32>, readonly: bool) -> Vec<Value> {
    let priority = priority.map(|priority| json!({ "index_priority": { "priority": priority } }));
    priority.into_iter().chain(readonly.then(|| json!({ "read_only": {} }))).collect()
}

#[cfg(test)]
mod tests;
