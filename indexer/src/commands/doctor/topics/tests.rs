use super::super::finding::Grade;
use super::*;

const ALL: Allowed = Allowed { read: true, write: true, describe_configs: true };

fn topic(settings: &[(&str, &str)]) -> Topic {
    let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Topic { name: "t".to_owned(), partitions: 4, replicas: 3, settings, allowed: Some(ALL), ..Topic::default() }
}

fn worst(findings: &[Finding]) -> Grade {
    findings.iter().map(|finding| finding.grade).max().unwrap_or(Grade::Ok)
}

#[test]
fn a_topic_is_judged_by_its_purpose() {
    let good = topic(&[("min.insync.replicas", "2"), ("cleanup.policy", "delete")]);
    let with = |name, value| topic(&[("min.insync.replicas", "2"), (name, value)]);
    let allowed = |read, write| Topic { allowed: Some(Allowed { read, write, ..ALL }), ..good.clone() };
    for (topic, role, expected) in [
        (good.clone(), Role::Events, Grade::Ok),
        (Topic { replicas: 1, ..good.clone() }, Role::Events, Grade::Fail),
        (Topic { replicas: 1, ..topic(&[("min.insync.replicas", "1")]) }, Role::Events, Grade::Warn),
        (Topic { replicas: 2, ..good.clone() }, Role::Events, Grade::Warn),
        (topic(&[("min.insync.replicas", "1")]), Role::Events, Grade::Warn),
        (Topic { leaderless: 1, ..good.clone() }, Role::Events, Grade::Fail),
        (Topic { under_replicated: 1, ..good.clone() }, Role::Events, Grade::Warn),
        (with("cleanup.policy", "compact,delete"), Role::Events, Grade::Warn),
        (with("cleanup.policy", "compact"), Role::DeadLetters, Grade::Fail),
        (with("cleanup.policy", "compact"), Role::Quarantine, Grade::Fail),
        (allowed(false, true), Role::Events, Grade::Fail),
        (allowed(true, false), Role::Events, Grade::Warn),
        (allowed(true, false), Role::DeadLetters, Grade::Fail),
        (allowed(false, true), Role::DeadLetters, Grade::Warn),
        (allowed(false, false), Role::Quarantine, Grade::Warn),
        (Topic { allowed: None, ..good.clone() }, Role::DeadLetters, Grade::Ok),
        (topic(&[]), Role::Events, Grade::Warn),
    ] {
        let findings = judge(&topic, role);
        assert_eq!(worst(&findings), expected, "{role:?} {topic:?} {findings:?}");
        let has_todo = |finding: &Finding| finding.grade == Grade::Ok || finding.todo.is_some();
        assert!(findings.iter().all(has_todo), "{findings:?}");
    }
}

#[test]
fn the_dead_letter_topic_needs_larger_records_and_longer_retention() {
    let events = topic(&[("max.message.bytes", "1000000"), ("retention.ms", "604800000")]);
    for (bytes, retention, warnings) in
        [("1002048", "604800000", 0), ("1002047", "604800000", 1), ("104857600", "-1", 0), ("1000000", "1000", 2)]
    {
        let letters = topic(&[("max.message.bytes", bytes), ("retention.ms", retention)]);
        assert_eq!(judge_letters(&letters, &events).len(), warnings, "{bytes} {retention}");
    }
    let forever = topic(&[("retention.ms", "-1")]);
    assert_eq!(judge_letters(&events, &forever).len(), 1);
    assert_eq!(judge_letters(&topic(&[]), &events).len(), 0, "nothing is known");
}

#[test]
fn lag_is_bad_if_retention_is_near() {
    let weekly = topic(&[("retention.ms", "1000000")]);
    let behind = |start, committed, age| Behind { partition: 0, start, end: 100, committed, age };
    for (part, expected) in [
        (behind(0, Some(100), None), Grade::Ok),
        (behind(0, Some(50), Some(1_000)), Grade::Ok),
        (behind(0, Some(50), Some(500_001)), Grade::Warn),
        (behind(0, Some(50), Some(900_001)), Grade::Fail),
        (behind(60, Some(50), None), Grade::Fail),
        (behind(60, None, Some(10)), Grade::Ok),
    ] {
        assert_eq!(judge_lag(&weekly, &[part]).grade, expected, "{part:?}");
    }
    let forever = topic(&[("retention.ms", "-1")]);
    assert_eq!(judge_lag(&forever, &[behind(0, Some(50), Some(i64::MAX))]).grade, Grade::Ok);
    assert_eq!(behind(60, Some(50), None).lag(), 40);
}
