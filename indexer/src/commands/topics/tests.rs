//! Tests the plan, and how a topic differs from it. The scenarios test the effect in Kafka.

use clap::Parser;
use config::load_from;

use super::plan::{names, plan};
use super::*;

#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    topics: bool,
    #[command(flatten)]
    settings: Settings,
}

fn settings(arguments: &[&str]) -> Settings {
    Arguments::parse_from(["setup", "--topics"].iter().chain(arguments)).settings
}

fn config(text: &str) -> Config {
    load_from("p.yaml", text, &[]).unwrap()
}

fn existing(replicas: usize, settings: &[(&str, &str)]) -> Existing {
    let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Existing { replicas, settings }
}

fn planned(topics: &[(&str, Existing)], arguments: &[&str]) -> BTreeMap<String, Plan> {
    let config = config("kafka: {topic: e, dead_letter_topic: d, quarantine_topic: q}");
    let existing = topics.iter().map(|(name, existing)| ((*name).to_owned(), existing.clone())).collect();
    plan(&config, &settings(arguments), &existing).into_iter().collect()
}

#[test]
fn every_consumed_topic_is_a_topic_of_events() {
    let config = config("kafka: {dead_letter_topic: d, quarantine_topic: q}\nindexer: {topics: {a: {}, b: {}}}");
    let roles = [("a", Role::Events), ("b", Role::Events), ("d", Role::DeadLetters), ("q", Role::Quarantine)];
    assert_eq!(names(&config), roles.map(|(name, role)| (name.to_owned(), role)).into());
}

#[test]
fn dead_letters_may_be_larger_and_are_kept_longer_than_events() {
    let number = |plan: &Plan, key: &str| plan.settings[key].parse::<i64>().unwrap();
    let fresh = planned(&[], &[]);
    for key in ["retention.ms", "max.message.bytes"] {
        assert!(number(&fresh["d"], key) > number(&fresh["e"], key), "{key}");
        assert_eq!(number(&fresh["d"], key), number(&fresh["q"], key), "{key}");
    }
    let large = existing(3, &[("max.message.bytes", "52428800"), ("retention.ms", "31536000000")]);
    let beside = planned(&[("e", large)], &[]);
    assert!(number(&beside["d"], "max.message.bytes") > 52_428_800);
    assert!(number(&beside["d"], "retention.ms") > 31_536_000_000);
    let for_ever = planned(&[("e", existing(3, &[("retention.ms", "-1")]))], &[]);
    assert_eq!(number(&for_ever["d"], "retention.ms"), -1);
}

#[test]
fn only_settings_worse_than_planned_are_differences() {
    let wanted = &planned(&[], &[])["d"];
    let good = [("min.insync.replicas", "2"), ("retention.ms", "-1"), ("max.message.bytes", "104857600")];
    assert_eq!(wanted.differences(&existing(3, &good)), Vec::<String>::new());
    for (replicas, key, value, said) in [
        (1, "x", "x", "replication factor is 1, not 3"),
        (3, "min.insync.replicas", "1", "min.insync.replicas is 1, not 2"),
        (3, "min.insync.replicas", "3", "one broker down stops all writes"),
        (3, "retention.ms", "1000", "retention.ms is 1000, not 2592000000"),
        (3, "max.message.bytes", "1048588", "max.message.bytes is 1048588, not 1179648"),
        (3, "cleanup.policy", "compact,delete", "cleanup.policy is compact,delete"),
    ] {
        let mut topic = existing(replicas, &good);
        topic.settings.insert(key.to_owned(), value.to_owned());
        let differences = wanted.differences(&topic);
        assert!(differences.iter().any(|difference| difference.contains(said)), "{said}: {differences:?}");
    }
}

#[test]
fn contradicting_settings_are_refused_by_name() {
    for (arguments, named) in [
        (["--replication-factor", "1"], "--min-in-sync-replicas"),
        (["--dead-letter-retention-days", "7"], "--dead-letter-retention-days"),
        (["--partitions", "0"], "--partitions"),
    ] {
        let error = settings(&arguments).check().unwrap_err();
        assert!(error.contains(named), "{error}");
    }
    settings(&[]).check().unwrap();
}
