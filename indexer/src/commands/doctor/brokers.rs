//! Checks topics, permissions and lag in Kafka.

use std::collections::HashMap;
use std::ops::ControlFlow;

use kafka::{Login, client_config};
use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
use rdkafka::consumer::Consumer;
use rdkafka::metadata::MetadataPartition;
use tokio::runtime::Handle;

use super::finding::Finding;
use super::topics::{Behind, Role, Topic, judge, judge_lag, judge_letters};
use crate::commands::log::{LogError, LogReader, Part};
use crate::commands::times;
use crate::config::Config;

/// Checks the topics of `config` and the lag of its groups. Blocks.
pub(super) fn check(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    let reader = match LogReader::new(config) {
        Ok(reader) => reader,
        Err(error) => {
            findings.push(Finding::fail("kafka", error.to_string(), "check kafka.options and kafka.security"));
            return findings;
        }
    };
    let metadata = reader.client().fetch_metadata(None, config.kafka.timeout);
    match metadata {
        Ok(metadata) => findings.push(Finding::ok("kafka", format!("{} brokers answer", metadata.brokers().len()))),
        Err(error) => {
            let todo = "check kafka.brokers and kafka.security, and that Kafka is up and reachable from here";
            findings.push(Finding::fail("kafka", error.to_string(), todo));
            return findings;
        }
    }
    let kafka = &config.kafka;
    let letters = one(config, &reader, &kafka.dead_letter_topic, Role::DeadLetters, &mut findings);
    for of_topic in config.of_topics() {
        let Some(topic) = one(&of_topic, &reader, &of_topic.kafka.topic, Role::Events, &mut findings) else { continue };
        if let Some(letters) = &letters {
            findings.extend(judge_letters(letters, &topic));
        }
        findings.push(lag(&of_topic, &topic));
    }
    one(config, &reader, &kafka.quarantine_topic, Role::Quarantine, &mut findings);
    findings
}

/// Describes and judges one topic, or returns `None` if it does not exist.
fn one(config: &Config, reader: &LogReader, name: &str, role: Role, findings: &mut Vec<Finding>) -> Option<Topic> {
    match describe(config, reader, name) {
        Ok(topic) => {
            findings.extend(judge(&topic, role));
            Some(topic)
        }
        Err(LogError::Missing(_)) if role == Role::Quarantine => {
            let todo = "create it, unless no receiver has a quarantine, or its sources have topics of their own";
            findings.push(Finding::warn(format!("kafka: topic {name}"), "it does not exist", todo));
            None
        }
        Err(LogError::Missing(_)) if config.kafka.create_topics.is_some() => {
            let found = "it does not exist; it is created at start (kafka.create_topics)";
            findings.push(Finding::ok(format!("kafka: topic {name}"), found));
            None
        }
        Err(error) => {
            let todo = "create the topic, or allow Describe on it";
            findings.push(Finding::fail(format!("kafka: topic {name}"), error.to_string(), todo));
            None
        }
    }
}

fn describe(config: &Config, reader: &LogReader, name: &str) -> Result<Topic, LogError> {
    let timeout = config.kafka.timeout;
    let failed = |error| LogError::Kafka { what: format!("describing topic {name}"), error };
    let metadata = reader.client().fetch_metadata(Some(name), timeout).map_err(failed)?;
    let topic = metadata.topics().iter().find(|topic| topic.name() == name && topic.error().is_none());
    let partitions = topic.map(rdkafka::metadata::MetadataTopic::partitions).unwrap_or_default();
    if partitions.is_empty() {
        return Err(LogError::Missing(name.to_owned()));
    }
    let count = |is: &dyn Fn(&MetadataPartition) -> bool| partitions.iter().filter(|partition| is(partition)).count();
    Ok(Topic {
        name: name.to_owned(),
        partitions: partitions.len(),
        replicas: partitions.iter().map(|partition| partition.replicas().len()).min().unwrap_or(0),
        leaderless: count(&|partition| partition.leader() < 0),
        under_replicated: count(&|partition| partition.isr().len() < partition.replicas().len()),
        settings: settings(config, name),
        allowed: topic_id::allowed(reader.client(), name, timeout).ok().flatten(),
    })
}

/// Returns the settings of topic `name`, or none if they may not be read.
fn settings(config: &Config, name: &str) -> HashMap<String, String> {
    let ask = || -> rdkafka::error::KafkaResult<HashMap<String, String>> {
        let client = client_config(&config.kafka, "penstock-indexer-command")?;
        let admin: AdminClient<Login> = client.create_with_context(Login::new(&config.kafka)?)?;
        let options = AdminOptions::new().request_timeout(Some(config.kafka.timeout));
        let asked = [ResourceSpecifier::Topic(name)];
        let answers = Handle::current().block_on(admin.describe_configs(&asked, &options))?;
        let entries = answers.into_iter().flatten().flat_map(|resource| resource.entries);
        Ok(entries.filter_map(|entry| Some((entry.name, entry.value?))).collect())
    };
    ask().unwrap_or_default()
}

fn lag(config: &Config, topic: &Topic) -> Finding {
    match behind(config, &topic.name) {
        Ok(behind) => judge_lag(topic, &behind),
        Err(error) => {
            let todo = format!("allow Read and Describe on the group {}", config.indexer.group_id);
            Finding::fail(format!("kafka: lag of {}", topic.name), error.to_string(), todo)
        }
    }
}

fn behind(config: &Config, topic: &str) -> Result<Vec<Behind>, LogError> {
    let reader = LogReader::new(config)?;
    let parts = reader.parts(topic)?;
    let committed = reader.committed(topic, parts.iter().map(|part| part.partition))?;
    let mut all = Vec::new();
    for Part { partition, from, to } in parts {
        let committed = committed.get(&partition).copied().flatten();
        let mut behind = Behind { partition, start: from, end: to, committed, age: None };
        if behind.lag() > 0 {
            behind.age = age(&reader, topic, Part { partition, from: to - behind.lag(), to })?;
        }
        all.push(behind);
    }
    Ok(all)
}

/// Returns the age of the first record of `part`, in milliseconds.
fn age(reader: &LogReader, topic: &str, part: Part) -> Result<Option<i64>, LogError> {
    let mut age = None;
    reader.scan::<LogError>(topic, &[part], |record| {
        age = record.timestamp.map(|timestamp| times::now() - timestamp);
        Ok(ControlFlow::Break(()))
    })?;
    Ok(age)
}
