use config::{check, load_from};

use super::*;

const TWO: &str = "
elasticsearch: {strategy: time, verify_duplicates: by_timestamp, placement: {margin: 10s}}
indexer:
  group_instance_id: a
  max_in_flight_requests: 5
  max_in_flight_bytes: 64MiB
  topics:
    calls: {}
    chats: {index_name: talk, strategy: single, on_duplicate: keep_last, placement: {margin: 5s}}
";

#[test]
fn without_topics_the_topic_of_kafka_is_used() {
    let topics = Config::default().of_topics();
    assert_eq!(topics.len(), 1);
    assert_eq!(topics[0].kafka.topic, "cxone-events");
    assert_eq!(topics[0].elasticsearch.index_name, "cxone-events");
}

#[test]
fn each_topic_has_its_own_settings_and_shares_the_rest() {
    let topics = load_from::<Config>("c.yaml", TWO, &[]).unwrap().of_topics();
    let [calls, chats] = &topics[..] else { panic!("{topics:?}") };
    assert_eq!((calls.kafka.topic.as_str(), calls.elasticsearch.index_name.as_str()), ("calls", "calls"));
    assert_eq!((chats.kafka.topic.as_str(), chats.elasticsearch.index_name.as_str()), ("chats", "talk"));
    assert_eq!((calls.elasticsearch.strategy, chats.elasticsearch.strategy), (Strategy::Time, Strategy::Single));
    let margins = topics.iter().map(|config| config.elasticsearch.placement.margin.as_secs());
    assert_eq!(margins.collect::<Vec<_>>(), [10, 5]);
    let on_duplicate = topics.iter().map(|config| config.elasticsearch.on_duplicate);
    assert_eq!(on_duplicate.collect::<Vec<_>>(), [OnDuplicate::KeepFirst, OnDuplicate::KeepLast]);
    let verified = |config: &Config| config.elasticsearch.verify_duplicates == VerifyDuplicates::ByTimestamp;
    assert!(topics.iter().all(verified));
    assert_eq!(calls.indexer.group_instance_id.as_deref(), Some("a-calls"));
}

#[test]
fn topics_share_a_group_unless_configured_otherwise() {
    let mut config = load_from::<Config>("c.yaml", TWO, &[]).unwrap();
    let groups =
        |config: &Config| config.of_topics().into_iter().map(|topic| topic.indexer.group_id).collect::<Vec<_>>();
    assert_eq!(groups(&config), ["penstock-indexer", "penstock-indexer"]);
    config.indexer.group_per_topic = true;
    assert_eq!(groups(&config), ["penstock-indexer-calls", "penstock-indexer-chats"]);
}

#[test]
fn rules_that_hide_values_apply_to_a_topic_without_its_own() {
    let text = "
elasticsearch: {documents: {fields: {a: hash}, hash_secret: 0123456789abcdef}}
indexer:
  topics:
    plain: {}
    epoch: {documents: {timestamps: epoch}}
    own: {documents: {fields: {b: hash}}}
    none: {documents: {fields: {}}}
";
    let config: Config = load_from("c.yaml", text, &[]).unwrap();
    let mut hidden: Vec<_> = config
        .of_topics()
        .iter()
        .map(|topic| {
            let rules = topic.elasticsearch.documents.field_rules().unwrap();
            (topic.kafka.topic.clone(), rules.hides("a"), rules.hides("b"))
        })
        .collect();
    hidden.sort();
    let expected = [("epoch", true, false), ("none", false, false), ("own", false, true), ("plain", true, false)];
    assert_eq!(hidden, expected.map(|(topic, a, b)| (topic.to_owned(), a, b)));
}

#[test]
fn common_limits_are_divided_among_the_topics() {
    for config in load_from::<Config>("c.yaml", TWO, &[]).unwrap().of_topics() {
        assert_eq!(config.indexer.max_in_flight_requests, 2);
        assert_eq!(config.indexer.max_in_flight_bytes.as_u64(), 32 << 20);
    }
}

#[test]
fn problems_of_one_topic_are_reported_with_its_name() {
    for (topics, expected) in [
        (
            "{calls: {strategy: data_stream, on_duplicate: keep_last}}",
            "indexer.topics.calls: elasticsearch.on_duplicate",
        ),
        ("{calls: {on_duplicate: keep_last}}", "indexer.topics.calls: elasticsearch.on_duplicate: keep_last needs"),
        ("{calls: {index_name: Calls}}", "indexer.topics.calls: elasticsearch.index_name"),
        (
            "{calls: {index_name: x}, chats: {index_name: x}}",
            "indexer.topics.chats.index_name: x is already the index of calls",
        ),
        (
            "{calls: {index_name: x}, chats: {index_name: x-000002, strategy: single}}",
            "indexer.topics.chats.index_name: x-000002 may be the name of an index of calls",
        ),
        (
            "{calls: {index_name: x, strategy: time}, chats: {index_name: x-2026.11}}",
            "indexer.topics.chats.index_name: x-2026.11 may be the name of an index of calls",
        ),
        (
            "{cxone-events-dead-letters: {}}",
            "indexer.topics.cxone-events-dead-letters: must not be kafka.dead_letter_topic",
        ),
        ("{a b: {index_name: x}}", "indexer.topics.a b: must be the name of a topic"),
        ("{a: {}, b: {}, c: {}, d: {}, e: {}}", "indexer.max_in_flight_requests: must be at least 5"),
    ] {
        let error = load_from::<Config>("c.yaml", &format!("indexer: {{topics: {topics}}}"), &[]);
        let reported = match &error {
            Err(error) => error.to_string(),
            Ok(config) => format!("{:?}", check(config)),
        };
        assert!(reported.contains(expected), "{topics}: {reported}");
    }
}
