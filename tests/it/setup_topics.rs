//! `setup --topics` on the real Kafka. It has one broker, so there is one replica.

use anyhow::Result;
use bytesize::ByteSize;
use futures::future::try_join_all;
use harness::kafka::Kafka;
use harness::pipeline::Pipeline;
use harness::stack::Stack;
use indexer::commands::topics::{Settings, TopicReport, TopicState, set_up};
use indexer::config::Config;

/// Returns the settings of the command line for one broker.
fn settings() -> Settings {
    Settings {
        partitions: 5,
        replication_factor: 1,
        min_in_sync_replicas: 1,
        retention_days: 7,
        dead_letter_retention_days: 30,
        max_event: ByteSize::mib(1),
    }
}

/// Returns the config of topics that do not exist yet, named after the scenario's own.
fn of_new_topics(pipeline: &Pipeline) -> Config {
    let mut config = pipeline.config.of_indexer();
    let name = format!("{}-new", config.kafka.topic);
    config.kafka.dead_letter_topic = format!("{name}-dead-letters");
    config.kafka.quarantine_topic = format!("{name}-quarantine");
    config.kafka.topic = name;
    config
}

fn states(reports: &[TopicReport]) -> Vec<&TopicState> {
    reports.iter().map(|report| &report.state).collect()
}

async fn partitions(kafka: &Kafka, topic: &str) -> Result<usize> {
    Ok(kafka.end_offsets(topic).await?.len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_concurrent_setups_create_missing_topics_once() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "setup-topics").await?;
    let config = of_new_topics(&pipeline);
    let settings = settings();
    for _ in 0..2 {
        let dry = set_up(&config, &settings, true).await?;
        assert_eq!(states(&dry), [&TopicState::Missing; 3]);
    }
    try_join_all((0..10).map(|_| set_up(&config, &settings, false))).await?;
    assert_eq!(partitions(&pipeline.kafka, &config.kafka.topic).await?, 5);
    assert_eq!(partitions(&pipeline.kafka, &config.kafka.dead_letter_topic).await?, 3);
    let again = set_up(&config, &settings, false).await?;
    assert_eq!(states(&again), [&TopicState::Good; 3], "{again:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_with_other_settings_is_reported_and_left_unchanged() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "setup-topics-differ").await?;
    let config = &pipeline.config.of_indexer();
    let larger = [("max.message.bytes", "5000000"), ("retention.ms", "5184000000")];
    pipeline.kafka.alter_topic(&config.kafka.topic, &larger).await?;
    let short = [("retention.ms", "5184000000"), ("cleanup.policy", "compact"), ("max.message.bytes", "5000000")];
    pipeline.kafka.alter_topic(&config.kafka.dead_letter_topic, &short).await?;
    for _ in 0..2 {
        let reports = set_up(config, &settings(), false).await?;
        let of = |topic: &str| reports.iter().find(|report| report.topic == topic).map(|report| report.state.clone());
        assert_eq!(of(&config.kafka.topic), Some(TopicState::Good));
        let Some(TopicState::Differs { differences }) = of(&config.kafka.dead_letter_topic) else {
            panic!("{reports:?}");
        };
        for said in ["retention.ms is 5184000000", "cleanup.policy is compact", "max.message.bytes is 5000000"] {
            assert!(differences.iter().any(|difference| difference.contains(said)), "{said}: {differences:?}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_of_the_cluster_is_an_error_that_names_the_topic() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "setup-topics-refused").await?;
    let config = of_new_topics(&pipeline);
    let three = Settings { replication_factor: 3, ..settings() };
    let error = set_up(&config, &three, false).await.unwrap_err().to_string();
    assert!(error.contains(&config.kafka.topic) && error.contains("replication"), "{error}");
    Ok(())
}
