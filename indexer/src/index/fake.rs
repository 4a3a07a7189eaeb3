//! A simulated Elasticsearch with policies, templates, aliases, indices and mappings, as far as the tests of this
//! folder need them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::bulk::tests::stub::{Received, Reply, Stub, failure};

/// What the server stores, by path without the query.
pub(super) type Store = Arc<Mutex<BTreeMap<String, Value>>>;

/// Starts the server on a free port. Returns it with its store.
pub(super) async fn start() -> (Stub, Store) {
    let store = Store::default();
    let held = Arc::clone(&store);
    (Stub::start(move |received| answer(&mut held.lock().unwrap(), received)).await, store)
}

/// Returns method and path of each request that changes something.
pub(super) fn changes(stub: &Stub) -> Vec<String> {
    let lines = stub.requests().into_iter().map(|request| request.line.trim_end_matches(" http/1.1").to_owned());
    lines.filter(|line| line.starts_with("PUT ")).collect()
}

pub(super) fn answer(store: &mut BTreeMap<String, Value>, received: &Received) -> Reply {
    let mut words = received.line.split(' ');
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let path = path.split('?').next().unwrap();
    let found = match method {
        "PUT" => return put(store, path, serde_json::from_str(&received.body).unwrap_or_default()),
        "HEAD" => head(store, path),
        _ => get(store, path),
    };
    found.map_or_else(|| failure(404, "not_found"), |body| Reply::Answer(200, body.to_string()))
}

fn put(store: &mut BTreeMap<String, Value>, path: &str, body: Value) -> Reply {
    let index = path.trim_end_matches("/_mapping");
    if index != path {
        add(&mut store.get_mut(index).unwrap()["mappings"], &body);
    } else if path.ends_with("/_settings") {
    } else if !path.starts_with("/_") && store.contains_key(path) {
        return failure(400, "resource_already_exists_exception");
    } else {
        store.insert(path.to_owned(), body);
    }
    Reply::Answer(200, "{}".to_owned())
}

/// Merges fields as Elasticsearch does.
fn add(into: &mut Value, from: &Value) {
    if let Some(dynamic) = from.get("dynamic") {
        into["dynamic"] = dynamic.clone();
    }
    for (name, field) in from["properties"].as_object().into_iter().flatten() {
        if into["properties"][name].is_null() {
            into["properties"][name] = field.clone();
        } else {
            add(&mut into["properties"][name], field);
        }
    }
}

fn head(store: &BTreeMap<String, Value>, path: &str) -> Option<Value> {
    match path.strip_prefix("/_alias/") {
        Some(alias) => store.values().find(|index| !index["aliases"][alias].is_null()).cloned(),
        None => store.get(path).cloned(),
    }
}

fn get(store: &BTreeMap<String, Value>, path: &str) -> Option<Value> {
    if let Some(alias) = path.strip_prefix("/_alias/") {
        let behind = store.iter().filter(|(_, index)| !index["aliases"][alias].is_null());
        let indices: serde_json::Map<String, Value> =
            behind.map(|(key, index)| (key[1..].to_owned(), json!({ "aliases": index["aliases"] }))).collect();
        return (!indices.is_empty()).then_some(Value::Object(indices));
    }
    if let Some(name) = path.strip_suffix("/_mapping") {
        let alias = &name[1..];
        let is_one = |(key, index): &(&String, &Value)| *key == name || !index["aliases"][alias].is_null();
        let indices: serde_json::Map<String, Value> = store
            .iter()
            .filter(is_one)
            .map(|(key, index)| (key[1..].to_owned(), json!({ "mappings": index["mappings"] })))
            .collect();
        return (!indices.is_empty()).then_some(Value::Object(indices));
    }
    let body = store.get(path)?.clone();
    let name = path.rsplit('/').next().unwrap();
    Some(match path.split('/').nth(1).unwrap() {
        "_ilm" => json!({ name: body }),
        "_component_template" => json!({ "component_templates": [{ "name": name, "component_template": body }] }),
        "_index_template" => json!({ "index_templates": [{ "name": name, "index_template": body }] }),
        _ => body,
    })
}
