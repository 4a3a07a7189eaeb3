//! Tests a survey on librdkafka's mock cluster.

use kafka::Login;
use rdkafka::mocking::MockCluster;
use rdkafka::types::RDKafkaRespErr;
use service::admin::Readiness;

use super::super::group;
use super::super::tests::{Cluster, TOPIC};
use super::*;
use crate::config::Config;

/// Creates a consumer for queries, which joins no group.
fn consumer(cluster: &Cluster) -> BaseConsumer<Group> {
    let mut config = Config::default();
    config.kafka.brokers = cluster.bootstrap_servers();
    let group = Group::new(Readiness::new().condition("kafka"), Login::new(&config.kafka).unwrap());
    group::client_config(&config).unwrap().create_with_context(group).unwrap()
}

#[test]
fn a_survey_reports_that_the_topic_may_not_be_read() {
    let cluster: Cluster = MockCluster::new(1).unwrap();
    cluster.create_topic(TOPIC, 1, 1).unwrap();
    let consumer = consumer(&cluster);
    let ask = || match survey(&consumer, TOPIC, &[Partition(0)]) {
        Report::Survey(survey) => survey.may_read,
        other => panic!("{other:?}"),
    };
    assert_ne!(ask(), Some(false));
    cluster.topic_error(TOPIC, RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED).unwrap();
    assert_eq!(ask(), Some(false));
}
