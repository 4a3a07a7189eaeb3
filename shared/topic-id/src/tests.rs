use rdkafka::ClientConfig;

use super::*;

#[test]
fn an_id_is_parsed_from_its_own_text() {
    let id = TopicId(0x0123_4567_89ab_cdef);
    assert_eq!(id.to_string(), "00000000000000000123456789abcdef");
    assert_eq!(id.to_string().parse(), Ok(id));
    assert_eq!(format!("{id:?}"), id.to_string());
}

#[test]
fn an_error_code_is_a_time_out_or_a_refusal() {
    assert!(accepted(RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR).is_ok());
    let timed_out = accepted(RDKafkaRespErr::RD_KAFKA_RESP_ERR__TIMED_OUT);
    assert!(matches!(timed_out, Err(TopicIdError::TimedOut)), "{timed_out:?}");
    let refused = accepted(RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    let expected = RDKafkaErrorCode::TopicAuthorizationFailed;
    assert!(matches!(refused, Err(TopicIdError::Refused(code)) if code == expected), "{refused:?}");
}

#[test]
fn an_unreachable_cluster_times_out_and_frees_its_objects() {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", "127.0.0.1:1")
        .create()
        .expect("a client without a group needs no cluster");
    for _ in 0..20 {
        let answer = topic_id(&consumer, "events", Duration::from_millis(20));
        assert!(matches!(answer, Err(TopicIdError::TimedOut | TopicIdError::Refused(_))), "{answer:?}");
    }
    let timeout = Duration::from_millis(20);
    assert!(allowed(&consumer, "events", timeout).is_err());
    assert!(id_and_allowed(&consumer, "events", timeout).is_err());
}

#[test]
fn a_name_with_a_zero_byte_is_refused() {
    let consumer: BaseConsumer = ClientConfig::new().create().expect("a client without a group needs no cluster");
    assert!(matches!(topic_id(&consumer, "a\0b", Duration::ZERO), Err(TopicIdError::Name(_))));
}

#[test]
fn before_an_answer_no_watermark_is_known() {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", "127.0.0.1:1")
        .create()
        .expect("a client without a group needs no cluster");
    assert_eq!(high_watermark(&consumer, "events", 0), None);
    assert_eq!(high_watermark(&consumer, "a\0b", 0), None);
}
