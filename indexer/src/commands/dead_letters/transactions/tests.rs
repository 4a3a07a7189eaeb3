use super::*;

#[test]
fn only_an_error_of_a_record_itself_refuses_the_record() {
    use RDKafkaErrorCode as Code;
    let is_record = |codes: &[Code]| {
        let errors = codes.iter().map(|code| KafkaError::MessageProduction(*code)).collect();
        matches!(of_records(errors, String::new()), TransactionError::Record(_))
    };
    assert!(is_record(&[Code::MessageSizeTooLarge]));
    assert!(is_record(&[Code::PurgeQueue, Code::MessageSizeTooLarge]));
    let purged = of_records(vec![KafkaError::MessageProduction(Code::PurgeQueue)], String::new());
    assert!(matches!(purged, TransactionError::Purged(_)));
    assert!(!is_record(&[Code::MessageTimedOut]));
    assert!(!is_record(&[Code::PurgeQueue, Code::TopicAuthorizationFailed]));
    let fenced = of_records(vec![KafkaError::MessageProduction(Code::ProducerFenced)], String::new());
    assert!(matches!(fenced, TransactionError::Fenced));
}
