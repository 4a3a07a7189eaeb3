//! Decides whose fault it is that Kafka refused a record: one table for all errors.
//!
//! | fault | means | the sender gets |
//! | --- | --- | --- |
//! | size | the record, or its batch, is larger than the topic accepts | 413, after it was also refused alone |
//! | event | the topic refuses this record: it has no key in a compacted topic, or a validation of the broker refuses
//! it | 422, after it was also refused alone |
//! | operator | Kafka accepts no record until an operator fixes the cause | 503 |
//! | transient | all other errors: they pass, or are unknown | 503 |
//!
//! A broker refuses a batch as a whole, so a refusal says nothing about a single record: see [`super::callbacks`].

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::queue_budget::BudgetExceeded;

/// Says why an event is not known to be in Kafka.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProduceError {
    /// The queue has no room. Nothing was sent.
    QueueFull,
    /// The request has more events than this, the capacity of the queue. Nothing was sent.
    TooMany(usize),
    /// The request has more bytes of events than this, the capacity of the queue. Nothing was sent.
    TooManyBytes(usize),
    /// The topic does not accept a record of this size.
    TooLarge,
    /// The topic does not accept this record: it has no key in a compacted topic, or a validation refuses it.
    Refused,
    /// Kafka accepts no records of this topic until an operator fixes the cause. Holds Kafka's error.
    Blocked(RDKafkaErrorCode),
    /// Kafka is down, or did not acknowledge in time. The event may still be there.
    Unavailable,
}

impl ProduceError {
    pub(super) fn of(error: &KafkaError) -> Self {
        let Some(code) = error.rdkafka_error_code() else { return Self::Unavailable };
        match of(code) {
            _ if code == RDKafkaErrorCode::QueueFull => Self::QueueFull,
            Fault::Size => Self::TooLarge,
            Fault::Event => Self::Refused,
            Fault::Operator => Self::Blocked(code),
            Fault::Transient => Self::Unavailable,
        }
    }
}

impl From<BudgetExceeded> for ProduceError {
    fn from(exceeded: BudgetExceeded) -> Self {
        match exceeded {
            BudgetExceeded::Now => Self::QueueFull,
            BudgetExceeded::TooMany(most) => Self::TooMany(most),
            BudgetExceeded::TooLarge(most) => Self::TooManyBytes(most),
        }
    }
}

/// Whose fault a refusal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Size,
    Event,
    Operator,
    Transient,
}

/// The errors that last until an operator changes something.
pub(crate) const OPERATOR: [RDKafkaErrorCode; 19] = {
    use RDKafkaErrorCode as Code;
    [
        Code::TopicAuthorizationFailed,
        Code::ClusterAuthorizationFailed,
        Code::TransactionalIdAuthorizationFailed,
        Code::SaslAuthenticationFailed,
        Code::Authentication,
        Code::UnsupportedSASLMechanism,
        Code::SecurityDisabled,
        Code::UnknownTopicOrPartition,
        Code::UnknownTopic,
        Code::UnknownPartition,
        Code::InvalidTopic,
        // The timestamp is the time of arrival, so a clock or a limit of the topic is wrong.
        Code::InvalidTimestamp,
        Code::InvalidRequiredAcks,
        Code::InvalidConfig,
        Code::PolicyViolation,
        Code::UnsupportedCompressionType,
        Code::UnsupportedForMessageFormat,
        Code::UnsupportedVersion,
        Code::UnsupportedFeature,
    ]
};

/// Returns whose fault the error `code` of a produced record is.
pub(super) fn of(code: RDKafkaErrorCode) -> Fault {
    use RDKafkaErrorCode as Code;
    match code {
        Code::MessageSizeTooLarge | Code::MessageBatchTooLarge | Code::InvalidMessageSize => Fault::Size,
        Code::InvalidRecord | Code::InvalidDifferentRecord => Fault::Event,
        code if OPERATOR.contains(&code) => Fault::Operator,
        _ => Fault::Transient,
    }
}

/// Returns whether the refusal may be due to another record of the same batch: the checks of a broker, or of a proxy in
/// front of it (`PolicyViolation`), look at single records.
pub(super) fn may_be_of_another(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(of(code), Fault::Size | Fault::Event) || matches!(code, Code::InvalidTimestamp | Code::PolicyViolation)
}

#[cfg(test)]
mod tests;
