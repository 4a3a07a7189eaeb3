//! Tests the sections as they are loaded and printed.

use ::config::load_from;

use super::*;

#[test]
fn secrets_are_redacted_in_debug_and_serialised_forms() {
    let text =
        "elasticsearch: {url: 'https://a:9200,https://me:hunter2/@b:9200', auth: {type: api_key, api_key: hunter2}}";
    let config: Config = load_from("p.yaml", text, &[]).unwrap();
    let shown = format!("{config:?} {config:#?} {}", serde_json::to_string(&config).unwrap());
    assert!(!shown.contains("hunter2") && shown.contains("b:9200"), "{shown}");
}

#[test]
fn sections_of_the_receiver_are_ignored() {
    let text = "receiver: {no_such_key: '${NOT_SET}'}\ncxone: 7\n";
    let config: Config = load_from("p.yaml", text, &[]).unwrap();
    assert_eq!(config.indexer.group_id, "penstock-indexer");
    let error = load_from::<Config>("p.yaml", "reciever: {}", &[]).unwrap_err();
    assert_eq!(error.to_string(), "p.yaml:1: unknown key reciever; did you mean receiver?");
}
