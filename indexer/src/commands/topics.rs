//! `setup --topics`: creates the topics that Penstock needs, with settings for production.
//!
//! `plan.rs` computes the settings of each topic. [`set_up`] creates missing topics and reports existing ones that
//! differ. It changes no existing topic, because its settings may be intentional.

use std::collections::BTreeMap;
use std::fmt;

use config::SaslMechanism;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;
use serde::Serialize;

use crate::config::Config;

pub use plan::{Existing, Plan, Role, Settings};

mod plan;

/// The outcome for one topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum TopicState {
    /// It was missing and has been created.
    Created,
    /// It is missing; a dry run creates nothing.
    Missing,
    /// It exists, and no difference was found.
    Good,
    /// It exists, and differs from the plan.
    Differs {
        /// Each difference: the setting, what it is, what it should be, and why.
        differences: Vec<String>,
    },
}

/// The report on one topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TopicReport {
    /// The topic.
    pub topic: String,
    /// The plan by which it was, or would be, created.
    pub wanted: Plan,
    /// The outcome.
    #[serde(flatten)]
    pub state: TopicState,
}

impl TopicReport {
    /// Returns whether an operator must look at it.
    pub fn differs(&self) -> bool {
        matches!(self.state, TopicState::Differs { .. })
    }
}

impl fmt::Display for TopicReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            TopicState::Created => write!(f, "{}: created: {}", self.topic, self.wanted),
            TopicState::Missing => write!(f, "{}: missing, would be created: {}", self.topic, self.wanted),
            TopicState::Good => write!(f, "{}: exists", self.topic),
            TopicState::Differs { differences } => write!(f, "{}: differs: {}", self.topic, differences.join("; ")),
        }
    }
}

/// Why the topics could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TopicsError {
    /// The settings contradict each other.
    #[error("{0}")]
    Settings(String),
    /// The admin client cannot use tokens.
    #[error(
        "setup --topics cannot log in with OAUTHBEARER: create the topics with Kafka's tools, see docs/production.md"
    )]
    OAuth,
    /// The cluster did not answer, or the client's settings cannot be used.
    #[error("kafka: {0}")]
    Kafka(#[from] KafkaError),
    /// The cluster refused one topic.
    #[error("kafka: the cluster refused to create or describe topic {topic}: {code}")]
    Refused {
        /// The topic.
        topic: String,
        /// The cluster's error.
        code: RDKafkaErrorCode,
    },
    /// The thread that requests the metadata panicked.
    #[error("kafka: {0}")]
    Panicked(#[from] tokio::task::JoinError),
}

type Admin = AdminClient<DefaultClientContext>;

/// Creates the missing topics of `config`, unless `dry_run`, and returns the outcome for each. It is not an error if
/// another process creates a topic at the same time.
///
/// # Errors
/// [`TopicsError`].
pub async fn set_up(config: &Config, settings: &Settings, dry_run: bool) -> Result<Vec<TopicReport>, TopicsError> {
    settings.check().map_err(TopicsError::Settings)?;
    let security = config.kafka.security.as_ref();
    if security.is_some_and(|security| security.mechanism == Some(SaslMechanism::OAuthBearer)) {
        return Err(TopicsError::OAuth);
    }
    let admin: Admin = kafka::client_config(&config.kafka, "penstock-indexer-setup")
        .and_then(|client| client.create())
        .map_err(kafka::without_value)?;
    let (admin, existing) = existing(admin, config).await?;
    let mut reports = Vec::new();
    for (topic, wanted) in plan::plan(config, settings, &existing) {
        let state = match existing.get(&topic) {
            Some(existing) => compared(&wanted, existing),
            None if dry_run => TopicState::Missing,
            None => create(&admin, config, &topic, &wanted).await?,
        };
        reports.push(TopicReport { topic, wanted, state });
    }
    Ok(reports)
}

fn compared(wanted: &Plan, existing: &Existing) -> TopicState {
    let differences = wanted.differences(existing);
    if differences.is_empty() { TopicState::Good } else { TopicState::Differs { differences } }
}

async fn create(admin: &Admin, config: &Config, topic: &str, wanted: &Plan) -> Result<TopicState, TopicsError> {
    let mut new = NewTopic::new(topic, wanted.partitions, TopicReplication::Fixed(wanted.replication_factor));
    for (key, value) in &wanted.settings {
        new = new.set(key, value);
    }
    for result in admin.create_topics(&[new], &options(config)).await? {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, code)) => return Err(TopicsError::Refused { topic, code }),
        }
    }
    Ok(TopicState::Created)
}

/// Returns the existing topics of `config` with their settings. Requests the metadata of all topics, because a
/// request for a missing one would create it on a cluster with `auto.create.topics.enable`.
async fn existing(admin: Admin, config: &Config) -> Result<(Admin, BTreeMap<String, Existing>), TopicsError> {
    let timeout = config.kafka.timeout;
    let (admin, metadata) = tokio::task::spawn_blocking(move || {
        let metadata = admin.inner().fetch_metadata(None, timeout);
        (admin, metadata)
    })
    .await?;
    let names = plan::names(config);
    let mut found = BTreeMap::new();
    for topic in metadata?.topics() {
        if names.contains_key(topic.name()) {
            let replicas = topic.partitions().iter().map(|partition| partition.replicas().len()).min();
            let settings = describe(&admin, config, topic.name()).await?;
            found.insert(topic.name().to_owned(), Existing { replicas: replicas.unwrap_or(0), settings });
        }
    }
    Ok((admin, found))
}

async fn describe(admin: &Admin, config: &Config, topic: &str) -> Result<BTreeMap<String, String>, TopicsError> {
    let mut settings = BTreeMap::new();
    for resource in admin.describe_configs(&[ResourceSpecifier::Topic(topic)], &options(config)).await? {
        let resource = resource.map_err(|code| TopicsError::Refused { topic: topic.to_owned(), code })?;
        settings.extend(resource.entries.into_iter().filter_map(|entry| Some((entry.name, entry.value?))));
    }
    Ok(settings)
}

fn options(config: &Config) -> AdminOptions {
    let timeout = Some(config.kafka.timeout);
    AdminOptions::new().operation_timeout(timeout).request_timeout(timeout)
}

#[cfg(test)]
mod tests;
