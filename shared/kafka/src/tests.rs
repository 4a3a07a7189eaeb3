//! The resulting settings. The integration tests check that topics are created.

use super::*;
use config::check::Problems;
use config::{BinaryConfig, load_from};
use serde::{Deserialize, Serialize};

/// A config with only this section.
#[derive(Deserialize, Serialize)]
struct Config {
    kafka: Kafka,
}

impl BinaryConfig for Config {
    const OTHER: &'static str = "";
    const LEFT: &'static [&'static str] = &[];

    fn check(&self, _: &mut Problems) {}
}

fn kafka(section: &str) -> Kafka {
    load_from::<Config>("p.yaml", &format!("kafka: {section}"), &[]).unwrap().kafka
}

#[test]
fn options_are_passed_on_but_cannot_break_a_promise() {
    let kafka = kafka(
        "{brokers: 'a:1,b:2', options: {linger.ms: 7, client.id: mine, bootstrap.servers: evil, acks: 0, \
         enable.idempotence: false, message.timeout.ms: 0}}",
    );
    let config = producer_config(&kafka, "penstock", Duration::from_millis(1_500)).unwrap();
    for (key, value) in [
        ("linger.ms", "7"),
        ("client.id", "mine"),
        ("bootstrap.servers", "a:1,b:2"),
        ("acks", "all"),
        ("enable.idempotence", "true"),
        ("message.timeout.ms", "1500"),
    ] {
        assert_eq!(config.get(key), Some(value), "{key}");
    }
    assert_eq!(client_config(&Kafka::default(), "penstock").unwrap().get("client.id"), Some("penstock"));
}

#[test]
fn a_producer_creates_no_topic_unless_an_option_says_so() {
    let created = |section: &str| {
        let config = producer_config(&kafka(section), "penstock", Duration::from_secs(1)).unwrap();
        config.get(AUTO_CREATE).map(str::to_owned)
    };
    assert_eq!(created("{brokers: 'a:1'}").as_deref(), Some("false"));
    assert_eq!(created("{brokers: 'a:1', options: {allow.auto.create.topics: true}}").as_deref(), Some("true"));
}

#[tokio::test]
async fn no_topics_are_created_unless_configured() {
    create_missing_topics(&kafka("{brokers: '127.0.0.1:1'}"), "test", &["t"]).await.unwrap();
    let create = kafka("{brokers: '127.0.0.1:1', create_topics: {partitions: 1, replication_factor: 1}}");
    create_missing_topics(&create, "test", &[]).await.unwrap();
}

#[tokio::test]
async fn the_error_for_a_silent_cluster_names_the_config_key() {
    let kafka = kafka("{brokers: '127.0.0.1:1', timeout: 50ms, create_topics: {partitions: 1, replication_factor: 1}}");
    let error = create_missing_topics(&kafka, "test", &["t", "t"]).await.unwrap_err();
    assert!(error.to_string().starts_with("kafka.create_topics: "), "{error}");
}

#[test]
fn security_becomes_librdkafka_settings_without_showing_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, "of the file\n").unwrap();
    let kafka = kafka(&format!(
        "{{security: {{protocol: sasl_ssl, ca_file: /ca, mechanism: SCRAM-SHA-512, username: u, password: of the \
         config, password_file: {}}}}}",
        file.display()
    ));
    let config = client_config(&kafka, "penstock").unwrap();
    for (key, value) in [
        ("security.protocol", "sasl_ssl"),
        ("ssl.ca.location", "/ca"),
        ("sasl.mechanism", "SCRAM-SHA-512"),
        ("sasl.username", "u"),
        ("sasl.password", "of the file"),
    ] {
        assert_eq!(config.get(key), Some(value), "{key}");
    }
    assert!(!format!("{kafka:?}").contains("of the config"), "{kafka:?}");
    std::fs::remove_file(&file).unwrap();
    let error = client_config(&kafka, "penstock").unwrap_err().to_string();
    assert!(error.contains("kafka.security.password_file") && error.contains("cannot read"), "{error}");
}

#[test]
fn an_option_that_librdkafka_refuses_is_named_without_its_value() {
    for (key, value) in [("sasl.pasword", "hush"), ("ssl.key.passphrase", "hush"), ("sasl.mechanism.x", "hush")] {
        let kafka = Kafka { options: [(key.to_owned(), value.to_owned())].into(), ..Kafka::default() };
        let created: KafkaResult<rdkafka::producer::BaseProducer> = client_config(&kafka, "test").unwrap().create();
        let error = without_value(created.err().unwrap()).to_string();
        assert!(error.contains(key) && !error.contains("hush"), "{error}");
    }
    let kafka = Kafka { options: [("linger.ms".to_owned(), "soon".to_owned())].into(), ..Kafka::default() };
    let created: KafkaResult<rdkafka::producer::BaseProducer> = client_config(&kafka, "test").unwrap().create();
    assert!(without_value(created.err().unwrap()).to_string().contains("soon"));
}
