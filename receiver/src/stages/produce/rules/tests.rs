use rdkafka::admin::{ConfigEntry, ConfigSource};

use super::*;

#[test]
fn a_rule_is_read_from_the_settings_of_a_topic() {
    let entry = |(name, value): &(&str, &str)| ConfigEntry {
        name: (*name).to_owned(),
        value: Some((*value).to_owned()),
        source: ConfigSource::Default,
        is_read_only: false,
        is_default: true,
        is_sensitive: false,
    };
    let read = |settings: &[(&str, &str)]| {
        let specifier = OwnedResourceSpecifier::Topic("a".to_owned());
        rule(&ConfigResource { specifier, entries: settings.iter().map(entry).collect() }).map(|(_, rule)| rule)
    };
    let settings = [("max.message.bytes", "9"), ("cleanup.policy", "delete,compact"), ("min.insync.replicas", "2")];
    assert_eq!(read(&settings), Some(Rule { max_bytes: 9, compacted: true, min_in_sync: 2 }));
    assert_eq!(read(&settings[..2]), Some(Rule { max_bytes: 9, compacted: true, min_in_sync: 1 }));
    assert_eq!(read(&settings[1..]), None);
}

#[test]
fn a_varint_has_seven_bits_per_byte_and_one_sign_bit() {
    for (number, len) in [(0, 1), (63, 1), (64, 2), (8_191, 2), (8_192, 3), (1_048_575, 3), (1_048_576, 4)] {
        assert_eq!(varint_len(number), len, "{number}");
    }
}

#[test]
fn the_smallest_limit_counts_and_unreported_rules_stay() {
    let rules = Rules::default();
    assert_eq!(rules.smallest(), None);
    let rule = |max_bytes| Rule { max_bytes, compacted: false, min_in_sync: 1 };
    rules.note(HashMap::from([("a".to_owned(), rule(5)), ("b".to_owned(), rule(9))]));
    rules.note(HashMap::from([("a".to_owned(), rule(20))]));
    assert_eq!(rules.smallest(), Some(9));
    assert_eq!(rules.of("a"), Some(rule(20)));
}

#[test]
fn rules_that_kafka_did_not_answer_are_requested_again_soon() {
    let rules = Rules::default();
    assert_eq!(rules.interval(), INTERVAL);
    for seconds in [5, 10, 15, 15] {
        rules.note_asked(false);
        assert_eq!(rules.interval(), Duration::from_secs(seconds));
    }
    rules.note_asked(true);
    assert_eq!(rules.interval(), INTERVAL);
    assert!(!is_answer(RDKafkaErrorCode::OperationTimedOut), "it may answer next time");
    assert!(!is_answer(RDKafkaErrorCode::UnknownTopicOrPartition), "the topic may be created");
    assert!(is_answer(RDKafkaErrorCode::TopicAuthorizationFailed), "it refuses each time");
}

#[tokio::test(start_paused = true)]
async fn topic_settings_are_read_again_before_an_event_is_refused() {
    let rules = Rules::default();
    let rule = |max_bytes| HashMap::from([("a".to_owned(), Rule { max_bytes, compacted: false, min_in_sync: 1 })]);
    assert!(!rules.refresh("a").await, "nothing is known that could be wrong");
    rules.note(rule(5));
    rules.note_asked(true);
    assert!(!rules.refresh("a").await, "it is fresh");
    tokio::time::advance(FRESH).await;
    let asking = async {
        rules.refresh_requested().await;
        rules.note(rule(9));
        rules.note_asked(true);
    };
    let (refreshed, other, ()) = tokio::join!(rules.refresh("a"), rules.refresh("a"), asking);
    assert_eq!((refreshed, other, rules.of("a").map(|rule| rule.max_bytes)), (true, true, Some(9)));
    tokio::time::advance(FRESH).await;
    assert!(!rules.refresh("a").await, "Kafka does not say");
}
