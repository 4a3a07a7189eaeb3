//! Tests a survey on librdkafka's mock cluster.

use rdkafka::types::RDKafkaRespErr;

use super::super::tests::{TOPIC, member};
use super::*;

#[test]
fn a_survey_reports_that_the_topic_may_not_be_read() {
    let (subscription, list, cluster) = member();
    subscription.assign(&list).unwrap();
    let ask = || match survey(subscription.client(), TOPIC, &[Partition(0)]) {
        Report::Survey(survey) => survey.may_read,
        other => panic!("{other:?}"),
    };
    assert_ne!(ask(), Some(false));
    cluster.topic_error(TOPIC, RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED).unwrap();
    assert_eq!(ask(), Some(false));
    subscription.close();
    drop(subscription);
}
