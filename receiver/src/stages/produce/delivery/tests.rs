use rdkafka::types::RDKafkaErrorCode;

use super::*;

#[tokio::test]
async fn a_delivery_finishes_with_its_last_record_and_first_failure() {
    let delivery = Delivery::of(3, 0);
    delivery.count(Ok(()));
    delivery.count(Err(&KafkaError::MessageProduction(RDKafkaErrorCode::MessageTimedOut)));
    let early = tokio::time::timeout(std::time::Duration::ZERO, delivery.finished()).await;
    assert!(early.is_err());
    delivery.count(Err(&KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)));
    let failure = delivery.finished().await.unwrap_err();
    assert_eq!(failure.rdkafka_error_code(), Some(RDKafkaErrorCode::MessageTimedOut));
}

#[tokio::test]
async fn a_delivery_of_no_records_is_finished_at_once() {
    assert!(Delivery::of(0, 0).finished().await.is_ok());
}
