//! Tests of the scopes of ids.

use super::*;

fn scopes(sources: &str) -> Vec<IdScope> {
    let config: Config = load_from("c.yaml", &format!("receiver: {{sources: {sources}}}"), &[]).unwrap();
    config.receiver.sources.keys().map(|name| config.id_scope(name)).collect()
}

fn source(name: &str, more: &str) -> String {
    format!("{name}: {{path: /{name}, subject: {name}, auth: {{type: none}}{more}}}")
}

#[test]
fn sources_that_share_a_topic_scope_their_ids_by_source() {
    use IdScope::{Source, Topic};
    const KEYED: &str = ", key_field: id";
    for (calls, chats, expected) in [
        (KEYED, KEYED, [Source, Source]),
        (KEYED, "", [Topic, Topic]),
        ("", "", [Topic, Topic]),
        (KEYED, ", key_field: id, topic: other", [Topic, Topic]),
        (", key_field: id, topic: cxone-events", KEYED, [Source, Source]),
        (", key_field: id, id_scope: topic", KEYED, [Topic, Source]),
        (", key_field: id, id_scope: topic", ", key_field: id, id_scope: topic", [Topic, Topic]),
        (", key_field: id, id_scope: source", ", key_field: id, topic: other", [Source, Topic]),
    ] {
        let both = format!("{{{}, {}}}", source("calls", calls), source("chats", chats));
        assert_eq!(scopes(&both), expected, "{both}");
    }
}
