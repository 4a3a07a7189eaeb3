use super::*;

#[test]
fn each_error_has_its_fault() {
    use RDKafkaErrorCode as Code;
    for (fault, codes) in [
        (Fault::Size, vec![Code::MessageSizeTooLarge, Code::MessageBatchTooLarge]),
        (Fault::Event, vec![Code::InvalidRecord, Code::InvalidDifferentRecord]),
        (
            Fault::Operator,
            vec![
                Code::TopicAuthorizationFailed,
                Code::ClusterAuthorizationFailed,
                Code::PolicyViolation,
                Code::InvalidTopic,
            ],
        ),
        (
            Fault::Transient,
            vec![
                Code::MessageTimedOut,
                Code::NotEnoughReplicas,
                Code::NotEnoughReplicasAfterAppend,
                Code::NotLeaderForPartition,
                Code::LeaderNotAvailable,
                Code::KafkaStorageError,
                Code::ThrottlingQuotaExceeded,
                Code::InvalidMessage,
                Code::OutOfOrderSequenceNumber,
                Code::UnknownProducerId,
                Code::AllBrokersDown,
                Code::PurgeQueue,
                Code::Fatal,
                Code::Unknown,
            ],
        ),
    ] {
        for code in codes {
            assert_eq!(of(code), fault, "{code:?}");
        }
    }
}
