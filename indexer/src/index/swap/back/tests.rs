//! The way back, step by step. What a process that is killed leaves to the next one is in `tests/it/swap.rs`.

use super::*;
use crate::bulk::tests::stub::{Received, Reply, Stub};
use crate::index::swap::tests::index;

fn member(index: &str) -> Member {
    Member { index: index.to_owned(), is_write_index: true }
}

/// Answers for an index `old` whose mapping keeps `meta`.
fn keeps(received: &Received, meta: &Value) -> Reply {
    match received.line.starts_with("GET ") {
        true => Reply::Answer(200, json!({ "old": { "mappings": { "_meta": meta } } }).to_string()),
        false => Reply::Answer(200, "{}".to_owned()),
    }
}

#[tokio::test]
async fn that_it_is_not_done_is_noted_before_the_alias_moves_and_nothing_else_is_forgotten() {
    let stub = Stub::start(|received| keeps(received, &json!({ "penstock_swap": { "from": "0:1" } }))).await;
    let way_back = WayBack::of(&index(&stub));
    let replaced = Replaced { indices: vec![member("old")], closed: vec!["old".to_owned()], from: "0:7".to_owned() };
    let mut returned = way_back.move_back(&[member("new")], &replaced).await.unwrap();
    returned.is_done = true;
    way_back.note_returned(&returned).await.unwrap();

    let sent: Vec<(String, Value)> = stub
        .requests()
        .into_iter()
        .filter(|received| !received.line.starts_with("GET "))
        .map(|received| (received.line, serde_json::from_str(&received.body).unwrap_or_default()))
        .collect();
    let lines: Vec<&str> = sent.iter().map(|(line, _)| line.trim_end_matches(" http/1.1")).collect();
    assert_eq!(lines, ["PUT /old/_settings", "PUT /old/_mapping", "POST /_aliases", "PUT /old/_mapping"]);
    for (number, is_done) in [(1, false), (3, true)] {
        let back = json!({ "left": ["new"], "from": "0:7", "is_done": is_done });
        let meta = json!({ "penstock_swap": { "from": "0:1" }, "penstock_swap_back": back });
        assert_eq!(sent[number].1, json!({ "_meta": meta }));
    }
}

#[tokio::test]
async fn what_leads_to_other_indices_than_those_behind_the_alias_does_not_count() {
    let meta = json!({ "penstock_swap_back": { "left": ["new"], "from": "0:7", "is_done": false } });
    let stub = Stub::start(move |received| keeps(received, &meta)).await;
    let way_back = WayBack::of(&index(&stub));
    let returned = way_back.returned(&[member("old")]).await.unwrap().unwrap();
    assert_eq!((returned.home.as_str(), returned.from.as_str(), returned.is_done), ("old", "0:7", false));
    // It was swapped again since.
    assert_eq!(way_back.returned(&[member("old"), member("new")]).await.unwrap(), None);
}
